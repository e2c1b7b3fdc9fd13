// Where a run's history is counted from: facts that decisions need and that no view shows. A fold
// over the events, like the state, and kept beside it.
//
// A budget counts from the run's start, or from when it was resumed after its end: to resume is the
// decision to spend as much again.
#pragma once

#include <cstdint>
#include <map>

#include "pievt/run_state.h"

namespace pievt::planners {

struct Spending {
  std::uint64_t tokens = 0;
  std::int64_t nanodollars = 0;
  std::uint64_t wall_ms = 0;
};

struct Marks {
  std::uint64_t throttle_revision = 0;  ///< of the last ThrottleChanged
  std::uint64_t wall_from_ns = 0;       ///< the run's time counts from here; 0: it has not begun
  Spending run_before;                  ///< what was spent before; wall_ms unused
  std::map<std::uint32_t, Spending> job_before;
};

/// What a run, and a job's attempts that have ended, have used in all.
Spending spent_by(const RunState& run);
Spending spent_by(const JobState& job);

/// Folds one event in. `before`: the run's state without it.
void note(Marks& marks, const RunState& before, schema::Payload type, Subject subject,
          Revision revision, std::uint64_t wall_ns);

}  // namespace pievt::planners
