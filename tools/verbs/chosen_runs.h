// The runs that a verb over several is about: those named, those since a moment, or the last one.
#pragma once

#include <string>
#include <vector>

#include "pievt/log.h"
#include "tools/frame/context.h"

namespace pievt::tools {

struct ChosenRun {
  std::string id;
  Revision at;  ///< up to this event; 0: all
};

/// From the arguments `run` and `--since` and the global --at; oldest first where --since chose
/// them, else in the order they were named. not_found: a name fits no run, or there is none.
/// Nothing since the moment is no error: the list is empty then.
Result<std::vector<ChosenRun>> chosen_runs(const Context& context, const Log& log);

}  // namespace pievt::tools
