// Rulesets: named versions of the pure functions that turn recorded facts into verdicts. Facts are
// recorded once and never change; a verdict names the ruleset it was made by, so that old runs can
// be judged again by newer rules.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/run_state.h"

namespace pievt {

/// What became of a job with its latest attempt.
struct Judgement {
  schema::JobStatus status = schema::JobStatus::unknown;
  schema::FailureKind failure = schema::FailureKind::none;
  bool retryable = false;  ///< another attempt could mend it
  schema::BlockingGate blocking = schema::BlockingGate::none;
  std::string reason;  ///< one sentence for people
  /// How its work ended, whatever the verdict says of it.
  schema::WorkEnding ending = schema::WorkEnding::unknown;
  /// Of a success: why it rests on little, one line each.
  std::vector<std::string> weak = {};
};

/// Whether to try again, and when.
struct RetryPlan {
  schema::RetryDecision decision = schema::RetryDecision::not_needed;
  std::uint64_t delay_ms = 0;
};

struct Ruleset {
  std::string_view name;
  /// The coarse kind of an attempt's failure, from its recorded facts; none where it did not fail.
  schema::FailureKind (*classify)(const AttemptState& attempt);
  /// Judges a job by its latest, classified attempt. `gate`: its acceptance gate, or null.
  Judgement (*judge)(const AttemptState& attempt, const GateState* gate);
};

/// The rules that new runs are judged by: `pievt-1`.
const Ruleset& current_ruleset();

/// Every ruleset there is, the current one first. Any of them may be asked of any run: they know
/// nothing but recorded facts.
std::span<const Ruleset> rulesets();

/// The ruleset of that name, or null.
const Ruleset* find_ruleset(std::string_view name);

/// Whether the job's policy asks for another attempt after `judgement`, and the budgets of the job
/// and its run have one left. The chance in a delay comes from the names, so that planning it again
/// gives the same moment: attempt `next` of the job waits initial x multiplier^(n-1), at most the
/// policy's maximum, made up to jitter_ratio longer or shorter; and never less than the provider
/// asked for, up to an hour.
RetryPlan plan_retry(const RunState& run, const JobState& job, const Judgement& judgement);

/// Attempts at the work beyond the first, made or scheduled. Those that were lost with their
/// supervisor count for nothing.
std::uint32_t retries_of(const JobState& job);
std::uint32_t retries_of(const RunState& run);

}  // namespace pievt
