// Whether folding a run now gives what it gave when it was written.
#pragma once

#include <string>

#include "pievt/log.h"
#include "tools/frame/context.h"
#include "tools/frame/exit.h"

namespace pievt::tools {

/// Compares every digest that was recorded up to `last` (0: all) with the state rebuilt from the
/// events alone. Exit: ok, corrupt where one differs, evidence where there is none to compare.
Result<Exit> verify_replay(Context& context, const Log& log, const std::string& run, Revision last);

}  // namespace pievt::tools
