// What the record of a batch says about attempts.
#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "supervisor/capture/excerpt.h"
#include "supervisor/capture/provider_word.h"
#include "supervisor/pi/worker_report.h"
#include "tools/importers/harmless_line.h"
#include "tools/importers/pi_jobs_story.h"

namespace pievt::tools::pi_jobs {

using namespace schema;  // NOLINT(google-build-using-namespace): every name below is an event
using state::AttemptPhase;
using state::JobPhase;
using state::RunPhase;
using supervisor::one_line;

Status RunStory::request(const Step& step) {
  requested_ns_[{step.job, step.attempt}] = step.at_ns;
  begun_[step.job] = std::max(begun_[step.job], step.attempt);
  if (attempt_state(step) != nullptr) {  // it was told before
    if (step.ran) launched(step);
    return {};
  }
  reopen(step);
  const SourceFile* prompt = nullptr;
  AttemptLaunchRequestedT requested;
  requested.mode = AttemptMode::json;
  requested.purpose = AttemptPurpose::work;
  requested.model = batch_.model;
  requested.thinking = batch_.thinking;
  requested.retry_of = step.attempt > 1 ? step.attempt - 1 : 0;
  if (step.job != 0 && step.job <= batch_.jobs.size()) {
    const JobRecord& job = batch_.jobs[step.job - 1];
    requested.cwd = job.cwd;
    requested.timeout_ms = job.timeout_ms;
    requested.directory = attempt_directory(job.id, step.attempt);
    prompt = files_.find(requested.directory + "worker-prompt.md");
    if (prompt != nullptr) requested.prompt = PIEVT_TRY(blobs_.put(prompt->text(), BlobKind::text));
  }
  if (tell(std::move(requested), step.at_ns, about(step)) && prompt != nullptr)
    tell_secrets(prompt->text(), SecretPlace::prompt, "prompt", step.at_ns, about(step));
  if (step.ran) launched(step);
  return {};
}

// The record says when an attempt was begun and not when its process was: that it did, it shows.
void RunStory::launched(const Step& step) {
  const AttemptState* attempt = attempt_state(step);
  if (attempt == nullptr || attempt->phase != AttemptPhase::launch_requested) return;
  tell(AttemptLaunchedT{}, requested_ns_[{step.job, step.attempt}], about(step));
}

void RunStory::activity(const Step& step) {
  launched(step);
  if (attempt_state(step) == nullptr || step.record == nullptr) return;
  ProgressReportedT progress;
  progress.source = "pi-jobs";
  progress.label = step.record->kind;
  progress.text = step.record->label;
  if (!step.record->text.empty())
    progress.text = one_line(fmt::format("{}: {}", progress.text, step.record->text));
  tell(std::move(progress), step.at_ns, about(step));
}

void RunStory::throttle(const Step& step) {
  if (step.record == nullptr || teller_.state().phase == RunPhase::finished) return;
  ThrottleChangedT changed;
  changed.from = step.record->from;
  changed.to = step.record->to;
  changed.reason = ThrottleReason::imported;
  changed.detail = step.record->text;
  tell(std::move(changed), step.at_ns, {});
}

// The report as it was found when the attempt had ended; one that could not be read is told as
// refused, because pi-jobs went on without it.
Status RunStory::report(const Step& step) {
  const JobRecord& job = batch_.jobs[step.job - 1];
  const SourceFile* file = files_.find(attempt_directory(job.id, step.attempt) + "job-report.json");
  if (file == nullptr) return {};
  auto body = PIEVT_TRY(blobs_.put(file->text(), BlobKind::json));
  auto read = pi::read_worker_report(file->text(), job.id);
  const std::string expected = fmt::format("{}-a{}", job.id, step.attempt);
  if (read.ok() && !read->attempt.empty() && read->attempt != expected) {
    read = Error{Errc::invalid,
                 fmt::format("it is the report of another attempt, {}", one_line(read->attempt))};
  }
  if (!read.ok()) {
    ReportRefusedT refused;
    refused.reason = one_line(read.error().what);
    refused.report = std::move(body);
    tell(std::move(refused), step.at_ns, about(step));
    return {};
  }
  ReportSubmittedT submitted;
  submitted.status = report_status(read->status);
  submitted.summary = harmless_line(read->summary);
  submitted.report = std::move(body);
  submitted.deliverables = static_cast<std::uint32_t>(read->deliverables.size());
  if (!read->user_action.empty()) submitted.requests.push_back(harmless_line(read->user_action));
  tell(std::move(submitted), step.at_ns, about(step));
  return {};
}

// A signal of pi-jobs itself: it sent TERM at its timeout and when the whole call was given up.
void RunStory::stopped(const Step& step, const std::string& status, const std::string& failure) {
  AttemptStopRequestedT stop;
  stop.signal = 15;
  stop.step = 1;
  if (failure == "worker_stalled") {
    stop.reason = StopReason::deadline;
  } else if (status == "aborted") {
    stop.reason = StopReason::run_stopped;
  } else {
    return;
  }
  tell(stop, step.at_ns, about(step));
}

// What its last message shows, where pi-jobs was content that there was one.
Ending RunStory::refined(Ending ending, const Step& step) const {
  const auto found = finals_.find({step.job, step.attempt});
  if (ending != Ending::ok || found == finals_.end()) return ending;
  const FinalMessageObservedT& final = found->second.what;
  if (final.stop_reason == "length") return Ending::truncated;
  if (!found->second.blank) return Ending::ok;
  if (final.tool_calls > 0) return Ending::tool_only;
  return final.thinking_parts > 0 ? Ending::thinking_only : Ending::empty;
}

void RunStory::reopen(const Step& step) {
  const JobState* job = job_state(step);
  if (job == nullptr || job->phase != JobPhase::finished) return;
  JobReopenedT reopened;
  reopened.reason = "its record goes on";
  tell(std::move(reopened), step.at_ns, {.job = step.job});
}

void RunStory::retry(const Step& step) {
  const JobState* job = job_state(step);
  // Known already where its attempt is.
  if (job != nullptr && step.attempt != 0 && job->attempts.size() >= step.attempt) return;
  reopen(step);
  JobRetryScheduledT scheduled;
  scheduled.attempt = step.attempt;
  scheduled.delay_ms = step.delay_ms;
  // Only where the record has a time: the event must say the same when more of it is known.
  const std::uint64_t said_ns = step.record == nullptr ? 0 : step.record->at_ns;
  if (said_ns != 0 && step.delay_ms < 1'000'000'000)
    scheduled.not_before_ns = said_ns + step.delay_ms * 1'000'000;
  scheduled.failure = failure_kind(step.failure).value_or(FailureKind::unknown);
  tell(std::move(scheduled), step.at_ns, {.job = step.job});
}

Status RunStory::finish_attempt(const Step& step) {
  if (teller_.knew_end_of(step.job, step.attempt) || attempt_state(step) == nullptr) return {};
  const AttemptRecord record = record_of(step);
  const std::string failure = step.failure.empty() ? record.failure : step.failure;
  const std::string status = step.status.empty() ? record.status : step.status;
  const bool never_ran = failure == "launch_error";
  AttemptClassifiedT classified;
  if (never_ran) {
    AttemptLaunchFailedT failed;
    failed.error = one_line(record.error);
    tell(std::move(failed), step.at_ns, about(step));
  } else {
    launched(step);
    stopped(step, status, failure);
    classified.stdout_bytes = PIEVT_TRY(output(step, OutputChannel::stdout, "stdout.jsonl"));
    classified.stderr_bytes = PIEVT_TRY(output(step, OutputChannel::stderr, "stderr.txt"));
    AttemptExitedT exited;
    exited.knowledge = record.exit_code ? ExitKnowledge::observed : ExitKnowledge::ended_unobserved;
    exited.exit_code = record.exit_code.value_or(0);
    tell(std::move(exited), step.at_ns, about(step));
  }
  PIEVT_TRY(report(step));
  PIEVT_TRY(artifacts(attempt_directory(batch_.jobs[step.job - 1].id, step.attempt), step.at_ns,
                      about(step)));
  classified.ending =
      refined(ending_of(status, record.failure, record.stop_reason, record.saw_final), step);
  classified.provider = ProviderFailure::none;
  if (classified.ending == Ending::failed) {
    classified.provider = supervisor::provider_word(pi::classify_provider_failure(record.error));
    classified.http_status =
        static_cast<std::uint32_t>(pi::http_status_in(record.error).value_or(0));
  }
  classified.failure = failure_kind(failure).value_or(FailureKind::unknown);
  classified.ruleset = std::string(ruleset);
  classified.stop_reason = one_line(record.stop_reason);
  classified.error = one_line(record.error);
  classified.reason =
      fmt::format("pi-jobs recorded it as {}", status.empty() ? "nothing" : one_line(status));
  tell(std::move(classified), step.at_ns, about(step));
  return {};
}

Result<std::uint64_t> RunStory::output(const Step& step, OutputChannel channel,
                                       std::string_view name) {
  const SourceFile* file = files_.find(
      attempt_directory(batch_.jobs[step.job - 1].id, step.attempt) + std::string(name));
  if (file == nullptr || is_placeholder(file->text())) return std::uint64_t{0};
  if (blobs_.log() != nullptr && file->bytes.size() != 0) {
    OutputWriter writer({batch_.id, step.job, step.attempt, channel});
    auto chunks =
        PIEVT_TRY(writer.write(*blobs_.log(), packer_, std::as_bytes(std::span(file->text()))));
    for (OutputCapturedT& chunk : chunks) tell(std::move(chunk), step.at_ns, about(step));
    tell_secrets(file->text(), SecretPlace::output, EnumNameOutputChannel(channel), step.at_ns,
                 about(step));
  }
  return std::uint64_t{file->bytes.size()};
}

}  // namespace pievt::tools::pi_jobs
