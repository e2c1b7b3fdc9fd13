// What an agent is told of a run: while it goes on, and what came of it. Plain text for a model,
// and the same as JSON for programs.
#pragma once

#include <cstdint>
#include <string>

#include "pievt/log.h"
#include "pievt/run_state.h"
#include "supervisor/control/protocol.h"

namespace pievt::tools {

/// `JOBS running · 2 active / 3 · 12s`, a line for each active job, and how to look at it.
std::string progress_text(const std::string& run, const control::Progress& progress,
                          std::uint64_t elapsed_ms);

struct RunResult {
  std::string text;
  std::string details;  ///< JSON: {"run","status","ok","jobs":[{"id","name","status","reason",…}]}
  bool failed = false;  ///< not every job succeeded
};

/// What came of a run that has ended, with the last words of its jobs as far as there is room.
/// `stopped`: the caller asked for its end.
Result<RunResult> run_result(const Log& log, const RunState& run);

}  // namespace pievt::tools
