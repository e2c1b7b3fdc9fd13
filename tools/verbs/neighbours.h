// The other runs of a store that say something about one: its family, other runs of its plan, and
// those that failed lately.
#pragma once

#include <vector>

#include "pievt/query.h"
#include "tools/audit/build.h"

namespace pievt::tools {

/// Oldest first. Bounded, by runs and by their events: what lies further back is left out.
Result<std::vector<audit::Neighbour>> neighbours(const Log& log, const RunList& runs,
                                                 const RunState& run);

}  // namespace pievt::tools
