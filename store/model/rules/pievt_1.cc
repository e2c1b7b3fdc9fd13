// Ruleset pievt-1. Order matters: the first cause wins, so that "the file is missing" never hides
// "the provider was down".
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "pievt/ruleset.h"

namespace pievt {
namespace {

using namespace schema;  // NOLINT(google-build-using-namespace): every name below is a word of the
                         // schemas

FailureKind kind_of_provider(ProviderFailure failure) {
  switch (failure) {
    case ProviderFailure::rate_limited:
    case ProviderFailure::server_error:
    case ProviderFailure::network:
      return FailureKind::provider_transient;
    case ProviderFailure::context_overflow:
      return FailureKind::context_overflow;
    case ProviderFailure::unknown:
    case ProviderFailure::none:
    case ProviderFailure::other:
      return FailureKind::worker_incomplete;
    default:
      return FailureKind::provider_permanent;
  }
}

FailureKind classify(const AttemptState& attempt) {
  if (!attempt.launch_error.empty()) return FailureKind::launch_error;
  switch (attempt.stop_reason) {
    case StopReason::deadline:
      return FailureKind::deadline_exceeded;
    case StopReason::run_stopped:
    case StopReason::cancelled:
      return FailureKind::cancelled;
    default:
      break;
  }
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
      return kind_of_provider(attempt.provider);
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

Judgement judge(const AttemptState& attempt, const GateState* gate) {
  const FailureKind kind = classify(attempt);
  if (kind == FailureKind::cancelled) {
    return {JobStatus::cancelled, kind, false, BlockingGate::person, "stopped on request"};
  }
  if (kind != FailureKind::none) {
    return {JobStatus::failed, kind, mendable(kind), gate_of(kind), attempt.reason};
  }
  if (gate != nullptr && gate->decision == GateDecision::failed) {
    return {JobStatus::failed, FailureKind::acceptance_failed, false, BlockingGate::acceptance,
            failed_checks(*gate)};
  }
  return {JobStatus::succeeded, FailureKind::none, false, BlockingGate::none,
          gate == nullptr ? "final message" : "final message, contract met"};
}

// FNV-1a, to draw a number from names: replaying must draw the same one.
double chance_of(std::string_view run, std::string_view job, std::uint32_t attempt) {
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto mix = [&hash](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  };
  mix(run);
  mix(job);
  mix(std::to_string(attempt));
  // FNV alone leaves the high bits of names that differ at their end nearly equal, and jobs that
  // failed together would come back together. This is the finisher of SplitMix64.
  hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9;
  hash = (hash ^ hash >> 27) * 0x94d049bb133111eb;
  hash ^= hash >> 31;
  return static_cast<double>(hash >> 11) / static_cast<double>(1ull << 53);
}

}  // namespace

const Ruleset& current_ruleset() {
  static constexpr Ruleset pievt_1{"pievt-1", classify, judge};
  return pievt_1;
}

RetryPlan plan_retry(const RunState& run, const JobState& job, const Judgement& judgement) {
  if (judgement.status == JobStatus::succeeded) return {RetryDecision::not_needed, 0};
  if (run.phase != state::RunPhase::running) return {RetryDecision::stopping, 0};
  if (judgement.status == JobStatus::cancelled) return {RetryDecision::not_retryable, 0};
  const RetryPolicyT* policy = job.declared == nullptr ? nullptr : job.declared->retry.get();
  const bool asked_for =
      policy != nullptr &&
      std::ranges::find(policy->retry_on, judgement.failure) != policy->retry_on.end();
  if (!judgement.retryable && !asked_for) return {RetryDecision::not_retryable, 0};
  if (policy != nullptr && !policy->retry_on.empty() && !asked_for)
    return {RetryDecision::not_in_policy, 0};
  const auto tries = static_cast<std::uint32_t>(std::ranges::count_if(
      // An attempt that was lost with its supervisor is not held against the job.
      job.attempts, [](const auto& attempt) {
        return attempt->purpose == AttemptPurpose::work &&
               attempt->failure != FailureKind::supervisor_lost;
      }));
  if (tries >= job.max_attempts || policy == nullptr) return {RetryDecision::exhausted, 0};

  const double ideal = static_cast<double>(policy->initial_ms) *
                       std::pow(policy->multiplier, std::max(tries, 1u) - 1);
  const double capped = std::min(ideal, static_cast<double>(policy->max_ms));
  const double spread = 1 + policy->jitter_ratio * (2 * chance_of(run.run_id, job.id, tries) - 1);
  return {RetryDecision::scheduled, static_cast<std::uint64_t>(std::min(
                                        capped * spread, static_cast<double>(policy->max_ms)))};
}

}  // namespace pievt
