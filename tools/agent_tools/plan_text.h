// From the arguments of a call to the plan that is run: the same one a person could have written,
// so that everything about the run is in its record.
#pragma once

#include <string>

#include "tools/agent_tools/agent_tools.h"

namespace pievt::tools {

Result<std::string> plan_of_job(plan::JsonView arguments, const Caller& caller);
Result<std::string> plan_of_jobs(plan::JsonView arguments, const Caller& caller);
Result<std::string> plan_of_jobs_plan(plan::JsonView arguments, const Caller& caller);

}  // namespace pievt::tools
