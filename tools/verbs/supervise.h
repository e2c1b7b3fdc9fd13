// What `run` and `resume` share: a supervisor in the foreground, with something to look at.
#pragma once

#include "supervisor/process/signals.h"
#include "supervisor/turn/supervisor.h"
#include "tools/frame/context.h"

namespace pievt::tools {

/// Options of a supervisor, from the words both verbs know.
supervisor::Options supervisor_options(const Context& context, const std::filesystem::path& store);

/// Supervises until the run has finished, paints it meanwhile, prints the summary and returns the
/// run's exit code. `prepare` is called when pi is known to be there and before anything of the run
/// begins.
Result<Exit> supervise(Context& context, supervisor::RunRecord& record,
                       supervisor::Options& options, const process::Signals& signals,
                       const std::function<Status()>& prepare);

}  // namespace pievt::tools
