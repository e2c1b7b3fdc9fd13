#include "tests/store/upkeep/sample_store.h"

#include <algorithm>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

#include "pievt/output.h"
#include "pievt/query.h"
#include "store/log/stored_page.h"

namespace pievt {

namespace fs = std::filesystem;

std::map<std::string, std::string> contents(const Rocks& rocks, Family family) {
  std::map<std::string, std::string> all;
  auto cursor = rocks.cursor(family);
  for (cursor.seek(""); cursor.valid(); cursor.next())
    all.emplace(std::string(cursor.key()), std::string(cursor.value()));
  EXPECT_TRUE(cursor.status().ok()) << cursor.status().error().what;
  return all;
}

std::map<std::string, std::string> contents(const fs::path& store, Family family) {
  const Result<Rocks> rocks = Rocks::open_reader(log_directory(store));
  EXPECT_TRUE(rocks.ok()) << rocks.error().what;
  return rocks.ok() ? contents(*rocks, family) : std::map<std::string, std::string>();
}

std::vector<PageRange> pages_of(const fs::path& store) {
  std::vector<PageRange> all;
  for (const auto& [key, value] : contents(store, Family::log)) {
    StoredPage page;
    EXPECT_TRUE(page.load(value, 0).ok());
    all.push_back({page.first(), page.last()});
  }
  return all;
}

VerifyReport verified(const fs::path& store) {
  const Result<Log> log = Log::open(store, {.mode = OpenMode::read});
  EXPECT_TRUE(log.ok()) << log.error().what;
  if (!log.ok()) return {};
  Result<VerifyReport> report = verify(*log);
  EXPECT_TRUE(report.ok()) << report.error().what;
  return report.ok() ? *report : VerifyReport{};
}

void SampleStoreTest::add_run(const std::string& run) {
  schema::RunPlannedT planned;
  planned.run_id = run;
  planned.name = "sample";
  planned.plan = std::make_unique<schema::BlobRef>(log().put_blob("the plan of " + run).value());
  schema::JobDeclaredT job;
  job.id = "only";
  // Incompressible, so that it is more than one chunk.
  std::string prompt(600'000, '\0');
  std::uint32_t state = static_cast<std::uint32_t>(run.back());
  for (char& c : prompt) c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  job.prompt = std::make_unique<schema::BlobRef>(log().put_blob(prompt).value());
  schema::AttemptLaunchRequestedT launch;
  std::vector<NewEvent> events;
  events.push_back({std::move(planned)});
  events.push_back({std::move(job), {.job = 1}, {{1}, {1}}});
  events.push_back({std::move(launch), {.job = 1, .attempt = 1}, {{2}, {1}}});
  OutputPacker packer;
  OutputWriter writer({run, 1, 1, schema::OutputChannel::stdout});
  for (const char* text : {"what it said first", "and then"}) {
    auto chunks = writer.write(log(), packer, std::as_bytes(std::span(text, std::strlen(text))));
    for (auto& chunk : chunks.value())
      events.push_back({std::move(chunk), {.job = 1, .attempt = 1}});
  }
  // A stream that is only checked and is not there: its name is in no page.
  const StreamEvents both[] = {{run_stream(run), Expected::no_stream(), std::move(events)},
                               {"never/" + run, Expected::no_stream(), {}}};
  ASSERT_TRUE(log().append(both).ok());
  for (int i = 0; i < 10; ++i) append(run_stream(run), {fmt::format("{} {}", run, i)});
}

void SampleStoreTest::make_runs() {
  open();
  for (const char* run : {"r1", "r2", "r3"}) add_run(run);
  append("wide", std::vector<std::string>(600, std::string(1000, 'w')));
  append("run/r1", {"the last of r1"});
  ASSERT_TRUE(save_views(log(), "r1").ok());
  close();
}

std::map<Family, std::map<std::string, std::string>> SampleStoreTest::everything() const {
  std::map<Family, std::map<std::string, std::string>> all;
  for (const Family family : {Family::log, Family::streams, Family::ids, Family::index,
                              Family::schemas, Family::blobs, Family::meta})
    all[family] = contents(store(), family);
  return all;
}

void SampleStoreTest::tamper(const std::function<void(Rocks&, WriteSet&)>& change) const {
  Result<Rocks> rocks = Rocks::open_writer(log_directory(store()), Rocks::Create::never);
  ASSERT_TRUE(rocks.ok()) << rocks.error().what;
  WriteSet set(*rocks);
  change(*rocks, set);
  ASSERT_TRUE(rocks->write(std::move(set), Durability::fsync).ok());
  ASSERT_TRUE(rocks->close().ok());
}

void flip(const fs::path& file, std::size_t at) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(at));
  const char changed = static_cast<char>(stream.get() ^ 0x20);
  stream.seekp(static_cast<std::streamoff>(at));
  stream.put(changed);
  ASSERT_TRUE(stream.good());
}

std::vector<fs::path> SampleStoreTest::files(std::string_view extension) const {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(log_directory(store()))) {
    if (entry.path().extension() == extension && entry.file_size() > 0)
      found.push_back(entry.path());
  }
  std::ranges::sort(found);
  return found;
}

std::vector<fs::path> SampleStoreTest::tables(Family wanted) const {
  std::vector<fs::path> found;
  for (const fs::path& file : files(".sst")) {
    bool fits = false;
    static_cast<void>(
        read_table(file, [&](Family family, auto, auto) { fits = family == wanted; }));
    if (fits) found.push_back(file);
  }
  return found;
}

void SampleStoreTest::burn_logs() const {
  for (const fs::path& file : files(".log")) fs::remove(file);
}

void SampleStoreTest::copy_files(const fs::path& to) const {
  fs::create_directory(to);
  for (const auto& entry : fs::directory_iterator(store())) {
    // Closing a second descriptor of LOCK would drop this process's own lock.
    if (entry.path().filename() == "LOCK" || entry.is_socket()) continue;
    fs::copy(entry.path(), to / entry.path().filename(), fs::copy_options::recursive);
  }
}

}  // namespace pievt
