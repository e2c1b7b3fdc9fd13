// One more job for a run that has some already: an object as in a plan's "jobs", read by the same
// rules, by itself: no defaults, no templates of the plan it comes to.
#pragma once

#include <string>
#include <vector>

#include "pievt/result.h"
#include "supervisor/plan/files.h"
#include "supervisor/plan/plan.h"

namespace pievt::plan {

/// `known`: the ids of the run's jobs, in order; the job may depend on them and use their final
/// messages, and the indexes in it count among them. Without an id of its own it gets the next that
/// is free (`t007`). `name`: how messages call the text. Errc::invalid with one line for each
/// problem, as read_plan (read_plan.h).
Result<JobSpec> read_job(const std::string& name, std::string text, FileSource& files,
                         const std::vector<std::string>& known);

}  // namespace pievt::plan
