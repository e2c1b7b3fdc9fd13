// From a plan to a run: the first events of its stream.
#pragma once

#include "supervisor/plan/plan.h"
#include "supervisor/plan/read_plan.h"
#include "supervisor/record/run_record.h"
#include "supervisor/secrets/policy.h"
#include "supervisor/turn/options.h"

namespace pievt::supervisor {

/// A new id: the moment, readable and sorting by time, and six random digits, which are enough to
/// name it by.
std::string new_run_id();

/// Who called for a run, when that was another program.
struct CalledBy {
  std::string tool;  ///< the agent tool; empty: a person's command
  schema::CallerGone when_gone = schema::CallerGone::unknown;
  std::unique_ptr<schema::RequesterT> requester = {};
};

/// What a run is planned with, besides its plan.
struct RunBasis {
  std::string plan_path;  ///< as given
  std::string cwd;        ///< the directory the run works in, absolute
  std::uint32_t concurrency = plan::limits::concurrency_default;
  settings::Settings settings{};  ///< in force; recorded without anything that may be a secret
  secrets::Policy secrets{};
  CalledBy caller{};
};

/// Proposes and commits RunPlanned and a JobDeclared for each job. invalid: secrets are to be
/// masked, and the plan holds one.
Status plan_run(RunRecord& record, const plan::PlanFile& file, RunBasis basis);

/// What declares `job`, its texts stored. `cwd`: the run's.
Result<schema::JobDeclaredT> declare_job(RunRecord& record, const plan::JobSpec& job,
                                         const std::string& cwd);

/// Under which the values for a command of a job's contract are, counted from 1; no job's id.
std::string command_key(const std::string& job, std::size_t number);

/// The values of the jobs' environments, and of the commands of their contracts. invalid where a
/// variable that a job wants to pass on is not set.
Result<std::map<std::string, std::vector<process::Variable>>> job_environments(
    const plan::Plan& plan, const std::vector<process::Variable>& environment);

}  // namespace pievt::supervisor
