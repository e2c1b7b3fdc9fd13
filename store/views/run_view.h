// The projection behind `pievt show` and `pievt replay`: the state of one run.
#pragma once

#include "pievt/query.h"

namespace pievt {

/// Under which name a run's state is saved, and what it must be to be used.
std::string run_view_name(std::string_view run_id);
std::string run_view_identity();

/// Folds the run's events from the first to `at` (0: the last), without any saved state.
Result<RunState> fold_run(const Log& log, std::string_view run_id, Revision at = {});

}  // namespace pievt
