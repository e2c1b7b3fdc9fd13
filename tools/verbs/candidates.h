// What shells offer while completing. They run inside the user's prompt: without a store, or with a
// damaged one, they offer nothing and say nothing.
#pragma once

#include <string>
#include <vector>

#include "pievt/result.h"
#include "tools/frame/context.h"

namespace pievt::tools {

/// `last`, the ids of all runs, newest first, each with its name, and the names of plans.
Result<std::vector<std::string>> run_candidates(Context& context);

/// The jobs of the last run as `last/ID`, those of the latest runs as `RUN/ID`, each with its
/// status, and what run_candidates() offers: a job's place is a run's too.
Result<std::vector<std::string>> job_candidates(Context& context);

/// Kinds of failure.
Result<std::vector<std::string>> kind_candidates(Context& context);

/// Formats of `pievt export`, each with its summary.
Result<std::vector<std::string>> format_candidates(Context& context);

}  // namespace pievt::tools
