// One attempt's life, as the child machine tells it: an input becomes a move, a move an intent, an
// intent an act.
#include <algorithm>
#include <csignal>

#include <fmt/format.h>

#include "supervisor/process/free_space.h"
#include "supervisor/process/orphans.h"
#include "supervisor/process/sweep.h"
#include "supervisor/record/clock.h"
#include "supervisor/turn/report.h"
#include "supervisor/turn/settle.h"
#include "supervisor/turn/supervisor.h"

namespace pievt::supervisor {
namespace {

using process::ChildInput;
using process::ChildMove;
using process::Clock;

// So long acts may keep the loop from reading what others say. When two hundred children end in one
// second, that many are to be judged.
constexpr std::chrono::milliseconds acts_time_max{8};

// With less room than this nothing is started, and no child that ended is judged.
constexpr std::uint64_t space_bytes_min = 1u << 20;

std::unique_ptr<schema::ProcessIdT> to_schema(const process::ProcessId& id) {
  auto out = std::make_unique<schema::ProcessIdT>();
  out->pid = static_cast<std::uint32_t>(id.pid);
  out->start_ticks = id.start_ticks;
  out->boot_id = id.boot_id;
  out->pid_namespace = id.pid_namespace;
  return out;
}

std::unique_ptr<schema::LeftoverT> leftover(const process::MarkedProcess& seen) {
  auto out = std::make_unique<schema::LeftoverT>();
  out->process = std::make_unique<schema::ProcessIdT>();
  out->process->pid = static_cast<std::uint32_t>(seen.pid);
  out->process->start_ticks = seen.start_ticks;
  out->parent_pid = static_cast<std::uint32_t>(seen.parent_pid);
  out->command = seen.command.empty() ? seen.comm : seen.command;
  return out;
}

}  // namespace

Supervisor::Token Supervisor::add(LiveAttempt attempt) {
  const Token token = next_token_++;
  attempts_.emplace(token, std::move(attempt));
  return token;
}

Status Supervisor::input(Token token, ChildInput what) {
  LiveAttempt& attempt = attempts_.at(token);
  if (attempt.commands) return command_input(token, attempt, what);
  const process::ChildStep step = process::child_step(attempt.machine, what);
  attempt.machine = step.next;
  switch (step.move) {
    case ChildMove::none:
      return {};
    case ChildMove::signal_term:
    case ChildMove::signal_term_again:
    case ChildMove::signal_kill: {
      schema::AttemptStopRequestedT intent;
      intent.reason = attempt.stop_reason;
      intent.signal = step.move == ChildMove::signal_kill ? SIGKILL : SIGTERM;
      intent.step = ++attempt.stop_step;
      PIEVT_TRY(record_.propose({std::move(intent), attempt.subject}));
      break;
    }
    default:
      break;  // spawn: its intent was proposed with everything that is known about it
  }
  acts_.push_back({token, step.move});
  return {};
}

Status Supervisor::stop(Token token, schema::StopReason reason, ChildInput how) {
  LiveAttempt& attempt = attempts_.at(token);
  if (attempt.stop_reason == schema::StopReason::unknown) attempt.stop_reason = reason;
  return input(token, how);
}

// Those whose intents are durable, as far as there is time. What they ask for in turn is behind
// them, and its intent is yet to be written.
Status Supervisor::carry_out_acts() {
  const process::Moment until = Clock::now() + acts_time_max;
  acts_left_ = acts_.size();
  do {
    const Act act = acts_.front();
    acts_.pop_front();
    --acts_left_;
    PIEVT_TRY(carry_out(act));
  } while (acts_left_ > 0 && Clock::now() < until);
  return {};
}

Status Supervisor::carry_out(const Act& act) {
  const auto found = attempts_.find(act.token);
  if (found == attempts_.end()) return {};
  LiveAttempt& attempt = found->second;
  if (attempt.commands) return carry_out_command(act, attempt);
  switch (act.move) {
    case ChildMove::none:
      return {};
    case ChildMove::spawn:
      return start(act.token, attempt);
    case ChildMove::signal_term:
    case ChildMove::signal_term_again:
      return send(act.token, attempt, SIGTERM);
    case ChildMove::signal_kill:
      return send(act.token, attempt, SIGKILL);
    case ChildMove::sweep:
      return sweep(act.token, attempt);
    case ChildMove::settle:
      return finish(act.token, attempt);
  }
  return {};
}

Status Supervisor::start(Token token, LiveAttempt& attempt) {
  PIEVT_TRY(check_space());
  attempt.memory_kills.before = memory_kills();
  const std::string no_place = PIEVT_TRY(prepare_place(attempt));
  attempt.session_before = attempt.launch->session.size();
  const auto launch = std::make_shared<const PreparedLaunch>(std::move(*attempt.launch));
  attempt.launch.reset();
  if (!no_place.empty()) return started(token, attempt, Error{Errc::invalid, no_place});
  starter_->start(token, [this, launch] { return launcher_.start(*launch, files_.original()); });
  return {};
}

Status Supervisor::take_started() {
  for (process::Starter::Started& each : starter_->take()) {
    const auto token = static_cast<Token>(each.token);
    PIEVT_TRY(started(token, attempts_.at(token), std::move(each.spawned)));
  }
  return {};
}

// From here on the attempt has a process, or will have none.
Status Supervisor::started(Token token, LiveAttempt& attempt, Result<process::Spawned> spawned) {
  if (!spawned.ok() && spawned.error().code == Errc::no_space) return spawned.error();
  if (!spawned.ok()) {
    schema::AttemptLaunchFailedT failed;
    failed.error = spawned.error().what;
    PIEVT_TRY(record_.propose({std::move(failed), attempt.subject}));
    return input(token, ChildInput::spawn_failed);
  }
  attempt.process.emplace(std::move(spawned->process));
  schema::AttemptLaunchedT launched;
  launched.process = to_schema(attempt.process->id());
  launched.executable = spawned->executable;
  PIEVT_TRY(record_.propose({std::move(launched), attempt.subject}));
  set_deadline(attempt);
  PIEVT_TRY(open_output(attempt));
  PIEVT_TRY(poller_.add(attempt.process->fd(), process::Interest::read, token));
  return input(token, ChildInput::spawned);
}

Status Supervisor::open_output(LiveAttempt& attempt) {
  const launch::AttemptFiles files =
      launch::attempt_files(options_.store, attempt_name(record_.state(), attempt.subject));
  attempt.output.emplace(PIEVT_TRY(AttemptOutput::open(
      record_, attempt.subject, attempt.cwd,
      {files.output, files.error, files.session, attempt.session_before}, secrets_)));
  return {};
}

void Supervisor::set_deadline(LiveAttempt& attempt) const {
  const AttemptState* state =
      find_attempt(record_.state(), attempt.subject.job, attempt.subject.attempt);
  if (state == nullptr || state->timeout_ms == 0) return;
  const std::uint64_t now = boot_now_ns();
  const std::uint64_t began =
      state->launched_monotonic_ns == 0 ? now : std::min(now, state->launched_monotonic_ns);
  const std::uint64_t end = began + state->timeout_ms * 1'000'000;
  attempt.deadline = Clock::now() + std::chrono::nanoseconds(end > now ? end - now : 0);
}

Status Supervisor::send(Token token, LiveAttempt& attempt, int signal) {
  if (!attempt.process) return {};
  attempt.sent.push_back({signal, Clock::now()});
  PIEVT_TRY(attempt.process->signal(
      signal));  // one that is gone already is no error: its end will be seen
  if (process::waits_for_timeout(attempts_.at(token).machine))
    attempt.step_over = Clock::now() + options_.stop_grace;
  return {};
}

Status Supervisor::reap(Token token) {
  const auto found = attempts_.find(token);
  if (found == attempts_.end() || !found->second.process) return {};
  LiveAttempt& attempt = found->second;
  if (attempt.commands) return reap_command(token, attempt);
  const auto status = PIEVT_TRY(attempt.process->reap());
  if (!status) return {};
  PIEVT_TRY(check_space());
  PIEVT_TRY(poller_.remove(attempt.process->fd()));
  attempt.deadline.reset();
  attempt.step_over.reset();
  attempt.memory_kills.after = memory_kills();
  PIEVT_TRY(pump(attempt));
  PIEVT_TRY(record_.propose({exit_event(*status, attempt), attempt.subject}));
  return input(token, ChildInput::exited);
}

// On a full disk a child cannot write what it says, and looks like one that failed. Then it is
// better to stop: whoever resumes judges it as lost, and nothing is held against its job.
Status Supervisor::check_space() const {
  const std::uint64_t free = PIEVT_TRY(process::free_bytes(options_.store));
  if (free >= space_bytes_min) return {};
  return Error{Errc::no_space, fmt::format("the disk of {} is full: {} KiB are left",
                                           options_.store.string(), free >> 10)};
}

std::vector<pid_t> Supervisor::tracked_children() const {
  std::vector<pid_t> tracked;
  for (const auto& [token, live] : attempts_) {
    if (live.process) tracked.push_back(live.process->id().pid);
  }
  if (hooks_->pid() != 0) tracked.push_back(hooks_->pid());
  return tracked;
}

// What a child of ours leaves behind becomes our child. Where no such is there, nothing is left,
// and most attempts end so: that is one small file instead of a look at every process of the
// machine.
bool Supervisor::may_have_left_processes(const LiveAttempt& attempt) const {
  if (!attempt.process || !attempt.process->is_our_child()) return true;
  const auto others = process::other_children(tracked_children());
  return !others.ok() || !others->empty();
}

// The tree behind the process: found by its marker, named in the log, killed.
Status Supervisor::sweep(Token token, LiveAttempt& attempt) {
  PIEVT_TRY(process::reap_orphans(tracked_children(), starter_->threads()));
  const std::string marker = marker_of(record_.run_id(), attempt.subject);
  process::MarkedProcesses found;
  if (may_have_left_processes(attempt)) found = PIEVT_TRY(process::find_marked(marker));
  if (!found.found.empty()) {
    schema::AttemptLeftoversFoundT intent;
    for (const process::MarkedProcess& seen : found.found)
      intent.processes.push_back(leftover(seen));
    PIEVT_TRY(record_.propose({std::move(intent), attempt.subject}));
    PIEVT_TRY(record_.commit());
    const process::SweepReport report = PIEVT_TRY(process::sweep(marker));
    schema::AttemptSweptT swept;
    swept.killed = static_cast<std::uint32_t>(report.killed.size());
    for (const process::MarkedProcess& seen : report.survivors)
      swept.survivors.push_back(leftover(seen));
    PIEVT_TRY(record_.propose({std::move(swept), attempt.subject}));
    PIEVT_TRY(process::reap_orphans(tracked_children(), starter_->threads()));
  }
  const std::uint64_t unread = attempt.output ? attempt.output->unread() : 0;
  if (unread == 0) return input(token, ChildInput::drained);
  attempt.drain_until = attempt.output->bytes() + unread;
  return {};
}

// What was written faster than it could be read, in pieces: meanwhile the loop serves others. A
// stranger who still holds the file and goes on writing is not waited for.
Status Supervisor::drain(Token token, LiveAttempt& attempt) {
  const std::uint64_t bytes = PIEVT_TRY(attempt.output->pump(record_, tools_));
  if (bytes > 0 && attempt.output->bytes() < *attempt.drain_until) return {};
  attempt.drain_until.reset();
  return input(token, ChildInput::drained);
}

Status Supervisor::finish(Token token, LiveAttempt& attempt) {
  const Subject subject = attempt.subject;
  if (!attempt.commands) {
    if (attempt.output) PIEVT_TRY(attempt.output->finish(record_, tools_));
    if (subject.job != 0) {
      PIEVT_TRY(record_report(record_, attempt, secrets_));
      PIEVT_TRY(workspaces_.after(record_, subject, attempt.cwd));
    }
  }
  if (PIEVT_TRY(ask_commands(token, attempt))) return {};
  PIEVT_TRY(settle(record_, attempt));
  to_remove_.push_back(attempt_name(record_.state(), subject));
  PIEVT_TRY(ask_to_remove_worktree(subject));
  attempts_.erase(token);
  return subject.job == 0 ? probe_again(subject) : Status();
}

// A probe that was lost with its supervisor has said nothing about its model: it is asked once
// more.
Status Supervisor::probe_again(Subject subject) {
  const AttemptState& probe = *find_attempt(record_.state(), subject.job, subject.attempt);
  const bool unseen = probe.failure == schema::FailureKind::supervisor_lost;
  if (!unseen || record_.state().phase != state::RunPhase::running) return {};
  return request_probe(std::string(probe.model));
}

std::optional<std::uint64_t> Supervisor::memory_kills() const {
  return oom_ ? oom_->read() : std::nullopt;
}

}  // namespace pievt::supervisor
