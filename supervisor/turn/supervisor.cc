#include "supervisor/turn/supervisor.h"

#include <algorithm>
#include <csignal>

#include <fmt/format.h>

#include "pievt/limits.h"
#include "supervisor/launch/run_lock.h"
#include "supervisor/planners/batch.h"
#include "supervisor/process/orphans.h"
#include "supervisor/record/clock.h"

namespace pievt::supervisor {
namespace {

using process::ChildInput;
using process::Clock;
using process::Moment;

constexpr std::uint64_t signal_token = 0;
constexpr std::uint64_t watch_token = 1;

// The live view counts seconds.
constexpr std::chrono::milliseconds show_interval{1000};

// How often a run that waits for others on the store, or for memory, asks again.
constexpr std::chrono::milliseconds admission_interval{100};

// How often a child's memory is noted, besides when it has said its last word.
constexpr std::chrono::milliseconds note_peak_interval{1000};

// Preparing the start of a child takes some tenths of a millisecond. Between so many the others are
// read and people are heard.
constexpr std::size_t launches_a_turn_max = 8;

// As many starts, and removals of files, at the same time.
constexpr std::size_t starter_threads = 3;

// What was read is written after so long at the latest.
constexpr std::chrono::milliseconds looks_time_max{8};

// Packing one takes some milliseconds, and between two the others are read.
constexpr std::size_t chunks_a_look_max = 1;

// pi cannot know that its answer has grown into a flood.
constexpr std::uint64_t output_bytes_max = 1ull << 30;

Moment moment_at(std::uint64_t wall_ns) {
  const std::uint64_t now = wall_now_ns();
  return Clock::now() + std::chrono::nanoseconds(wall_ns > now ? wall_ns - now : 0);
}

}  // namespace

Result<std::unique_ptr<Supervisor>> Supervisor::create(RunRecord& record, const Options& options,
                                                       const process::Signals& signals) {
  PIEVT_TRY(process::become_subreaper());
  Launcher launcher = PIEVT_TRY(Launcher::create(options));
  process::RaisedFileLimit files = PIEVT_TRY(process::RaisedFileLimit::raise());
  process::Poller poller = PIEVT_TRY(process::Poller::create());
  process::Watch watch = PIEVT_TRY(process::Watch::create());
  Admission admission = PIEVT_TRY(Admission::open(options));
  auto starter = PIEVT_TRY(process::Starter::create(starter_threads));
  std::unique_ptr<Supervisor> made(new Supervisor(
      record, options, signals, std::move(launcher), std::move(files), std::move(poller),
      std::move(watch), std::move(admission), std::move(starter)));
  if (auto oom = process::OomCounter::open(); oom.ok()) made->oom_.emplace(std::move(*oom));
  PIEVT_TRY(made->poller_.add(signals.fd(), process::Interest::read, signal_token));
  PIEVT_TRY(made->poller_.add(made->watch_.fd(), process::Interest::read, watch_token));
  PIEVT_TRY(made->poller_.add(made->starter_->fd(), process::Interest::read, starter_token));
  PIEVT_TRY(made->workspaces_.seen().attach(made->poller_, writes_token));
  made->control_ = PIEVT_TRY(
      control::Server::listen(launch::run_directory(options.store, record.run_id()),
                              record.run_id(), options.program, made->poller_, control_token));
  return made;
}

Status Supervisor::run() {
  while (record_.state().phase != state::RunPhase::finished || !attempts_.empty() ||
         record_.has_pending() || !hooks_->is_idle(record_.state())) {
    if (const Status done = turn(); !done.ok()) return ended_by(done.error());
  }
  starter_->finish();  // the last files of attempts go
  show_change();
  tell_subscribers(control::Server::Tell::always);
  return {};
}

Error Supervisor::ended_by(Error error) const {
  if (error.code != Errc::no_space && error.code != Errc::io) return error;
  error.what += fmt::format(
      "; nothing that was recorded is lost, and children that run go on: {}, then pievt resume {}",
      error.code == Errc::no_space ? "make room" : "mend that", record_.run_id());
  return error;
}

// Written first, done second; and what was done is written at once, before anything is waited for.
Status Supervisor::turn() {
  PIEVT_TRY(plan());
  PIEVT_TRY(hooks_->plan(record_));
  PIEVT_TRY(record_.commit());
  send_answers();
  if (record_.digest_due()) PIEVT_TRY(record_.propose_digest());
  for (auto& [token, attempt] : attempts_) {
    if (attempt.output) PIEVT_TRY(attempt.output->release_stored());
  }
  for (const launch::AttemptName& name : std::exchange(to_remove_, {})) {
    // Its content is in the store; files that cannot be removed are left for gc.
    starter_->later(
        [&, name] { static_cast<void>(launch::remove_attempt_files(options_.store, name)); });
  }
  PIEVT_TRY(remove_worktrees());
  show_change();
  tell_subscribers(control::Server::Tell::who_reads);
  PIEVT_TRY(hooks_->act(record_));
  if (!acts_.empty()) {
    PIEVT_TRY(carry_out_acts());
    if (acts_left_ == 0 && !more_to_launch_) return {};
    PIEVT_TRY(record_.commit());
    return wait();  // which does not wait, but looks
  }
  if (record_.has_pending() ||
      (attempts_.empty() && record_.state().phase == state::RunPhase::finished &&
       hooks_->is_idle(record_.state())))
    return {};
  return wait();
}

// That a file was written is soon noted and changes no decision: no turn is made for it.
Result<std::vector<process::Wakeup>> Supervisor::next_wakeups() {
  SeenWrites& seen = workspaces_.seen();
  const Moment deadline = next_deadline();
  for (;;) {
    PIEVT_TRY(seen.listen(Clock::now()));
    const auto paused = seen.paused_until();
    const auto woken = PIEVT_TRY(poller_.wait(paused ? std::min(deadline, *paused) : deadline));
    std::vector<process::Wakeup> wakeups(woken.begin(), woken.end());
    if (std::erase_if(wakeups, [](const auto& each) { return each.token == writes_token; }) > 0)
      PIEVT_TRY(seen.look());
    if (!wakeups.empty() || Clock::now() >= deadline) return wakeups;
  }
}

Status Supervisor::wait() {
  for (const process::Wakeup& wakeup : PIEVT_TRY(next_wakeups())) {
    if (wakeup.token == signal_token) {
      PIEVT_TRY(take_signal());
    } else if (wakeup.token == watch_token) {
      PIEVT_TRY(watch_.read());
      for (auto& [token, attempt] : attempts_) {
        if (attempt.output)
          attempt.output->stdout_channel().pace = process::Pace::from(Clock::now());
      }
    } else if (wakeup.token == starter_token) {
      PIEVT_TRY(take_started());
    } else if (control_->owns(wakeup.token)) {
      PIEVT_TRY(control_->woken(wakeup));
    } else if (hooks_->owns(wakeup.token)) {
      continue;  // looked after below
    } else {
      PIEVT_TRY(reap(static_cast<Token>(wakeup.token)));
    }
  }
  PIEVT_TRY(take_requests());
  PIEVT_TRY(hooks_->check(record_));
  PIEVT_TRY(pump_outputs());
  return check_deadlines();
}

Status Supervisor::plan() {
  more_to_launch_ = false;
  for (;;) {
    // Probes come first: until all have answered, no job starts.
    const bool probing = std::ranges::any_of(
        attempts_, [](const auto& item) { return item.second.subject.job == 0; });
    planners::NextSteps next =
        planners::next_steps(record_.state(), record_.marks(), record_.wall_ns());
    for (NewEvent& event : next.events) {
      // Before the end, because nothing may follow it.
      if (event.payload.type() == schema::Payload::RunFinished) PIEVT_TRY(record_.propose_digest());
      PIEVT_TRY(record_.propose(std::move(event)));
    }
    if (!next.events.empty()) continue;
    wake_at_ns_ = next.wake_at_ns;
    PIEVT_TRY(enforce_stops());
    if (probing) return {};
    if (next.launches.empty()) PIEVT_TRY(end_wait());
    const bool too_many = next.launches.size() > launches_a_turn_max;
    if (too_many) next.launches.resize(launches_a_turn_max);
    for (const std::uint32_t job : next.launches) {
      std::optional<process::Slot> slot;
      if (!PIEVT_TRY(admit(slot))) return {};
      PreparedLaunch launch = PIEVT_TRY(launcher_.prepare_job(record_, job));
      const Subject subject = launch.subject;
      LiveAttempt attempt;
      attempt.subject = subject;
      attempt.cwd = launch.cwd;
      attempt.launch = std::move(launch);
      attempt.slot = std::move(slot);
      PIEVT_TRY(input(add(std::move(attempt)), ChildInput::start));
    }
    more_to_launch_ = too_many;
    return {};
  }
}

Status Supervisor::take_signal() {
  const auto received = PIEVT_TRY(signals_.next());
  if (!received || record_.state().phase == state::RunPhase::finished) return {};
  const bool asked_before = record_.state().phase == state::RunPhase::stopping;
  const bool now = received->number != SIGINT || asked_before;
  std::string reason = fmt::format(
      "signal {}{}",
      received->number == SIGINT    ? "INT"
      : received->number == SIGTERM ? "TERM"
                                    : "HUP",
      received->sender_pid == 0 ? "" : fmt::format(" from process {}", received->sender_pid));
  auto asked_by = std::make_unique<schema::RequesterT>();
  asked_by->uid = received->sender_user;
  asked_by->pid = static_cast<std::uint32_t>(received->sender_pid);
  PIEVT_TRY(request_stop(now ? schema::StopMode::now : schema::StopMode::drain, std::move(reason),
                         std::move(asked_by)));
  return {};
}

// In turns, from where the last look had no more time: who was not looked at stays due.
Status Supervisor::pump_outputs() {
  const Moment until = Clock::now() + looks_time_max;
  tools_.chunks_left = chunks_a_look_max;
  auto next = attempts_.upper_bound(looked_at_);
  for (std::size_t left = attempts_.size(); left > 0; --left, ++next) {
    if (next == attempts_.end()) next = attempts_.begin();
    PIEVT_TRY(look_at(next->first, next->second));
    looked_at_ = next->first;
    if (Clock::now() >= until) break;
  }
  return {};
}

Status Supervisor::look_at(Token token, LiveAttempt& attempt) {
  if (!attempt.output) return {};
  if (attempt.drain_until) return drain(token, attempt);
  if (Clock::now() < attempt.output->stdout_channel().pace.next_look) return {};
  PIEVT_TRY(pump(attempt));
  const bool spoke = attempt.output->facts().header_seen;
  if (attempt.machine != process::ChildState::starting || !spoke) return {};
  return input(token, ChildInput::ready);
}

Status Supervisor::pump(LiveAttempt& attempt) {
  AttemptOutput& output = *attempt.output;
  const std::uint64_t bytes = PIEVT_TRY(output.pump(record_, tools_));
  if (bytes > 0 && attempt.process && output.facts().agent_end_seen) attempt.process->note_peak();
  Channel& channel = output.stdout_channel();
  const process::PaceStep step = process::after_look(channel.pace, bytes, Clock::now());
  channel.pace = step.pace;
  if (step.move == process::PaceMove::arm_watch) {
    channel.watch = PIEVT_TRY(watch_.arm(channel.fd()));
    output.stderr_channel().watch = PIEVT_TRY(watch_.arm(output.stderr_channel().fd()));
  }
  return {};
}

Status Supervisor::check_deadlines() {
  const Moment now = Clock::now();
  std::vector<Token> tokens;
  for (const auto& [token, attempt] : attempts_) tokens.push_back(token);
  for (const Token token : tokens) {
    const auto found = attempts_.find(token);
    if (found == attempts_.end()) continue;
    LiveAttempt& attempt = found->second;
    if (attempt.process && now >= attempt.note_peak_at) {
      attempt.process->note_peak();
      attempt.note_peak_at = now + note_peak_interval;
    }
    if (attempt.step_over && now >= *attempt.step_over) {
      attempt.step_over.reset();
      PIEVT_TRY(input(token, ChildInput::timeout));
      continue;
    }
    if (attempt.deadline && now >= *attempt.deadline) {
      attempt.deadline.reset();
      PIEVT_TRY(stop(token, schema::StopReason::deadline, ChildInput::stop));
      continue;
    }
    if (!attempt.output || attempt.stop_reason != schema::StopReason::unknown) continue;
    if (attempt.output->bytes() > output_bytes_max) {
      schema::OutputAnomalyObservedT flood;
      flood.channel = schema::OutputChannel::stdout;
      flood.anomaly = schema::OutputAnomaly::output_limit;
      flood.size = attempt.output->stdout_bytes();
      flood.count = 1;
      PIEVT_TRY(record_.propose({std::move(flood), attempt.subject}));
      PIEVT_TRY(stop(token, schema::StopReason::supervisor_policy, ChildInput::stop));
    } else {
      PIEVT_TRY(check_silence(token, attempt, now));
    }
  }
  return {};
}

Moment Supervisor::next_deadline() const {
  if (more_to_launch_ || acts_left_ > 0) return Clock::now();
  Moment next = Clock::now() + show_interval;
  for (const auto& [token, attempt] : attempts_) {
    if (attempt.drain_until) return Clock::now();
    if (attempt.deadline) next = std::min(next, *attempt.deadline);
    if (attempt.step_over) next = std::min(next, *attempt.step_over);
    if (attempt.output) {
      next = std::min(next, attempt.output->stdout_channel().pace.next_look);
    }
    if (const auto silent = silent_at(attempt)) next = std::min(next, *silent);
  }
  if (const auto hook = hooks_->next_deadline()) next = std::min(next, *hook);
  if (wake_at_ns_) next = std::min(next, moment_at(*wake_at_ns_));
  if (record_.state().waiting != schema::WaitReason::unknown)
    next = std::min(next, Clock::now() + admission_interval);
  return next;
}

void Supervisor::show_change() {
  if (!options_.on_change) return;
  const Moment now = Clock::now();
  if (record_.state().revision == shown_revision_ && now - shown_at_ < show_interval) return;
  shown_revision_ = record_.state().revision;
  shown_at_ = now;
  options_.on_change(record_.state());
}

}  // namespace pievt::supervisor
