// The beginning: of a run that is new, or of one whose supervisor is gone. Children that still run
// are taken over; of those that do not it is recorded that, and why, nobody saw their end. Then the
// loop goes on as if nothing had happened.
#include <set>

#include <sys/utsname.h>
#include <unistd.h>

#include "supervisor/process/sweep.h"
#include "supervisor/turn/supervisor.h"
#include "supervisor/turn/tool_writes.h"

namespace pievt::supervisor {
namespace {

using process::ChildInput;
using process::ChildState;
using state::AttemptPhase;

std::unique_ptr<schema::ProcessIdT> copy_of(const schema::ProcessIdT* id) {
  return id == nullptr ? nullptr : std::make_unique<schema::ProcessIdT>(*id);
}

Result<std::unique_ptr<schema::ProcessIdT>> this_supervisor() {
  const process::ProcessId id = PIEVT_TRY(process::identify(::getpid()));
  auto out = std::make_unique<schema::ProcessIdT>();
  out->pid = static_cast<std::uint32_t>(id.pid);
  out->start_ticks = id.start_ticks;
  out->boot_id = id.boot_id;
  out->pid_namespace = id.pid_namespace;
  return out;
}

process::ProcessId to_process_id(const schema::ProcessIdT& id) {
  return {static_cast<pid_t>(id.pid), id.start_ticks, id.boot_id, id.pid_namespace};
}

schema::LostReason reason_of(process::Absence absence) {
  switch (absence) {
    case process::Absence::ended:
      return schema::LostReason::ended_unwatched;
    case process::Absence::number_reused:
      return schema::LostReason::number_reused;
    case process::Absence::machine_restarted:
      return schema::LostReason::machine_restarted;
  }
  return schema::LostReason::unknown;
}

bool has_process(AttemptPhase phase) {
  return phase == AttemptPhase::launch_requested || phase == AttemptPhase::running ||
         phase == AttemptPhase::stopping;
}

}  // namespace

Status Supervisor::begin() {
  hooks_.emplace(options_, poller_, hook_token, record_.state());
  if (record_.state().phase == state::RunPhase::planned) return begin_new();
  PIEVT_TRY(record_.commit());
  record_.restore_marks(PIEVT_TRY(read_marks(record_.log(), record_.run_id())));
  return recover();
}

Status Supervisor::begin_new() {
  schema::RunStartedT started;
  started.supervisor = PIEVT_TRY(this_supervisor());
  started.pi_program = launcher_.pi().path;
  started.pi_version = launcher_.pi().version.text();
  const launch::ChildEnvironment environment = PIEVT_TRY(launcher_.common_environment());
  started.environment_passed = environment.passed;
  started.environment_withheld = environment.withheld;
  utsname system{};
  if (::uname(&system) == 0) {
    started.host = system.nodename;
    started.kernel = system.release;
  }
  PIEVT_TRY(record_.propose({std::move(started)}));
  expect_caller();
  return options_.probe == Probe::every_model ? request_probes() : Status();
}

Status Supervisor::request_probes() {
  std::set<std::string> models;
  for (const auto& job : record_.state().jobs) models.insert(job->model);
  for (const std::string& model : models) PIEVT_TRY(request_probe(model));
  return {};
}

Status Supervisor::request_probe(const std::string& model) {
  PreparedLaunch launch = PIEVT_TRY(launcher_.prepare_probe(record_, model));
  LiveAttempt attempt;
  attempt.subject = launch.subject;
  attempt.cwd = launch.cwd;
  attempt.launch = std::move(launch);
  return input(add(std::move(attempt)), ChildInput::start);
}

Status Supervisor::recover() {
  std::vector<Subject> open;
  std::uint32_t adopted = 0, lost = 0;
  const auto collect = [&](std::uint32_t job, const auto& attempts) {
    for (const auto& attempt : attempts) {
      if (attempt->phase != AttemptPhase::classified)
        open.push_back({.job = job, .attempt = attempt->number});
    }
  };
  collect(0, record_.state().attempts);
  for (const auto& job : record_.state().jobs) collect(job->number, job->attempts);
  for (const Subject& subject : open) {
    const AttemptState& attempt = *find_attempt(record_.state(), subject.job, subject.attempt);
    schema::LostReason ignored{};
    if (!has_process(attempt.phase)) continue;
    ++(PIEVT_TRY(find_process(attempt, ignored)) ? adopted : lost);
  }
  schema::RunRecoveredT event;
  event.supervisor = PIEVT_TRY(this_supervisor());
  event.previous = copy_of(record_.state().supervisor.get());
  event.adopted = adopted;
  event.lost = lost;
  event.pi_version = launcher_.pi().version.text();
  PIEVT_TRY(record_.propose({std::move(event)}));
  for (const Subject& subject : open) PIEVT_TRY(recover_attempt(subject));
  PIEVT_TRY(recover_worktrees());
  return {};
}

// Where a start was intended and not confirmed, the marker in the environment tells whether it
// happened.
Result<std::optional<process::Process>> Supervisor::find_process(const AttemptState& attempt,
                                                                 schema::LostReason& lost) {
  std::optional<process::ProcessId> id;
  if (attempt.process != nullptr) {
    id = to_process_id(*attempt.process);
  } else {
    const process::MarkedProcesses marked = PIEVT_TRY(process::find_marked(attempt.marker));
    std::set<pid_t> pids;
    for (const auto& seen : marked.found) pids.insert(seen.pid);
    for (const auto& seen : marked.found) {
      if (pids.contains(seen.parent_pid)) continue;  // a tool of the one we look for
      if (const auto found = process::identify(seen.pid); found.ok()) id = *found;
      break;
    }
  }
  lost = schema::LostReason::never_started;
  if (!id) return std::optional<process::Process>();
  auto reopened = PIEVT_TRY(process::reopen(*id));
  if (auto* process = std::get_if<process::Process>(&reopened))
    return std::optional(std::move(*process));
  lost = reason_of(std::get<process::Absence>(reopened));
  return std::optional<process::Process>();
}

Status Supervisor::recover_attempt(Subject subject) {
  const AttemptState& state = *find_attempt(record_.state(), subject.job, subject.attempt);
  LiveAttempt attempt;
  attempt.subject = subject;
  attempt.cwd = directory_of(record_.state(), {subject.job, subject.attempt});
  attempt.stop_reason = state.stop_reason;
  attempt.stop_step = state.stop_step;
  attempt.machine = ChildState::draining;

  schema::LostReason lost{};
  if (has_process(state.phase)) {
    std::optional<process::Process> process = PIEVT_TRY(find_process(state, lost));
    if (process) {
      schema::AttemptAdoptedT event;
      event.process = std::make_unique<schema::ProcessIdT>();
      const process::ProcessId& id = process->id();
      event.process->pid = static_cast<std::uint32_t>(id.pid);
      event.process->start_ticks = id.start_ticks;
      event.process->boot_id = id.boot_id;
      event.process->pid_namespace = id.pid_namespace;
      PIEVT_TRY(record_.propose({std::move(event), subject}));
      attempt.process = std::move(process);
      attempt.machine = ChildState::up;
      attempt.slot = admission_.readmit();
      if (subject.job != 0) workspaces_.adopt(record_, subject, attempt.cwd);
      set_deadline(attempt);
    } else {
      schema::AttemptLostT event;
      event.reason = lost;
      PIEVT_TRY(record_.propose({std::move(event), subject}));
    }
  }
  // Without files there is nothing to follow: the start was intended and never came to it.
  if (const Status opened = open_output(attempt); !opened.ok() && attempt.process) return opened;
  const Token token = add(std::move(attempt));
  LiveAttempt& live = attempts_.at(token);
  if (!live.process) {
    acts_.push_back({token, process::ChildMove::sweep});
    return {};
  }
  PIEVT_TRY(poller_.add(live.process->fd(), process::Interest::read, token));
  // A stop that was begun begins anew; one that was only decided is seen to by the next turn.
  if (live.stop_reason == schema::StopReason::unknown) return {};
  return stop(token, live.stop_reason, ChildInput::stop);
}

}  // namespace pievt::supervisor
