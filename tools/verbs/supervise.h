// What `run` and `resume` share: a supervisor in the foreground, with something to look at.
#pragma once

#include "supervisor/process/signals.h"
#include "supervisor/turn/supervisor.h"
#include "tools/frame/context.h"

namespace pievt::tools {

/// Options of a supervisor of this process's environment. `pi`: the program, as given.
supervisor::Options supervisor_options(const std::filesystem::path& store, std::string pi);

/// The same from the words that the verbs know.
supervisor::Options supervisor_options(const Context& context, const std::filesystem::path& store);

/// Who asks, where nobody asks over a socket: this process.
schema::RequesterT this_requester(std::string program);

/// Supervises until the run has finished, paints it meanwhile, prints the summary and returns the
/// run's exit code. `prepare` is called when pi is known to be there and before anything of the run
/// begins, `begun` when it has; either may be empty.
Result<Exit> supervise(Context& context, supervisor::RunRecord& record,
                       supervisor::Options& options, const process::Signals& signals,
                       const std::function<Status()>& prepare,
                       const std::function<Status()>& begun = {});

}  // namespace pievt::tools
