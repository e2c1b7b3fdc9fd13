// Ruleset pievt-1. Order matters: the first cause wins, so that "the file is missing" never hides
// "the provider was down".
#include <fmt/format.h>

#include "store/model/rules/rules.h"

namespace pievt {
namespace {

using namespace schema;  // NOLINT(google-build-using-namespace): every name below is a word of the
                         // schemas

// What the provider said in numbers counts before what it said in words: "401 ... timeout" is a
// wrong key, whatever else the sentence speaks of.
FailureKind kind_of_provider(const AttemptState& attempt) {
  const ProviderFailure failure = attempt.provider;
  if (failure == ProviderFailure::context_overflow) return FailureKind::context_overflow;
  if (failure == ProviderFailure::quota) return FailureKind::provider_permanent;
  const std::uint32_t status = attempt.http_status;
  if (status == 408 || status == 425 || status == 429 || (status >= 500 && status <= 599))
    return FailureKind::provider_transient;
  if (status >= 400 && status <= 499) return FailureKind::provider_permanent;
  if (attempt.retry_after_ms > 0) return FailureKind::provider_transient;
  switch (failure) {
    case ProviderFailure::rate_limited:
    case ProviderFailure::server_error:
    case ProviderFailure::network:
      return FailureKind::provider_transient;
    case ProviderFailure::unknown:
    case ProviderFailure::none:
    case ProviderFailure::other:
      return FailureKind::worker_incomplete;
    default:
      return FailureKind::provider_permanent;
  }
}

// A stop of ours is its own cause, whatever the child did about the signal. Lingering is none: then
// the work was done.
FailureKind kind_of_stop(const AttemptState& attempt) {
  switch (attempt.stop_reason) {
    case StopReason::deadline:
      return FailureKind::deadline_exceeded;
    case StopReason::run_stopped:
    case StopReason::cancelled:
    case StopReason::budget:
    case StopReason::caller_gone:
      return FailureKind::cancelled;
    case StopReason::silent:
      return attempt.tools_open > 0 ? FailureKind::worker_stalled : FailureKind::provider_stalled;
    case StopReason::memory:
      return FailureKind::killed;
    default:
      return FailureKind::none;
  }
}

FailureKind classify(const AttemptState& attempt) {
  if (!attempt.launch_error.empty()) return FailureKind::launch_error;
  if (const FailureKind stopped = kind_of_stop(attempt); stopped != FailureKind::none)
    return stopped;
  switch (attempt.ending) {
    case Ending::ok:
      return FailureKind::none;
    case Ending::empty:
    case Ending::thinking_only:
    case Ending::tool_only:
      return FailureKind::empty_final;
    case Ending::truncated:
      return FailureKind::truncated;
    case Ending::killed:
      return attempt.sender == SignalSender::supervisor ? FailureKind::cancelled
                                                        : FailureKind::killed;
    case Ending::failed_to_run:
      return FailureKind::configuration;
    case Ending::failed:
      return kind_of_provider(attempt);
    case Ending::lost:
      return FailureKind::context_overflow;
    case Ending::unknown:
      return FailureKind::supervisor_lost;
    default:
      break;
  }
  // A child that ended unseen and left no complete stream: nobody can say what it did.
  return attempt.lost != LostReason::unknown ? FailureKind::supervisor_lost
                                             : FailureKind::worker_incomplete;
}

bool mendable(FailureKind kind) {
  switch (kind) {
    case FailureKind::launch_error:
    case FailureKind::provider_transient:
    case FailureKind::provider_stalled:
    case FailureKind::worker_incomplete:
    case FailureKind::worker_stalled:
    case FailureKind::empty_final:
    case FailureKind::killed:
    case FailureKind::supervisor_lost:
      return true;
    default:
      return false;
  }
}

BlockingGate gate_of(FailureKind kind) {
  switch (kind) {
    case FailureKind::empty_final:
    case FailureKind::truncated:
    case FailureKind::worker_incomplete:
      return BlockingGate::final_message;
    default:
      return BlockingGate::runtime;
  }
}

std::string failed_checks(const GateState& gate) {
  std::string text;
  for (const auto& check : gate.checks) {
    if (check->status != CheckStatus::failed && check->status != CheckStatus::errored) continue;
    text += fmt::format("{}{} {}: {}", text.empty() ? "" : "; ", check->kind, check->target,
                        check->actual);
  }
  return text;
}

// Who needs a person says so in its report, and its exit looks like success: asked before anything
// else but a stop and a failed provider, which are not its own words.
std::string what_it_asks(const AttemptState& attempt) {
  if (attempt.requests.empty()) return attempt.report_summary;
  return fmt::format("{}", fmt::join(attempt.requests, "; "));
}

std::string cancelled_by(StopReason reason) {
  switch (reason) {
    case StopReason::budget:
      return "stopped because its budget is spent";
    case StopReason::caller_gone:
      return "stopped because the program that called for it is gone";
    default:
      return "stopped on request";
  }
}

Judgement verdict(JobStatus status, FailureKind failure, bool retryable, BlockingGate blocking,
                  std::string reason) {
  return {status, failure, retryable, blocking, std::move(reason), WorkEnding::unknown, {}};
}

Judgement verdict_of(const AttemptState& attempt, const GateState* gate) {
  const FailureKind kind = classify(attempt);
  if (kind == FailureKind::cancelled) {
    return verdict(JobStatus::cancelled, kind, false, BlockingGate::person,
                   cancelled_by(attempt.stop_reason));
  }
  if (attempt.report_status == ReportStatus::blocked) {
    return verdict(JobStatus::blocked, FailureKind::none, false, BlockingGate::person,
                   "needs a person: " + what_it_asks(attempt));
  }
  if (attempt.report_status == ReportStatus::error) {
    return verdict(JobStatus::failed, FailureKind::worker_incomplete, false, BlockingGate::report,
                   "the worker reported an error: " + attempt.report_summary);
  }
  if (kind != FailureKind::none)
    return verdict(JobStatus::failed, kind, mendable(kind), gate_of(kind), attempt.reason);
  if (gate != nullptr && gate->decision == GateDecision::failed) {
    return verdict(JobStatus::failed, FailureKind::acceptance_failed, false,
                   BlockingGate::acceptance, failed_checks(*gate));
  }
  return verdict(JobStatus::succeeded, FailureKind::none, false, BlockingGate::none,
                 gate == nullptr ? "final message" : "final message, contract met");
}

Judgement judge(const AttemptState& attempt, const GateState* gate) {
  // A gate that was passed over asked nothing.
  if (gate != nullptr && gate->decision == GateDecision::skipped) gate = nullptr;
  Judgement judgement = verdict_of(attempt, gate);
  judgement.ending = rules::work_ending(attempt);
  if (judgement.status == JobStatus::succeeded)
    judgement.weak = rules::weak_points(attempt, gate, judgement.ending);
  return judgement;
}

}  // namespace

namespace rules {
const Ruleset pievt_1{"pievt-1", classify, judge};
}  // namespace rules

}  // namespace pievt
