// Which attempts are to be ended, and why. Pure, and one place: a stopped run, a cancelled job and
// a spent budget end a child in the same way, whether they were decided before a crash or after.
#pragma once

#include <optional>

#include "pievt/run_state.h"

namespace pievt::planners {

/// The reason to end this attempt now, from what was decided about its run and its job; nothing
/// where it may go on. `subject.job` 0: an attempt of the run itself.
std::optional<schema::StopReason> stop_wanted(const RunState& run, Subject subject);

}  // namespace pievt::planners
