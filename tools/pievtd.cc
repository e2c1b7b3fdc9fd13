#include "tools/pievtd.h"

#include <cstdio>
#include <ctime>
#include <string_view>

#include <sys/prctl.h>
#include <unistd.h>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "pievt/query.h"
#include "supervisor/control/detach.h"
#include "supervisor/launch/run_lock.h"
#include "supervisor/plan/disk_files.h"
#include "supervisor/plan/limits.h"
#include "supervisor/plan/read_plan.h"
#include "supervisor/settings/read_settings.h"
#include "supervisor/turn/plan_run.h"
#include "supervisor/turn/resume_run.h"
#include "supervisor/turn/secret_policy.h"
#include "supervisor/turn/supervisor.h"
#include "tools/verbs/supervise.h"

namespace pievt::tools {
namespace {

using control::Start;
using control::StartChannel;

// Standard error is the daemon's log.
void write_log(std::string_view sentence) {
  fmt::print(stderr, "{:%Y-%m-%dT%H:%M:%SZ} pievtd {}: {}\n", fmt::gmtime(std::time(nullptr)),
             ::getpid(), sentence);
}

Result<plan::PlanFile> read_plan(const Start& start, const settings::Settings& settings) {
  plan::DiskFiles files(start.plan_directory.empty() ? "" : start.plan_directory + "/");
  plan::Plan plan = PIEVT_TRY(
      plan::read_plan(start.plan_path, start.plan_text, files, settings::plan_defaults(settings)));
  return plan::PlanFile{std::move(plan), start.plan_text};
}

schema::RequesterT requester_of(const StartChannel& channel, const Start& start) {
  return control::requester({channel.starter(), start.program});
}

// From what was asked to a run that is durably planned and about to be worked on.
Status plan_new(supervisor::RunRecord& record, const StartChannel& channel, const Start& start,
                const plan::PlanFile& file, const supervisor::Options& options) {
  if (!channel.starter_waits())
    return Error{Errc::io, "whoever started pievtd is gone; nothing was planned"};
  const std::uint32_t concurrency =
      start.concurrency != 0 ? start.concurrency
                             : file.plan.concurrency.value_or(options.settings.concurrency.value_or(
                                   plan::limits::concurrency_default));
  return supervisor::plan_run(
      record, file,
      {start.plan_path,
       start.cwd,
       concurrency,
       options.settings,
       supervisor::secret_policy(options),
       {start.tool, start.when_gone,
        std::make_unique<schema::RequesterT>(requester_of(channel, start))}});
}

Status work(StartChannel& channel, const process::Signals& signals, const Start& start) {
  const bool resumes = start.what == Start::What::resume;
  supervisor::Options options = supervisor_options(start.store, start.pi);
  options.program = "pievtd";
  options.settings = PIEVT_TRY(settings::load_settings(start.store, start.cwd)).settings;
  if (!start.probe) options.probe = supervisor::Probe::none;
  plan::PlanFile file;
  if (!resumes) {
    file = PIEVT_TRY(read_plan(start, options.settings));
    options.job_environment =
        PIEVT_TRY(supervisor::job_environments(file.plan, options.environment));
  }
  Log log = PIEVT_TRY(Log::open(start.store, {.mode = OpenMode::write, .program = "pievtd"}));
  const launch::RunLock lock =
      PIEVT_TRY(launch::RunLock::acquire(start.store, start.run, "pievtd"));
  PIEVT_TRY(log.refresh());
  supervisor::RunRecord record(log, start.run,
                               resumes ? PIEVT_TRY(load_run(log, start.run)) : RunState());
  if (resumes) {
    PIEVT_TRY(supervisor::check_resumable(record.state()));
    for (const std::string& sentence : PIEVT_TRY(supervisor::restore_environments(record, options)))
      write_log(sentence);
  }
  const auto supervisor = PIEVT_TRY(supervisor::Supervisor::create(record, options, signals));
  const schema::RequesterT asked_by = requester_of(channel, start);
  PIEVT_TRY(resumes ? supervisor::reopen(record, start.program, asked_by)
                    : plan_new(record, channel, start, file, options));
  PIEVT_TRY(supervisor->begin());
  if (resumes) PIEVT_TRY(supervisor::end_pause(record, start.program, asked_by));
  PIEVT_TRY(record.commit());
  channel.tell(control::Started{start.run, static_cast<std::uint32_t>(::getpid())});
  PIEVT_TRY(supervisor->run());
  PIEVT_TRY(save_views(log, start.run));
  control::remove_empty_log(start.store, start.run);
  return log.close();
}

int failed(StartChannel* channel, const Error& error) {
  write_log(error.what);
  if (channel != nullptr) channel->tell(error);
  return static_cast<int>(exit_for(error.code));
}

}  // namespace

bool is_pievtd(const char* program_name) {
  const std::string_view name(program_name == nullptr ? "" : program_name);
  return name.substr(name.rfind('/') + 1) == "pievtd";
}

int pievtd_main() {
  // Executed by way of /proc/self/exe it would be called "exe" in lists of processes.
  ::prctl(PR_SET_NAME, "pievtd");
  // Before RocksDB starts threads: they inherit the mask.
  const auto signals = process::Signals::block();
  if (!signals.ok()) return failed(nullptr, signals.error());
  auto channel = StartChannel::adopt();
  if (!channel.ok()) return failed(nullptr, channel.error());
  const auto start = channel->receive();
  if (!start.ok()) return failed(nullptr, start.error());
  const Status worked = work(*channel, *signals, *start);
  return worked.ok() ? 0 : failed(&*channel, worked.error());
}

}  // namespace pievt::tools
