// A batch of pi-jobs as a run: the small one beside this file whole, grown, and damaged in every
// way that was seen.
#include <functional>

#include "pievt/output.h"
#include "tests/tools/importers/testing.h"

namespace pievt::tools {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

void expect_sample(const RunState& run) {
  EXPECT_EQ(run.phase, state::RunPhase::finished);
  EXPECT_EQ(run.ending, schema::RunEnding::failed);
  EXPECT_EQ(run.ruleset, "pi-jobs-0.5");
  ASSERT_EQ(run.jobs.size(), 2u);
  const JobState &tides = *run.jobs[0], &clocks = *run.jobs[1];
  EXPECT_EQ(tides.id, "tides");
  EXPECT_EQ(tides.status, schema::JobStatus::succeeded);
  ASSERT_EQ(tides.attempts.size(), 1u);
  EXPECT_EQ(tides.attempts[0]->tool_calls, 1u);
  EXPECT_EQ(tides.attempts[0]->tools_open, 0u);
  EXPECT_EQ(tides.attempts[0]->turns, 2u);
  EXPECT_EQ(tides.attempts[0]->final_excerpt, "The table is right.");
  EXPECT_EQ(tides.usage->total_tokens, 250u);
  EXPECT_EQ(tides.usage->cost_nanodollars, 3'000'000);
  EXPECT_EQ(clocks.status, schema::JobStatus::failed);
  EXPECT_EQ(clocks.failure, schema::FailureKind::acceptance_failed);
  EXPECT_EQ(clocks.reason, "out/clocks.md is missing");
  ASSERT_EQ(clocks.attempts.size(), 2u);
  EXPECT_EQ(clocks.attempts[0]->failure, schema::FailureKind::provider_transient);
  EXPECT_EQ(clocks.attempts[0]->last_error, "503 overloaded");
  EXPECT_EQ(clocks.attempts[1]->ending, schema::Ending::ok);
  EXPECT_EQ(clocks.attempts[1]->retry_of, 1u);
  EXPECT_EQ(run.gates.size(), 2u);
}

TEST_F(PiJobsImport, ABatchIsARunWithItsOwnTimes) {
  Log log = open();
  const ImportReport report = import(&log);
  ASSERT_EQ(report.runs.size(), 1u);
  EXPECT_THAT(kinds_of(report.runs[0].anomalies), IsEmpty());
  EXPECT_EQ(report.runs[0].records, 15u);
  const RunState run = state(log);
  expect_sample(run);
  constexpr std::uint64_t begin_ns = 1'772'445'600'000'000'000;  // 2026-03-02T10:00:00Z
  EXPECT_EQ(run.started_ns, begin_ns);
  EXPECT_EQ(run.finished_ns, begin_ns + 2'405'000'000);
  EXPECT_EQ(run.jobs[0]->attempts[0]->duration_ms, 895u);
  // Halfway the first job has succeeded and the second waits for its retry.
  const auto halfway = revision_at(log, sample_id, begin_ns + 1'550'000'000);
  ASSERT_TRUE(halfway.ok());
  const auto then = load_run(log, sample_id, *halfway);
  ASSERT_TRUE(then.ok());
  EXPECT_EQ(then->jobs[0]->status, schema::JobStatus::succeeded);
  EXPECT_EQ(then->jobs[1]->phase, state::JobPhase::backoff);
}

TEST_F(PiJobsImport, TextsAndOutputAreInTheStore) {
  Log log = open();
  import(&log);
  const RunState run = state(log);
  const auto final = log.get_blob(*run.jobs[0]->attempts[0]->final_message);
  ASSERT_TRUE(final.ok());
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(final->data()), final->size()),
            "The table is right.\nNo blockers.");
  std::string stderr_text;
  const auto size =
      read_output(log, {sample_id, 2, 2, schema::OutputChannel::stderr}, *run.jobs[1]->attempts[1],
                  [&](std::span<const std::byte> bytes) -> Status {
                    stderr_text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
                    return {};
                  });
  ASSERT_TRUE(size.ok()) << size.error().what;
  EXPECT_EQ(stderr_text, "slow disk\n");
}

TEST_F(PiJobsImport, ASecondTimeAddsNothing) {
  Log log = open();
  import(&log);
  const Sequence head = log.head();
  const ImportReport again = import(&log);
  EXPECT_EQ(again.runs[0].outcome, RunImport::unchanged);
  EXPECT_EQ(log.head(), head);
  // Nor does the same batch under another path.
  fs::rename(source_, directory_.path() / "moved");
  import(&log, directory_.path() / "moved" / sample_id);
  EXPECT_EQ(log.head(), head);
}

TEST_F(PiJobsImport, APreviewWritesNothingAndSaysTheSame) {
  const ImportReport preview = import(nullptr);
  Log log = open();
  const Sequence before = log.head();
  import(nullptr);
  EXPECT_EQ(log.head(), before);
  const ImportReport report = import(&log);
  EXPECT_EQ(preview.runs[0].jobs, report.runs[0].jobs);
  // The preview stores no output and so has not its events.
  EXPECT_EQ(preview.runs[0].events + 1, report.runs[0].events);
}

// The batch as it was after `records` lines of its log: snapshots say "running", and only attempts
// that had ended have left their record.
void turn_back(const fs::path& batch, std::size_t records) {
  std::string log = slurp(batch / "events.jsonl");
  std::size_t end = 0;
  for (std::size_t i = 0; i < records; ++i) end = log.find('\n', end) + 1;
  log.resize(end);
  spill(batch / "events.jsonl", log);
  replace(batch / "batch.json", "\"status\": \"error\"", "\"status\": \"running\"");
  replace(batch / "batch.json", "\"finishedAt\": \"2026-03-02T10:00:02.405Z\"",
          "\"finishedAt\": null");
  fs::remove(batch / "summary.md");
  for (const std::string job : {"tides", "clocks"}) {
    const std::string name = "jobs/" + job + ".json";
    const bool over = records >= (job == "tides" ? 7u : 14u);  // its last end is written
    if (over) continue;
    spill(batch / name, "{\"schemaVersion\":1,\"batchId\":\"" + std::string(sample_id) +
                            "\",\"jobId\":\"" + job + "\",\"name\":\"Check " + job +
                            "\",\"prompt\":\"Check " + job +
                            ".md.\",\"cwd\":\"/srv/book\",\"timeoutMs\":60000,\"status\":"
                            "\"running\",\"finalStatus\":null,\"failureKind\":\"none\","
                            "\"acceptanceContract\":{\"requiredPaths\":[\"out/" +
                            job +
                            ".md\"]},\"attempts\":[],\"queuedAt\":\"2026-03-02T10:00:00.001Z\","
                            "\"metadata\":{\"part\":\"one\"}}\n");
    for (int attempt = 1; attempt <= 2; ++attempt) {
      const std::string id = job + "-a" + std::to_string(attempt);
      const fs::path files = batch / "attempts" / job / ("attempt-" + std::to_string(attempt));
      if (log.find("\"attemptId\":\"" + id + "\",\"status\"") == std::string::npos)
        fs::remove_all(files);
    }
  }
}

TEST_F(PiJobsImport, ABatchThatGrewGoesOn) {
  for (std::size_t records = 0; records < 15; ++records) {
    SCOPED_TRACE(records);
    TempDirectory place;
    const fs::path young = place.path() / sample_id;
    fs::copy(batch_, young, fs::copy_options::recursive);
    turn_back(young, records);
    auto opened = Log::open(place.path() / "store", {.mode = OpenMode::create});
    ASSERT_TRUE(opened.ok());
    Log& log = *opened;
    const ImportReport first = import(&log, young);
    EXPECT_THAT(kinds_of(first.runs[0].anomalies), testing::Contains(ImportAnomaly::unfinished));
    EXPECT_NE(state(log).phase, state::RunPhase::finished);
    const ImportReport then = import(&log, batch_);
    EXPECT_EQ(then.runs[0].outcome, RunImport::continued);
    EXPECT_THAT(kinds_of(then.runs[0].anomalies), IsEmpty());
    expect_sample(state(log));
    const Sequence head = log.head();
    import(&log, batch_);
    EXPECT_EQ(log.head(), head);
  }
}

struct Damage {
  const char* name;
  std::function<void(const fs::path&)> make;
  std::vector<ImportAnomaly> found;
};

const std::vector<Damage>& damages() {
  using Path = const fs::path&;
  static const std::vector<Damage> all = {
      {"no batch.json",
       [](Path b) { fs::remove(b / "batch.json"); },
       {ImportAnomaly::missing_file}},
      {"no log", [](Path b) { fs::remove(b / "events.jsonl"); }, {ImportAnomaly::missing_file}},
      {"no job", [](Path b) { fs::remove(b / "jobs/tides.json"); }, {ImportAnomaly::missing_file}},
      {"no attempt.json",
       [](Path b) { fs::remove(b / "attempts/tides/attempt-1/attempt.json"); },
       {ImportAnomaly::missing_file}},
      {"no attempt",
       [](Path b) { fs::remove_all(b / "attempts/tides"); },
       {ImportAnomaly::missing_file, ImportAnomaly::missing_file}},
      {"bad batch.json",
       [](Path b) { spill(b / "batch.json", "{\"schemaVer"); },
       {ImportAnomaly::not_json}},
      {"bad job", [](Path b) { spill(b / "jobs/tides.json", "[1]"); }, {ImportAnomaly::not_json}},
      {"other schema",
       [](Path b) { replace(b / "batch.json", "\"schemaVersion\": 1", "\"schemaVersion\": 2"); },
       {ImportAnomaly::unknown_version}},
      {"other batch",
       [](Path b) { replace(b / "batch.json", "\"batchId\": \"2026", "\"batchId\": \"2025"); },
       {ImportAnomaly::foreign}},
      {"unknown status",
       [](Path b) {
         replace(b / "jobs/tides.json", "\"status\": \"success\"", "\"status\": \"fine\"");
       },
       {ImportAnomaly::unknown_value, ImportAnomaly::contradiction}},
      {"unknown type",
       [](Path b) { replace(b / "events.jsonl", "\"job_activity\"", "\"job_dreamt\""); },
       {ImportAnomaly::unknown_type}},
      {"no time",
       [](Path b) { replace(b / "events.jsonl", "2026-03-02T10:00:00.300Z", "start"); },
       {ImportAnomaly::bad_time}},
      {"a number twice",
       [](Path b) { replace(b / "events.jsonl", "\"seq\":5", "\"seq\":4"); },
       {ImportAnomaly::duplicate}},
      {"garbage",
       [](Path b) {
         replace(b / "events.jsonl", "{\"schemaVersion\":1,\"seq\":6", "{\"schemaVersi,\"seq\":6");
       },
       {ImportAnomaly::not_json, ImportAnomaly::unfinished, ImportAnomaly::unfinished}},
      {"left behind",
       [](Path b) { spill(b / "batch.json.1.2.tmp", "{"); },
       {ImportAnomaly::stray_file}},
      {"a link",
       [](Path b) { fs::create_symlink("/etc/passwd", b / "summary.txt"); },
       {ImportAnomaly::unreadable}},
      {"a job otherwise",
       [](Path b) {
         replace(b / "jobs/tides.json", "\"status\": \"success\"", "\"status\": \"error\"");
       },
       {ImportAnomaly::contradiction}},
      {"an end otherwise",
       [](Path b) {
         replace(b / "batch.json", "\"status\": \"error\"", "\"status\": \"success\"");
       },
       {ImportAnomaly::contradiction}},
  };
  return all;
}

TEST_F(PiJobsImport, EachDamageHasItsDiagnosisAndHidesNothing) {
  for (const Damage& damage : damages()) {
    SCOPED_TRACE(damage.name);
    TempDirectory place;
    const fs::path damaged = place.path() / sample_id;
    fs::copy(batch_, damaged, fs::copy_options::recursive);
    damage.make(damaged);
    auto log = Log::open(place.path() / "store", {.mode = OpenMode::create});
    ASSERT_TRUE(log.ok());
    const ImportReport report = import(&*log, damaged);
    ASSERT_EQ(report.runs.size(), 1u);
    EXPECT_EQ(kinds_of(report.runs[0].anomalies), damage.found);
    const RunState run = state(*log);
    EXPECT_EQ(run.jobs.size(), 2u);
    EXPECT_EQ(run.phase, state::RunPhase::finished);
    std::size_t stored = 0;
    for (auto reader = log->read_stream(run_stream(sample_id), {1}); reader.next();)
      stored += reader.event().type() == schema::Payload::ImportAnomalyFound ? 1u : 0u;
    EXPECT_EQ(stored, damage.found.size());
    // And the diagnosis of the same damage does not grow by being made again.
    const Sequence head = log->head();
    import(&*log, damaged);
    EXPECT_EQ(log->head(), head);
  }
}

TEST_F(PiJobsImport, EmptyDirectoriesAndStrangeFilesAreListed) {
  fs::create_directory(source_ / "2026-03-03T10-00-00-000Z-ffffff");
  spill(source_ / "notes.txt", "hello");
  Log log = open();
  const ImportReport report = import(&log);
  ASSERT_EQ(report.runs.size(), 2u);
  EXPECT_THAT(kinds_of(report.runs[1].anomalies),
              ElementsAre(ImportAnomaly::missing_file, ImportAnomaly::missing_file));
  EXPECT_EQ(state(log, "2026-03-03T10-00-00-000Z-ffffff").phase, state::RunPhase::planned);
  EXPECT_THAT(kinds_of(report.anomalies), ElementsAre(ImportAnomaly::stray_file));
}

TEST_F(PiJobsImport, ALogCutAnywhereIsRead) {
  const std::string whole = slurp(batch_ / "events.jsonl");
  for (std::size_t size = 0; size < whole.size(); size += 3) {
    spill(batch_ / "events.jsonl", whole.substr(0, size));
    const ImportReport report = import(nullptr);
    ASSERT_EQ(report.runs.size(), 1u) << "cut at " << size;
    // Snapshots tell what the log has lost.
    EXPECT_EQ(report.runs[0].jobs,
              (std::map<std::string, std::uint32_t>{{"error", 1}, {"success", 1}}))
        << "cut at " << size;
    EXPECT_EQ(report.runs[0].attempts, 3u) << "cut at " << size;
  }
}

}  // namespace
}  // namespace pievt::tools
