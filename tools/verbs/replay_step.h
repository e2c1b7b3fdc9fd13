// Stepping through a run: the state after each event and what that event changed.
#pragma once

#include <string>

#include "pievt/log.h"
#include "tools/frame/context.h"
#include "tools/frame/exit.h"

namespace pievt::tools {

/// Shows the events of `run` up to `last`, beginning with the last one, by keys from stdin: on a
/// terminal full screen, else each picture as a paragraph, until the keys are over.
Result<Exit> step_through(Context& context, const Log& log, const std::string& run, Revision last);

}  // namespace pievt::tools
