// A store of your own: make it, append, read back, hear of news, fold. Copy this file and begin.
#include <cstring>
#include <filesystem>
#include <iostream>

#include "pievt/log.h"
#include "pievt/projection.h"

using namespace pievt;
// State that is the fold of the log and nothing else; it can be thrown away at any time.
struct JobCount : Projection {
  std::uint64_t jobs = 0;
  std::string identity() const override { return "job-count/1"; }
  void apply(const EventView& event) override {
    if (event.type() == schema::Payload::JobDeclared) ++jobs;
  }
  std::vector<std::byte> save() const override {
    const auto bytes = std::as_bytes(std::span(&jobs, 1));
    return {bytes.begin(), bytes.end()};
  }
  Status load(std::span<const std::byte> state) override {
    if (state.size() != sizeof(jobs)) return Error{Errc::corrupt, "not a saved count"};
    std::memcpy(&jobs, state.data(), sizeof(jobs));
    return {};
  }
};

NewEvent job(std::uint32_t number, std::string id) {
  schema::JobDeclaredT declared;
  declared.id = std::move(id);
  return {std::move(declared), {.job = number}};
}

Status run(const std::filesystem::path& directory) {
  Log log = PIEVT_TRY(Log::open(directory, {.mode = OpenMode::create, .program = "embed"}));
  auto follower = PIEVT_TRY(log.follow(log.head()));
  schema::RunPlannedT planned;
  planned.run_id = "r1";
  PIEVT_TRY(log.append("run/r1", Expected::no_stream(), {{std::move(planned)}, job(1, "index")}));
  PIEVT_TRY(log.append("run/r1", Expected::exactly({2}), {job(2, "review")}));
  auto news = PIEVT_TRY(follower.wait(std::chrono::seconds(1)));
  while (news.next()) std::cout << type_name(news.event().type()) << '\n';
  auto reader = log.read_stream("run/r1", {1});
  while (reader.next()) {
    visit(reader.event(), [](const schema::JobDeclared& e) { std::cout << e.id()->str() << '\n'; });
  }
  PIEVT_TRY(reader.status());  // why it ended early, if it did
  JobCount count;
  const Sequence at = PIEVT_TRY(catch_up(count, log, "job-count"));
  PIEVT_TRY(save_projection(log, "job-count", count, at));
  std::cout << count.jobs << " jobs\n";
  return {};  // readers end before their Log does
}

int main(int argc, char** argv) {
  const Status done = run(argc > 1 ? argv[1] : "embed-store");
  if (!done.ok()) std::cerr << "embed: " << done.error().what << '\n';
  return done.ok() ? 0 : 1;
}
