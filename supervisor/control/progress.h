// How a run is, in a few numbers and lines: what the control socket tells about it. Pure.
#pragma once

#include "supervisor/control/protocol.h"

namespace pievt::control {

/// At most 16 of the jobs that are active.
Progress progress_of(const RunState& run);

}  // namespace pievt::control
