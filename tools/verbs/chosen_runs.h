// The runs that a verb over several is about: those named, those since a moment, or the last one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pievt/log.h"
#include "tools/frame/context.h"

namespace pievt::tools {

struct ChosenRun {
  std::string id;
  Revision at;                                ///< up to this event; 0: all
  std::optional<std::uint32_t> job, attempt;  ///< only this of it
};

/// Whether a verb can be about one job of a run.
enum class Jobs : std::uint8_t { refused, admitted };

/// From the arguments `run` and `--since` and the global --at; oldest first where --since chose
/// them, else in the order they were named. not_found: a name fits no run, or there is none.
/// Nothing since the moment is no error: the list is empty then. invalid: a name is a job's, and
/// jobs are refused.
Result<std::vector<ChosenRun>> chosen_runs(const Context& context, const Log& log,
                                           Jobs jobs = Jobs::refused);

}  // namespace pievt::tools
