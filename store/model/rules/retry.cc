// Whether to try again, and when: the policy of the job, what the budgets leave, what the provider
// asked for, and a chance that is computed.
#include <algorithm>
#include <cmath>
#include <string>

#include "pievt/ruleset.h"

namespace pievt {
namespace {

using namespace schema;  // NOLINT(google-build-using-namespace): every name below is a word of the
                         // schemas

// A provider that asks to be left alone for longer is asked again after this: a limit that is said
// to last for hours is often lifted before.
constexpr std::uint64_t retry_after_ms_max = 3'600'000;

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

// An attempt that was lost with its supervisor is not held against the job.
bool counts(const AttemptState& attempt) {
  return attempt.purpose == AttemptPurpose::work && attempt.failure != FailureKind::supervisor_lost;
}

std::uint32_t tries_of(const JobState& job) {
  return static_cast<std::uint32_t>(
      std::ranges::count_if(job.attempts, [](const auto& attempt) { return counts(*attempt); }));
}

bool has_retry_left(const RunState& run, const JobState& job) {
  const BudgetT* own = job.declared->budget.get();
  if (own != nullptr && own->retries != 0 && retries_of(job) >= own->retries) return false;
  return run.budget == nullptr || run.budget->retries == 0 || retries_of(run) < run.budget->retries;
}

std::uint64_t delay_of(const RunState& run, const JobState& job, const RetryPolicyT& policy,
                       std::uint32_t tries) {
  const double ideal =
      static_cast<double>(policy.initial_ms) * std::pow(policy.multiplier, std::max(tries, 1u) - 1);
  const double capped = std::min(ideal, static_cast<double>(policy.max_ms));
  const double spread = 1 + policy.jitter_ratio * (2 * chance_of(run.run_id, job.id, tries) - 1);
  const double ours = std::min(capped * spread, static_cast<double>(policy.max_ms));
  const std::uint64_t theirs = job.attempts.empty() ? 0 : job.attempts.back()->retry_after_ms;
  return std::max(static_cast<std::uint64_t>(ours), std::min(theirs, retry_after_ms_max));
}

}  // namespace

std::uint32_t retries_of(const JobState& job) {
  std::uint32_t tries = tries_of(job);
  if (job.phase == state::JobPhase::backoff) ++tries;  // the one that is scheduled
  return tries == 0 ? 0 : tries - 1;
}

std::uint32_t retries_of(const RunState& run) {
  std::uint32_t sum = 0;
  for (const auto& job : run.jobs) sum += retries_of(*job);
  return sum;
}

RetryPlan plan_retry(const RunState& run, const JobState& job, const Judgement& judgement) {
  if (judgement.status == JobStatus::succeeded) return {RetryDecision::not_needed, 0};
  if (run.phase != state::RunPhase::running && run.phase != state::RunPhase::paused)
    return {RetryDecision::stopping, 0};
  if (judgement.status == JobStatus::cancelled) return {RetryDecision::not_retryable, 0};
  const RetryPolicyT* policy = job.declared == nullptr ? nullptr : job.declared->retry.get();
  const bool asked_for =
      policy != nullptr &&
      std::ranges::find(policy->retry_on, judgement.failure) != policy->retry_on.end();
  if (!judgement.retryable && !asked_for) return {RetryDecision::not_retryable, 0};
  if (policy != nullptr && !policy->retry_on.empty() && !asked_for)
    return {RetryDecision::not_in_policy, 0};
  const std::uint32_t tries = tries_of(job);
  if (tries >= job.max_attempts || policy == nullptr) return {RetryDecision::exhausted, 0};
  const bool lost = judgement.failure == FailureKind::supervisor_lost;
  if (!lost && !has_retry_left(run, job)) return {RetryDecision::no_budget, 0};
  return {RetryDecision::scheduled, delay_of(run, job, *policy, tries)};
}

}  // namespace pievt
