// What a run and each of its jobs may spend. Pure: usage is in the state, time is an argument.
//
// A budget that is spent is one event, LimitReached, and then the run is stopped, or the job's
// attempt is. Retries are the exception: when they are spent, nothing is stopped, and nothing is
// tried again (plan_retry of pievt/ruleset.h).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "supervisor/planners/marks.h"

namespace pievt::planners {

/// What has been spent since it was asked last: LimitReached, for a run with the RunStopRequested
/// that follows from it. Empty once it has been said.
std::vector<NewEvent> newly_spent(const RunState& run, const Marks& marks, std::uint64_t now_ns);

/// When the nearest budget of time will be spent; wall clock, nanoseconds.
std::optional<std::uint64_t> spent_at_ns(const RunState& run, const Marks& marks,
                                         std::uint64_t now_ns);

/// LimitReached of the retries, where the policy of `job` wants one more than there are.
std::optional<NewEvent> retries_spent(const RunState& run, std::uint32_t job);

}  // namespace pievt::planners
