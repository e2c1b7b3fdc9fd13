// Runs for the audit's tests, told event by event into a store of their own.
#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "pievt/query.h"
#include "tests/store/log/temp_store.h"
#include "tools/audit/build.h"

namespace pievt::audit {

enum class Story : std::uint8_t { ok, provider_down, no_file, blocked, partial, skipped };

/// Tells a run job by job; times begin at a fixed moment and grow by 10 ms an event.
class RunMaker {
 public:
  RunMaker(Log& log, std::string id, std::string name, std::uint32_t jobs,
           std::uint64_t begin_ns = 1'700'000'000'000'000'000)
      : log_(log), id_(std::move(id)), now_ns_(begin_ns) {
    schema::RunPlannedT planned;
    planned.run_id = id_;
    planned.name = std::move(name);
    planned.kind = schema::RunKind::batch;
    planned.job_count = jobs;
    planned.concurrency = 2;
    planned.ruleset = "pievt-1";
    planned.pievt_version = "0.1.0";
    planned.cwd = "/srv/book";
    add(std::move(planned), {});
    for (std::uint32_t job = 1; job <= jobs; ++job) {
      schema::JobDeclaredT declared;
      declared.id = "j" + std::to_string(job);
      declared.model = "fake/scripted-1";
      declared.cwd = "/srv/book";
      if (job > 1) declared.depends_on.push_back(dependency(job - 1));
      add(std::move(declared), {.job = job});
    }
    add(schema::RunStartedT(), {});
  }

  void job(std::uint32_t number, Story story) {
    if (story == Story::skipped) {
      finish(number, schema::JobStatus::skipped, schema::FailureKind::dependency_failed,
             "it depends on a job that failed");
      return;
    }
    const Subject at{.job = number, .attempt = 1};
    schema::AttemptLaunchRequestedT requested;
    requested.model = "fake/scripted-1";
    requested.purpose = schema::AttemptPurpose::work;
    add(std::move(requested), at);
    add(schema::AttemptLaunchedT(), at);
    usage(at, story == Story::provider_down);
    if (story == Story::blocked || story == Story::partial) report(at, story);
    schema::AttemptExitedT exited;
    exited.knowledge = schema::ExitKnowledge::observed;
    add(std::move(exited), at);
    schema::AttemptClassifiedT classified;
    classified.ruleset = "pievt-1";
    const bool down = story == Story::provider_down;
    classified.ending = down ? schema::Ending::failed : schema::Ending::ok;
    classified.failure = down ? schema::FailureKind::provider_transient : schema::FailureKind::none;
    classified.provider =
        down ? schema::ProviderFailure::server_error : schema::ProviderFailure::none;
    classified.http_status = down ? 500 : 0;
    classified.error = down ? "500 down" : "";
    classified.reason = down ? "error: 500 down" : "30 characters";
    add(std::move(classified), at);
    if (story == Story::no_file) gate(at);
    judge(number, story);
  }

  void finish_run() {
    schema::RunFinishedT finished;
    finished.ending = failed_ ? schema::RunEnding::failed : schema::RunEnding::succeeded;
    add(std::move(finished), {});
    append();
  }

  /// Everything told so far, into the store.
  void append() {
    if (events_.empty()) return;
    const auto done = log_.append(run_stream(id_), Expected::any(), std::move(events_));
    EXPECT_TRUE(done.ok()) << done.error().what;
    events_.clear();
  }

  template <class Event>
  void add(Event event, Subject subject) {
    now_ns_ += 10'000'000;
    events_.push_back({.payload = std::move(event), .subject = subject, .occurred_ns = now_ns_});
  }

 private:
  static std::unique_ptr<schema::JobDependencyT> dependency(std::uint32_t job) {
    auto made = std::make_unique<schema::JobDependencyT>();
    made->job = job;
    return made;
  }

