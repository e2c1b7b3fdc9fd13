// What else a batch's files tell: labels, throttles, reports, whole calls, and how work really
// ended.
#include "tests/tools/importers/testing.h"

namespace pievt::tools {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// What the log told people while the batch ran: labels of activity and how much ran at once.
TEST_F(PiJobsImport, LabelsAndThrottlesAreEvents) {
  std::string log_text = slurp(batch_ / "events.jsonl");
  const std::size_t end = log_text.rfind("{\"schemaVersion\":1,\"seq\":15");
  ASSERT_NE(end, std::string::npos);
  log_text = log_text.substr(0, end) +
             "{\"schemaVersion\":1,\"seq\":15,\"at\":\"2026-03-02T10:00:02.403Z\",\"type\":"
             "\"throttle_decision\",\"batchId\":\"" +
             sample_id +
             "\",\"data\":{\"previousConcurrency\":4,\"nextConcurrency\":2,\"transientRate\":0.5,"
             "\"reason\":\"transient failure threshold exceeded\"}}\n" +
             log_text.substr(end).replace(log_text.substr(end).find("\"seq\":15"), 8, "\"seq\":16");
  spill(batch_ / "events.jsonl", log_text);
  Log log = open();
  const ImportReport report = import(&log);
  EXPECT_THAT(kinds_of(report.runs[0].anomalies), IsEmpty());
  std::vector<schema::ProgressReportedT> labels;
  std::vector<schema::ThrottleChangedT> steps;
  for (auto reader = log.read_stream(run_stream(sample_id), {1}); reader.next();) {
    auto payload = unpack(reader.event());
    if (auto* label = payload->as<schema::ProgressReportedT>()) labels.push_back(*label);
    if (auto* step = payload->as<schema::ThrottleChangedT>()) steps.push_back(*step);
  }
  ASSERT_FALSE(labels.empty());
  EXPECT_EQ(labels[0].source, "pi-jobs");
  EXPECT_FALSE(labels[0].text.empty());
  ASSERT_EQ(steps.size(), 1u);
  EXPECT_EQ(steps[0].from, 4u);
  EXPECT_EQ(steps[0].to, 2u);
  EXPECT_EQ(steps[0].reason, schema::ThrottleReason::imported);
  EXPECT_EQ(steps[0].detail, "transient failure threshold exceeded, 50 % of its window");
  EXPECT_EQ(state(log).concurrency_now, 2u);
}

std::string report_of(std::string_view job, std::string_view attempt, std::string_view status) {
  return "{\"schemaVersion\":1,\"jobId\":\"" + std::string(job) + "\",\"attemptId\":\"" +
         std::string(attempt) + "\",\"status\":\"" + std::string(status) +
         "\",\"summary\":\"Cannot go on.\",\"userActionRequired\":\"Upload source.pdf\"}";
}

TEST_F(PiJobsImport, ReportsAreEventsAndBadOnesAreRefused) {
  spill(batch_ / "attempts/tides/attempt-1/job-report.json",
        report_of("tides", "tides-a1", "blocked"));
  spill(batch_ / "attempts/clocks/attempt-1/job-report.json",
        report_of("tides", "tides-a1", "completed"));
  spill(batch_ / "attempts/clocks/attempt-2/job-report.json",
        report_of("clocks", "clocks-a1", "completed"));
  Log log = open();
  import(&log);
  const RunState run = state(log);
  const AttemptState& tides = *run.jobs[0]->attempts[0];
  EXPECT_EQ(tides.report_status, schema::ReportStatus::blocked);
  EXPECT_EQ(tides.report_summary, "Cannot go on.");
  EXPECT_THAT(tides.requests, ElementsAre("Upload source.pdf"));
  std::size_t refused = 0;
  for (auto reader = log.read_stream(run_stream(sample_id), {1}); reader.next();) {
    if (reader.event().type() != schema::Payload::ReportRefused) continue;
    EXPECT_EQ(reader.event().head().job(), 2u);
    ++refused;
  }
  EXPECT_EQ(refused, 2u) << "of another job, and of another attempt";
  EXPECT_EQ(run.jobs[1]->attempts[0]->report_status, schema::ReportStatus::unknown);
  const Sequence head = log.head();
  import(&log);
  EXPECT_EQ(log.head(), head);
}

// A session has whole calls with ids; where it does, telemetry's previews are not told again.
TEST_F(PiJobsImport, CallsOfASessionAreWhole) {
  const fs::path session = batch_ / "attempts/tides/attempt-1/session.jsonl";
  replace(session, "\"content\":[]",
          "\"content\":[{\"type\":\"toolCall\",\"id\":\"c7\",\"name\":\"write\",\"arguments\":"
          "{\"path\":\"out/tides.md\",\"content\":\"high\"}}]");
  std::string text = slurp(session);
  const std::size_t last = text.rfind("{\"type\":\"message\"");
  text.insert(last,
              "{\"type\":\"message\",\"timestamp\":\"2026-03-02T10:00:00.310Z\",\"message\":{"
              "\"role\":\"toolResult\",\"toolCallId\":\"c7\",\"toolName\":\"write\","
              "\"content\":[{\"type\":\"text\",\"text\":\"no room\"}],\"isError\":true}}\n");
  spill(session, text);
  Log log = open();
  import(&log);
  const RunState run = state(log);
  EXPECT_EQ(run.jobs[0]->attempts[0]->tool_calls, 1u);
  EXPECT_EQ(run.jobs[0]->attempts[0]->tool_errors, 1u);
  EXPECT_EQ(run.jobs[0]->attempts[0]->tools_open, 0u);
  for (auto reader = log.read_stream(run_stream(sample_id), {1}); reader.next();) {
    if (reader.event().type() != schema::Payload::ToolCallStarted) continue;
    const auto* call = reader.event().envelope->payload_as_ToolCallStarted();
    EXPECT_EQ(call->call_id()->str(), "c7");
    EXPECT_EQ(call->subject()->str(), "out/tides.md");
    const auto arguments = log.get_blob(*call->arguments());
    ASSERT_TRUE(arguments.ok());
    EXPECT_EQ(arguments->size(),
              std::string_view(R"({"path":"out/tides.md","content":"high"})").size());
  }
}

// The zeros of a failed request are no usage; its report tool says "refused" in its details alone.
TEST_F(PiJobsImport, WhatNobodyCountedIsNotZero) {
  const fs::path session = batch_ / "attempts/clocks/attempt-1/session.jsonl";
  std::string text = slurp(session);
  text +=
      "{\"type\":\"message\",\"timestamp\":\"2026-03-02T10:00:01.400Z\",\"message\":{\"role\":"
      "\"toolResult\",\"toolCallId\":\"c9\",\"toolName\":\"job_report\",\"content\":[{\"type\":"
      "\"text\",\"text\":\"jobId must be "
      "clocks\"}],\"details\":{\"ok\":false},\"isError\":false}}\n";
  spill(session, text);
  Log log = open();
  import(&log);
  const AttemptState first = std::move(*state(log).jobs[1]->attempts[0]);
  EXPECT_EQ(first.usage->requests, 1u);
  EXPECT_EQ(first.usage->unreported, 1u);
  std::string refused;
  for (auto reader = log.read_stream(run_stream(sample_id), {1}); reader.next();) {
    if (const auto* event = reader.event().envelope->payload_as_ReportRefused())
      refused = event->reason()->str();
  }
  EXPECT_EQ(refused, "jobId must be clocks");
}

// pi-jobs was content with any last message; what it really was is told, so that it can be judged.
TEST_F(PiJobsImport, AnEndingIsWhatTheSessionShows) {
  const auto ending_with = [&](const std::string& stop, const std::string& content) {
    TempDirectory place;
    const fs::path batch = place.path() / sample_id;
    fs::copy(batch_, batch, fs::copy_options::recursive);
    const fs::path session = batch / "attempts/tides/attempt-1/session.jsonl";
    replace(session, "\"stopReason\":\"stop\"", "\"stopReason\":\"" + stop + "\"");
    replace(session, "{\"type\":\"text\",\"text\":\"The table is right.\\nNo blockers.\"}",
            content);
    auto log = Log::open(place.path() / "store", {.mode = OpenMode::create});
    EXPECT_TRUE(log.ok());
    import(&*log, batch);
    const RunState run = state(*log);
    EXPECT_EQ(run.jobs[0]->status, schema::JobStatus::succeeded) << "as pi-jobs recorded it";
    return run.jobs[0]->attempts[0]->ending;
  };
  const std::string text = "{\"type\":\"text\",\"text\":\"done\"}";
  EXPECT_EQ(ending_with("stop", text), schema::Ending::ok);
  EXPECT_EQ(ending_with("length", text), schema::Ending::truncated);
  EXPECT_EQ(ending_with("stop", ""), schema::Ending::empty);
  EXPECT_EQ(ending_with("stop", "{\"type\":\"text\",\"text\":\" \"}"), schema::Ending::empty);
  EXPECT_EQ(ending_with("stop", "{\"type\":\"thinking\",\"thinking\":\"x\"}"),
            schema::Ending::thinking_only);
}

}  // namespace
}  // namespace pievt::tools
