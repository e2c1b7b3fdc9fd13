#include "supervisor/turn/resume_run.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "pievt/bytes.h"
#include "supervisor/plan/disk_files.h"
#include "supervisor/plan/read_plan.h"
#include "supervisor/turn/plan_run.h"

namespace pievt::supervisor {
namespace {

bool wants_environment(const JobState& job) {
  if (job.declared == nullptr) return false;
  const auto& contract = job.declared->acceptance;
  return !job.declared->environment_names.empty() ||
         (contract != nullptr && std::ranges::any_of(contract->commands, [](const auto& command) {
            return !command->environment_names.empty();
          }));
}

// The plan as it was then, read again; its files are those of today.
Status restore_planned(RunRecord& record, Options& options, std::vector<std::string>& missing) {
  if (record.state().plan == nullptr) return {};
  const auto text = PIEVT_TRY(record.log().get_blob(*record.state().plan));
  const std::string& path = record.state().plan_path;
  plan::DiskFiles files(std::filesystem::path(path).parent_path().string());
  const auto plan = plan::read_plan(path, std::string(text_of(text)), files);
  if (!plan.ok()) {
    missing.push_back(
        fmt::format("environments of jobs cannot be restored: {}", plan.error().what));
    return {};
  }
  options.job_environment = PIEVT_TRY(job_environments(*plan, options.environment));
  return {};
}

void restore_added(const JobState& job, Options& options, std::vector<std::string>& missing) {
  for (const std::string& name : job.declared->environment_names) {
    const auto found = std::ranges::find(options.environment, name, &process::Variable::name);
    if (found == options.environment.end()) {
      missing.push_back(fmt::format("job {} was given {}, which is not set now", job.id, name));
    } else {
      options.job_environment[job.id].push_back(*found);
    }
  }
}

}  // namespace

Status check_resumable(const RunState& run) {
  if (!run.ruleset.empty() && !run.ruleset.starts_with("pievt-")) {
    return Error{Errc::invalid_transition,
                 fmt::format("run {} was imported ({}): its record can be read, and it cannot be "
                             "gone on with",
                             run.run_id, run.ruleset)};
  }
  if (run.phase != state::RunPhase::finished || run.ending == schema::RunEnding::stopped) return {};
  return Error{
      Errc::invalid_transition,
      fmt::format("run {} has ended: {}; only a stopped or interrupted run can be resumed; "
                  "its jobs can be run again with: pievt rerun {} --failed",
                  run.run_id, run.reason, run.run_id)};
}

Result<std::vector<std::string>> restore_environments(RunRecord& record, Options& options) {
  std::vector<std::string> missing;
  const auto& jobs = record.state().jobs;
  const auto wants = [](const auto& job) { return wants_environment(*job); };
  if (std::ranges::none_of(jobs, wants)) return missing;
  PIEVT_TRY(restore_planned(record, options, missing));
  for (const auto& job : jobs) {
    if (wants_environment(*job) && !options.job_environment.contains(job->id))
      restore_added(*job, options, missing);
  }
  return missing;
}

Status reopen(RunRecord& record, const std::string& reason, const schema::RequesterT& asked_by) {
  if (record.state().phase != state::RunPhase::finished) return {};
  schema::RunResumedT resumed;
  resumed.reason = reason;
  resumed.asked_by = std::make_unique<schema::RequesterT>(asked_by);
  PIEVT_TRY(record.propose({std::move(resumed)}));
  for (std::uint32_t number = 1; number <= record.state().jobs.size(); ++number) {
    const JobState& job = *find_job(record.state(), number);
    if (job.status != schema::JobStatus::cancelled || job.cancel_requested_revision != 0) continue;
    schema::JobReopenedT event;
    event.reason = "its run is resumed";
    PIEVT_TRY(record.propose({std::move(event), {.job = number}}));
  }
  return {};
}

Status end_pause(RunRecord& record, const std::string& reason, const schema::RequesterT& asked_by) {
  if (record.state().phase != state::RunPhase::paused) return {};
  schema::RunResumedT resumed;
  resumed.reason = reason;
  resumed.asked_by = std::make_unique<schema::RequesterT>(asked_by);
  PIEVT_TRY(record.propose({std::move(resumed)}));
  return {};
}

}  // namespace pievt::supervisor