  void usage(Subject at, bool down) {
    schema::UsageRecordedT recorded;
    recorded.provider = "fake";
    recorded.model = "scripted-1";
    recorded.stop_reason = down ? "error" : "stop";
    recorded.error = down ? "500 down" : "";
    recorded.reported = down ? schema::Reported::not_reported : schema::Reported::reported;
    if (!down) {
      recorded.usage = std::make_unique<schema::UsageT>();
      recorded.usage->input_tokens = 900;
      recorded.usage->output_tokens = 100;
      recorded.usage->total_tokens = 1000;
      recorded.usage->cost_nanodollars = 2'000'000;
    }
    add(std::move(recorded), at);
  }

  void report(Subject at, Story story) {
    schema::ReportSubmittedT submitted;
    submitted.status =
        story == Story::blocked ? schema::ReportStatus::blocked : schema::ReportStatus::partial;
    submitted.summary = "Half of it.";
    if (story == Story::blocked) submitted.requests.emplace_back("Upload source.pdf");
    add(std::move(submitted), at);
  }

  void gate(Subject at) {
    at.gate = ++gates_;
    schema::GateOpenedT opened;
    opened.kind = schema::GateKind::acceptance;
    add(std::move(opened), at);
    schema::GateDecidedT decided;
    decided.decision = schema::GateDecision::failed;
    auto check = std::make_unique<schema::CheckT>();
    check->kind = "requiredPaths";
    check->target = "out/j" + std::to_string(at.job) + ".md";
    check->status = schema::CheckStatus::failed;
    check->expected = "a file";
    check->actual = "missing";
    check->failure = "missing";
    decided.checks.push_back(std::move(check));
    add(std::move(decided), at);
  }

  void judge(std::uint32_t number, Story story) {
    schema::JobStatus status = schema::JobStatus::failed;
    schema::FailureKind failure = schema::FailureKind::acceptance_failed;
    std::string reason = "requiredPaths out/j" + std::to_string(number) + ".md: missing";
    if (story == Story::ok || story == Story::partial) {
      status = schema::JobStatus::succeeded;
      failure = schema::FailureKind::none;
      reason = "final message";
    } else if (story == Story::provider_down) {
      failure = schema::FailureKind::provider_transient;
      reason = "error: 500 down";
    } else if (story == Story::blocked) {
      status = schema::JobStatus::blocked;
      failure = schema::FailureKind::none;
      reason = "needs a person: Upload source.pdf";
    }
    schema::JobJudgedT judged;
    judged.status = status;
    judged.failure = failure;
    judged.ruleset = "pievt-1";
    judged.reason = reason;
    judged.retry = schema::RetryDecision::exhausted;
    add(std::move(judged), {.job = number, .attempt = 1});
    finish(number, status, failure, reason);
  }

  void finish(std::uint32_t number, schema::JobStatus status, schema::FailureKind failure,
              std::string reason) {
    failed_ = failed_ || status != schema::JobStatus::succeeded;
    schema::JobFinishedT finished;
    finished.status = status;
    finished.failure = failure;
    finished.reason = std::move(reason);
    add(std::move(finished), {.job = number});
  }

  Log& log_;
  std::string id_;
  std::uint64_t now_ns_;
  std::vector<NewEvent> events_;
  std::uint32_t gates_ = 0;
  bool failed_ = false;
};

class AuditOfAStore : public testing::Test {
 protected:
  AuditOfAStore() : log_(make()) {}

  Material gathered(std::string_view run) {
    auto material = gather(log_, run);
    EXPECT_TRUE(material.ok()) << material.error().what;
    return material.ok() ? std::move(material).value() : Material();
  }
  RunReport audited(std::string_view run) { return build_report(gathered(run), {}); }

  TempDirectory directory_;
  Log log_;

 private:
  Log make() {
    auto log = Log::open(directory_.path() / "store", {.mode = OpenMode::create});
    EXPECT_TRUE(log.ok()) << log.error().what;
    return std::move(log).value();
  }
};

}  // namespace pievt::audit
