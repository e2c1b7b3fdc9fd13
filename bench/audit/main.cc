// What an auditor waits for: the verbs that read a run of a million events, its exports, a search
// in its texts, a sealed file. Whole runs of the program `pievt`, output and all, on imported
// batches.
//
//   audit_bench --pievt PROGRAM [--quick] [--dir DIR] [--json FILE]
#include <algorithm>
#include <random>

#include <fmt/format.h>

#include "bench/audit/batch.h"
#include "bench/frame/program.h"
#include "bench/frame/results.h"
#include "pievt/sealed.h"
#include "tools/measure/latencies.h"

namespace pievt::bench {
namespace {

using measure::Line;
namespace fs = std::filesystem;

constexpr std::string_view name = "audit_bench";

// The runs that are measured, by the ends of their names.
const Batch large{"2026-04-01T10-00-00-000Z-00beef", 1000, 500, 0, 0};
const Batch other{"2026-04-02T10-00-00-000Z-00feed", 1000, 500, 0, 900};
const Batch page{"2026-04-03T10-00-00-000Z-00cafe", 100, 492, 0, 0};
const Batch texts{"2026-04-04T10-00-00-000Z-00face", 400, 10, 100'000, 0};

Batch smaller(Batch batch, bool quick) {
  if (!quick) return batch;
  batch.jobs /= 20;
  batch.other_from /= 20;
  return batch;
}

class Audit {
 public:
  Audit(const Asked& asked, const fs::path& directory)
      : quick_(asked.quick), pievt_(fs::absolute(asked.pievt).string()), directory_(directory) {}

  std::vector<Line> measure() {
    if (!go_on(name, "making a store of four imported batches")) return {};
    if (const Status made = make_store(); !made.ok()) {
      return {{.name = "audit.store",
               .work = "a store of imported batches",
               .durability = {},
               .skipped = made.error().what}};
    }
    const std::string million = fmt::format("a run of {} events", events_);
    if (!go_on(name, "verbs")) return {};
    verb("audit.help", "pievt --help", 30, {"--help"});
    verb("audit.audit", "audit, " + million, times(5), {"audit", large.id}, 1);
    verb("audit.why", "why of a failed job, " + million, times(20),
         {"why", large.id + "/" + job_name(3)}, 1);
    verb("audit.diff", "diff, two runs of so many", times(3), {"diff", large.id, other.id});
    rate(verb("audit.jsonl", "export jsonl, " + million, times(5),
              {"export", large.id, "--format", "jsonl"}),
         static_cast<double>(events_));
    rate(verb("audit.grep", "grep, no match, bytes of texts", times(5),
              {"grep", "No such file", texts.id}, 1),
         static_cast<double>(text_bytes_));
    html();
    seal();
    return std::move(lines_);
  }

 private:
  int times(int full) const { return quick_ ? std::min(full, 2) : full; }

  std::vector<std::string> words(std::vector<std::string> argv) const {
    argv.insert(argv.begin(), pievt_);
    argv.insert(argv.end(), {"--store", (directory_ / ".pievt").string()});
    return argv;
  }

  Status make_store() {
    for (const Batch& batch : {large, other, page, texts})
      PIEVT_TRY(write_batch(directory_ / "batches", smaller(batch, quick_)));
    PIEVT_TRY(run_program(words({"init"})));
    PIEVT_TRY(run_program(words({"import", (directory_ / "batches").string()})));
    const Log log = PIEVT_TRY(Log::open(directory_ / ".pievt", {.mode = OpenMode::read}));
    events_ = PIEVT_TRY(events_of(log, large.id));
    page_events_ = PIEVT_TRY(events_of(log, page.id));
    const Batch searched = smaller(texts, quick_);
    text_bytes_ = searched.jobs * 10 * searched.text_bytes;
    return {};
  }

  static Result<std::uint64_t> events_of(const Log& log, const std::string& id) {
    const auto run = PIEVT_TRY(open_run(log, id));
    return run->head().value;
  }

  Line& verb(std::string_view key, std::string work, int count, std::vector<std::string> argv,
             int exits = 0) {
    const std::vector<std::string> all = words(std::move(argv));
    const Act nothing = []() -> Result<std::uint64_t> { return std::uint64_t{0}; };
    return lines_.emplace_back(
        repeated(key, std::move(work), count, nothing, [&] { return run_program(all, exits); }));
  }

  static void rate(Line& line, double items) {
    if (line.latency) line.events_per_s = items / (line.latency->p50_us / 1e6);
  }

  void html() {
    const fs::path file = directory_ / "page.html";
    Line& line = verb("audit.html", fmt::format("export html, a run of {} events", page_events_),
                      times(5), {"export", page.id, "--format", "html", "-f", file.string()});
    if (line.latency)
      line.bytes_per_event =
          static_cast<double>(fs::file_size(file)) / static_cast<double>(page_events_);
  }

  // Sealed, and single events of the file, anywhere.
  void seal() {
    const fs::path file = directory_ / "run.pievt";
    Line& line = verb("audit.seal", fmt::format("seal, a run of {} events", events_), 1,
                      {"seal", large.id, "-f", file.string()});
    if (!line.latency) return;
    line.bytes_per_event = static_cast<double>(fs::file_size(file)) / static_cast<double>(events_);
    auto sealed = open_sealed(file);
    if (!sealed.ok()) return;
    std::mt19937_64 dice(7);
    const Act nothing = []() -> Result<std::uint64_t> { return std::uint64_t{0}; };
    lines_.push_back(
        repeated("audit.sealed.event", "one event of the sealed file, anywhere", times(200),
                 nothing, [&]() -> Result<std::uint64_t> {
                   const Revision at{1 + dice() % events_};
                   PIEVT_TRY((*sealed)->event(at, [](const EventView&) -> Status { return {}; }));
                   return std::uint64_t{0};
                 }));
  }

  bool quick_;
  std::string pievt_;
  fs::path directory_;
  std::uint64_t events_ = 0, page_events_ = 0, text_bytes_ = 0;
  std::vector<Line> lines_;
};

}  // namespace
}  // namespace pievt::bench

int main(int argc, char** argv) {
  using namespace pievt::bench;
  const auto asked = read_command_line(name, argc, argv);
  if (!asked) return 2;
  return run_bench(name, "pievt.audit_bench", *asked,
                   [&](const auto& directory) { return Audit(*asked, directory).measure(); });
}
