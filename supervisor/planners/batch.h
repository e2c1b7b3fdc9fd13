// The planner of batches: what should happen next, from the run's state and the time alone. No
// clock, no file, no randomness, so that a simulation can walk through every crash.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "supervisor/planners/marks.h"

namespace pievt::planners {

struct NextSteps {
  /// Decisions that need nothing from outside: jobs that end without running, the end of the run.
  /// In order.
  std::vector<NewEvent> events;
  /// Jobs whose next attempt should be started now, best first.
  std::vector<std::uint32_t> launches;
  /// Attempts of jobs that are open now, started or about to be.
  std::size_t running = 0;
  /// When to ask again although nothing happened; wall clock, nanoseconds.
  std::optional<std::uint64_t> wake_at_ns;
};

/// Call again after every change: it decides what follows from the state as it is. Events it
/// returned must be applied before the next call.
NextSteps next_steps(const RunState& run, const Marks& marks, std::uint64_t now_ns);

/// Verdict and consequence for a job whose latest attempt has just been classified: JobJudged, then
/// JobRetryScheduled or JobFinished.
std::vector<NewEvent> after_attempt(const RunState& run, std::uint32_t job, std::uint64_t now_ns);

}  // namespace pievt::planners
