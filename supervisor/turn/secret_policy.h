// What a run does about secrets: by its settings, and by the keys that this supervisor knows.
#pragma once

#include "supervisor/plan/read_plan.h"
#include "supervisor/record/run_record.h"
#include "supervisor/secrets/policy.h"
#include "supervisor/turn/options.h"

namespace pievt::supervisor {

/// Knows the values of secret variables, of the supervisor's own environment (passed on or
/// withheld) and of jobs'.
secrets::Policy secret_policy(const Options& options);

/// invalid: secrets are to be masked, and the plan holds one. What a plan says is what workers are
/// told, so it cannot be stored without its secrets; the sentence says where they are and how a
/// plan hands one on.
Status check_plan_secrets(const plan::PlanFile& file, const secrets::Policy& policy);

/// Proposes what is to be told of a plan that was declared.
Status tell_plan_secrets(RunRecord& record, const plan::PlanFile& file,
                         const secrets::Policy& policy);

}  // namespace pievt::supervisor
