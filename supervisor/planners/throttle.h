// How much may run at once, from what the provider did to the attempts before. A pure function of
// the recorded state, asked after each attempt that settled.
//
// It looks back only on attempts that were started after its own last change. An attempt that was
// already on its way has been slowed by nothing yet, so its failure is no news: without this rule
// one bad moment halves again and again while it stays in the window.
#pragma once

#include <optional>

#include "supervisor/planners/marks.h"

namespace pievt::planners {

/// The change that is called for, or nothing. Down: at least the policy's share of the last
/// `window` attempts failed at the provider, and more than one job is left that could profit. Up,
/// by half of what it is: as many attempts in a row as run at once, two at least, had no trouble,
/// and jobs wait. Never outside the policy's min and max; nothing when the run has no policy.
std::optional<NewEvent> throttle_step(const RunState& run, const Marks& marks);

}  // namespace pievt::planners
