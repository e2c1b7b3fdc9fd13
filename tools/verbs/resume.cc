// `pievt resume`: goes on with a run whose supervisor is gone, or that was stopped.
#include <fmt/format.h>

#include "supervisor/launch/run_lock.h"
#include "supervisor/plan/disk_files.h"
#include "supervisor/plan/read_plan.h"
#include "supervisor/turn/plan_run.h"
#include "tools/verbs/access.h"
#include "tools/verbs/supervise.h"

namespace pievt::tools::verbs {
namespace {

constexpr std::array options = {
    argument("run", "which run; the last one when left out").completing(Complete::runs),
    flag("--no-probe", "do not ask the models first"),
    value("--pi", "PROGRAM", "the pi to run: a name on PATH or a path"),
};

constexpr Manual manual = {
    .details =
        "Takes a run over whose supervisor is gone: attempts that still run are watched again, "
        "those that ended "
        "meanwhile are judged by what they left behind, and the rest of the plan goes on. Nothing "
        "runs twice at once. "
        "A run that was stopped goes on with the jobs that were cancelled.",
    .options = options,
    .examples = {{{"pievt resume", "go on with the last run"},
                  {"pievt resume 8084d3", "go on with a run by the end of its id"}}},
};

// Values of environment variables are not in the log; they come from the plan, as it was then, and
// from today's environment.
Status restore_environments(Context& context, supervisor::RunRecord& record,
                            supervisor::Options& to) {
  bool needed = false;
  for (const auto& job : record.state().jobs) {
    needed = needed || (job->declared != nullptr && !job->declared->environment_names.empty());
  }
  if (!needed || record.state().plan == nullptr) return {};
  const auto text = PIEVT_TRY(record.log().get_blob(*record.state().plan));
  const std::string& path = record.state().plan_path;
  plan::DiskFiles files(std::filesystem::path(path).parent_path().string());
  const auto plan = plan::read_plan(
      path, std::string(reinterpret_cast<const char*>(text.data()), text.size()), files);
  if (!plan.ok()) {
    context.talk.warn(
        fmt::format("environments of jobs cannot be restored: {}", plan.error().what));
    return {};
  }
  to.job_environment = PIEVT_TRY(supervisor::job_environments(*plan, to.environment));
  return {};
}

// A stopped run is opened again, with the jobs that its stop cancelled.
Status reopen(supervisor::RunRecord& record) {
  if (record.state().phase != state::RunPhase::finished) return {};
  if (record.state().ending != schema::RunEnding::stopped) {
    return Error{
        Errc::invalid_transition,
        fmt::format("run {} has ended: {}; only a stopped or interrupted run can be resumed",
                    record.run_id(), record.state().reason)};
  }
  schema::RunResumedT resumed;
  resumed.reason = "pievt resume";
  PIEVT_TRY(record.propose({std::move(resumed)}));
  for (std::uint32_t job = 1; job <= record.state().jobs.size(); ++job) {
    if (find_job(record.state(), job)->status != schema::JobStatus::cancelled) continue;
    schema::JobReopenedT event;
    event.reason = "its run is resumed";
    PIEVT_TRY(record.propose({std::move(event), {.job = job}}));
  }
  return record.commit();
}

}  // namespace

const Manual& resume_manual() {
  return manual;
}

Result<Exit> resume(Context& context) {
  const process::Signals signals = PIEVT_TRY(process::Signals::block());
  const std::filesystem::path store = PIEVT_TRY(store_path(context));
  Log log = PIEVT_TRY(Log::open(store, {.mode = OpenMode::write, .program = "pievt resume"}));
  const Reference reference =
      PIEVT_TRY(resolve(context, log, context.arguments.text_or("run", "last")));
  const launch::RunLock lock =
      PIEVT_TRY(launch::RunLock::acquire(store, reference.run, "pievt resume"));
  PIEVT_TRY(log.refresh());  // what was said until the lock was ours counts too
  supervisor::RunRecord record(log, reference.run, PIEVT_TRY(load_run(log, reference.run)));
  if (const std::string& rules = record.state().ruleset;
      !rules.empty() && !rules.starts_with("pievt-")) {
    return Error{Errc::invalid_transition,
                 fmt::format("run {} was imported ({}): its record can be read, and it cannot be "
                             "gone on with",
                             reference.run, rules)};
  }
  supervisor::Options settings = supervisor_options(context, store);
  PIEVT_TRY(restore_environments(context, record, settings));
  say_scope(context, log, reference.run, {});
  const Exit exit =
      PIEVT_TRY(supervise(context, record, settings, signals, [&] { return reopen(record); }));
  PIEVT_TRY(log.close());
  return exit;
}

}  // namespace pievt::tools::verbs
