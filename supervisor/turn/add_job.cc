#include "supervisor/turn/add_job.h"

#include "supervisor/plan/read_job.h"
#include "supervisor/turn/plan_run.h"

namespace pievt::supervisor {

Result<AddedJob> declare_added(RunRecord& record, const std::string& text, plan::FileSource& files,
                               const std::vector<process::Variable>& environment) {
  std::vector<std::string> known;
  for (const auto& job : record.state().jobs) known.push_back(job->id);
  plan::Plan alone;
  alone.jobs.push_back(PIEVT_TRY(plan::read_job("job", text, files, known)));
  const auto environments = PIEVT_TRY(job_environments(alone, environment));
  const plan::JobSpec& job = alone.jobs.front();
  AddedJob added;
  added.event = PIEVT_TRY(declare_job(record, job, record.state().cwd));
  if (const auto found = environments.find(job.id); found != environments.end())
    added.environment = found->second;
  return added;
}

}  // namespace pievt::supervisor
