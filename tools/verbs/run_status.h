// The one word for how a run is. The log knows what was recorded; whether anybody is still working
// on it is a question about processes.
#pragma once

#include <string_view>

#include "pievt/log.h"
#include "pievt/query.h"
#include "tools/render/terminal.h"

namespace pievt::tools {

struct RunStatus {
  /// "planned", "running", "paused", "stopping", "succeeded", "failed", "stopped", or
  /// "interrupted": not finished, and whoever supervised it is gone.
  std::string_view word;
  render::Style style = render::Style::plain;
};

/// `supervisor`: the process that took the run up last; null where none did. Asks /proc, so it is
/// about now: for a state of the past use past_run_status().
RunStatus run_status(state::RunPhase phase, schema::RunEnding ending,
                     const schema::ProcessIdT* supervisor, const LogInfo& info);

/// The recorded word alone.
RunStatus past_run_status(state::RunPhase phase, schema::RunEnding ending);

}  // namespace pievt::tools
