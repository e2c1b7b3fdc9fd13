// From a plan to a run: the first events of its stream.
#pragma once

#include "supervisor/plan/plan.h"
#include "supervisor/plan/read_plan.h"
#include "supervisor/record/run_record.h"
#include "supervisor/turn/options.h"

namespace pievt::supervisor {

/// A new id: the moment, readable and sorting by time, and six random digits, which are enough to
/// name it by.
std::string new_run_id();

/// Proposes and commits RunPlanned and a JobDeclared for each job. `cwd`: the directory the run
/// works in, absolute.
Status plan_run(RunRecord& record, const plan::PlanFile& file, const std::string& plan_path,
                const std::string& cwd, std::uint32_t concurrency);

/// The values of the jobs' environments. invalid where a variable that a job wants to pass on is
/// not set.
Result<std::map<std::string, std::vector<process::Variable>>> job_environments(
    const plan::Plan& plan, const std::vector<process::Variable>& environment);

}  // namespace pievt::supervisor
