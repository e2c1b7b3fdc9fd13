// One attempt's life in the simulated world, as supervisor/turn/attempts.cc has it in the real one.
#include <csignal>

#include "supervisor/capture/attempt_output.h"
#include "supervisor/planners/silence.h"
#include "supervisor/turn/classify.h"
#include "supervisor/turn/conclude.h"
#include "tests/simulation/sim_supervisor.h"

namespace pievt::simulation {
namespace {

using process::ChildInput;
using process::ChildMove;
using process::ChildState;

constexpr std::uint64_t stop_grace_ms = 5'000;

}  // namespace

void SimSupervisor::input(Token token, ChildInput what) {
  Live& live = live_.at(token);
  const process::ChildStep step = process::child_step(live.machine, what);
  live.machine = step.next;
  switch (step.move) {
    case ChildMove::none:
      return;
    case ChildMove::signal_term:
    case ChildMove::signal_term_again:
    case ChildMove::signal_kill: {
      schema::AttemptStopRequestedT intent;
      intent.reason = live.stop_reason;
      intent.signal = step.move == ChildMove::signal_kill ? SIGKILL : SIGTERM;
      intent.step = ++live.stop_step;
      propose({std::move(intent), live.subject});
      break;
    }
    default:
      break;
  }
  acts_.push_back({token, step.move});
}

void SimSupervisor::stop(Token token, schema::StopReason reason) {
  Live& live = live_.at(token);
  if (live.stop_reason == schema::StopReason::unknown) live.stop_reason = reason;
  input(token, ChildInput::stop);
}

void SimSupervisor::carry_out(const Act& act) {
  const auto found = live_.find(act.token);
  if (found == live_.end()) return;
  Live& live = found->second;
  world_.step();  // died before the act
  switch (act.move) {
    case ChildMove::none:
      break;
    case ChildMove::spawn:
      start(act.token, live);
      break;
    case ChildMove::signal_term:
    case ChildMove::signal_term_again:
    case ChildMove::signal_kill: {
      if (!live.has_process) break;
      live.signalled = true;
      world_.signal(*world_.find(live.marker),
                    act.move == ChildMove::signal_kill ? SIGKILL : SIGTERM);
      if (process::waits_for_timeout(live.machine))
        live.step_over_ms = world_.now_ms() + stop_grace_ms;
      break;
    }
    case ChildMove::sweep:
      if (live.stream) pump(live);
      input(act.token, ChildInput::drained);
      break;
    case ChildMove::settle:
      finish(act.token, live);
      break;
  }
  world_.step();  // died after the act, before what came of it was written
}

void SimSupervisor::start(Token token, Live& live) {
  if (world_.scenario().script(live.subject.job, live.subject.attempt).spawn_fails) {
    schema::AttemptLaunchFailedT failed;
    failed.error = "there is no such program";
    propose({std::move(failed), live.subject});
    return input(token, ChildInput::spawn_failed);
  }
  Child& child = world_.spawn(live.marker, live.subject);
  schema::AttemptLaunchedT launched;
  launched.process = std::make_unique<schema::ProcessIdT>();
  launched.process->pid = child.pid;
  propose({std::move(launched), live.subject});
  live.has_process = live.is_parent = true;
  live.deadline_ms =
      world_.now_ms() +
      find_attempt(record_.state(), live.subject.job, live.subject.attempt)->timeout_ms;
  open_output(live);
  input(token, ChildInput::spawned);
}

void SimSupervisor::finish(Token token, Live& live) {
  const Subject subject = live.subject;
  if (live.stream) {
    live.stream->finish([&](pi::Observation&& observation) {
      pi::apply(live.facts, observation);
      must(live.observer->see(record_, observation));
    });
  }
  std::optional<supervisor::Said> said;
  if (live.stream) said.emplace(supervisor::Said{live.facts, live.session, live.bytes, 0});
  const AttemptState& state = *find_attempt(record_.state(), subject.job, subject.attempt);
  must(supervisor::conclude(record_, subject, supervisor::classify(state, said), std::nullopt));
  live_.erase(token);
}

void SimSupervisor::pump(Live& live) {
  const Child& child = *world_.find(live.marker);
  const std::uint64_t end = std::min(world_.now_ms(), child.dies_ms.value_or(UINT64_MAX));
  const auto& lines = child.script.says;
  while (live.lines_read < lines.size() && child.started_ms + lines[live.lines_read].at_ms <= end) {
    const std::string line = lines[live.lines_read++].text + "\n";
    live.bytes += line.size();
    live.last_activity_ms = world_.now_ms();
    live.stream->feed(line, [&](pi::Observation&& observation) {
      live.streaming = std::holds_alternative<pi::Streaming>(observation);
      pi::apply(live.facts, observation);
      must(live.observer->see(record_, observation));
    });
  }
}

void SimSupervisor::reap(Token token, Live& live) {
  const Child& child = *world_.find(live.marker);
  if (child.alive(world_.now_ms())) return;
  live.has_process = false;
  live.deadline_ms.reset();
  live.step_over_ms.reset();
  schema::AttemptExitedT event;
  event.knowledge =
      live.is_parent ? schema::ExitKnowledge::observed : schema::ExitKnowledge::ended_unobserved;
  if (live.is_parent) {
    event.exit_code = child.exit_code;
    event.signal = static_cast<std::uint32_t>(child.signal);
    event.sender = child.signal == 0 ? schema::SignalSender::nobody
                   : live.signalled  ? schema::SignalSender::supervisor
                                     : schema::SignalSender::somebody_else;
  }
  propose({std::move(event), live.subject});
  input(token, ChildInput::exited);
}

void SimSupervisor::check_time(Token token, Live& live) {
  const std::uint64_t now = world_.now_ms();
  if (live.step_over_ms && now >= *live.step_over_ms) {
    live.step_over_ms.reset();
    return input(token, ChildInput::timeout);
  }
  if (live.stop_reason != schema::StopReason::unknown) return;
  if (live.deadline_ms && now >= *live.deadline_ms)
    return stop(token, schema::StopReason::deadline);
  planners::Quiet quiet;
  quiet.activity = supervisor::activity_of(live.facts, live.streaming);
  quiet.silent_ms = now - live.last_activity_ms;
  quiet.announced = live.facts.retry_pending || live.facts.compaction_open.has_value();
  quiet.noted = live.noted_ms == live.last_activity_ms;
  const JobState& job = *find_job(record_.state(), live.subject.job);
  const auto step = planners::silence_step(job.declared->silence.get(), quiet);
  if (step.move == planners::SilenceMove::none) return;
  if (step.move == planners::SilenceMove::end_lingering)
    return stop(token, schema::StopReason::lingering);
  schema::SilenceObservedT event;
  event.activity = quiet.activity;
  event.silent_ms = quiet.silent_ms;
  propose({std::move(event), live.subject});
  live.noted_ms = live.last_activity_ms;
  if (step.move == planners::SilenceMove::stop) stop(token, schema::StopReason::silent);
}

void SimSupervisor::open_output(Live& live) {
  std::uint64_t recorded = 0;
  world_.log.read([&](const EventView& event) {
    if (event.head().job() == live.subject.job && event.head().attempt() == live.subject.attempt &&
        supervisor::is_observation(event))
      ++recorded;
  });
  live.stream = std::make_unique<pi::Stream>();
  // What scripted children say holds no secrets.
  static const secrets::Policy no_secrets{.finder = {}, .report = false, .mask = false};
  live.observer = std::make_unique<supervisor::Observer>(live.subject, "/w", recorded, no_secrets);
  live.last_activity_ms = world_.now_ms();
}

}  // namespace pievt::simulation
