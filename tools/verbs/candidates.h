// What shells offer while completing. They run inside the user's prompt: without a store, or with a
// damaged one, they offer nothing and say nothing.
#pragma once

#include <string>
#include <vector>

#include "pievt/result.h"
#include "tools/frame/context.h"

namespace pievt::tools {

/// `last` and the ids of all runs, newest first, each with its name.
Result<std::vector<std::string>> run_candidates(Context& context);

/// The jobs of the last run as `last/ID`, each with its status.
Result<std::vector<std::string>> job_candidates(Context& context);

}  // namespace pievt::tools
