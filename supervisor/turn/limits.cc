// What ends an attempt before its time, and what keeps one from beginning. What is decided is pure
// (planners/stops.h, silence.h, admission.h); this file asks with what the loop knows, and does it.
#include "supervisor/planners/silence.h"
#include "supervisor/planners/stops.h"
#include "supervisor/turn/supervisor.h"

namespace pievt::supervisor {
namespace {

using process::ChildInput;
using process::Moment;

std::uint64_t milliseconds(process::Clock::duration duration) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  return ms > 0 ? static_cast<std::uint64_t>(ms) : 0;
}

planners::SilenceStep step_of(const RunState& run, Subject subject, const planners::Quiet& quiet) {
  const JobState* job = find_job(run, subject.job);
  return planners::silence_step(
      job == nullptr || job->declared == nullptr ? nullptr : job->declared->silence.get(), quiet);
}

planners::Quiet quiet_of(const LiveAttempt& attempt, Moment now) {
  const AttemptOutput& output = *attempt.output;
  return {.activity = output.activity(),
          .silent_ms = milliseconds(now - output.last_activity()),
          .announced = output.is_announced(),
          .noted = attempt.silence_noted == output.last_activity()};
}

// While the commands of its contract run, the process is a command's, and pi has had its last word.
// So it has when it ended and waits to be judged.
bool is_talking(const LiveAttempt& attempt) {
  return attempt.output && attempt.process && !attempt.commands &&
         process::may_have_process(attempt.machine);
}

bool is_stopping(const LiveAttempt& attempt) {
  return attempt.stop_reason != schema::StopReason::unknown;
}

}  // namespace

Status Supervisor::enforce_stops() {
  std::vector<std::pair<Token, schema::StopReason>> stops;
  for (const auto& [token, attempt] : attempts_) {
    if (is_stopping(attempt)) continue;
    if (const auto reason = planners::stop_wanted(record_.state(), attempt.subject))
      stops.emplace_back(token, *reason);
  }
  for (const auto& [token, reason] : stops) PIEVT_TRY(stop(token, reason, ChildInput::stop));
  return {};
}

Status Supervisor::check_silence(Token token, LiveAttempt& attempt, Moment now) {
  using planners::SilenceMove;
  if (!is_talking(attempt)) return {};
  const planners::Quiet quiet = quiet_of(attempt, now);
  const planners::SilenceStep step = step_of(record_.state(), attempt.subject, quiet);
  if (step.move == SilenceMove::none) return {};
  if (step.move == SilenceMove::end_lingering)
    return stop(token, schema::StopReason::lingering, ChildInput::stop);
  schema::SilenceObservedT event;
  event.activity = quiet.activity;
  event.silent_ms = quiet.silent_ms;
  PIEVT_TRY(record_.propose({std::move(event), attempt.subject}));
  attempt.silence_noted = attempt.output->last_activity();
  if (step.move == SilenceMove::note) return {};
  return stop(token, schema::StopReason::silent, ChildInput::stop);
}

std::optional<Moment> Supervisor::silent_at(const LiveAttempt& attempt) const {
  if (!is_talking(attempt) || is_stopping(attempt)) return std::nullopt;
  const planners::Quiet quiet = quiet_of(attempt, process::Clock::now());
  const planners::SilenceStep step = step_of(record_.state(), attempt.subject, quiet);
  if (!step.again_at_ms) return std::nullopt;
  return attempt.output->last_activity() + std::chrono::milliseconds(*step.again_at_ms);
}

Result<bool> Supervisor::admit(std::optional<process::Slot>& slot) {
  Admission::Answer answer = PIEVT_TRY(admission_.ask(attempts_.size()));
  if (auto event = planners::admission_step(record_.state(), answer.refusal, record_.wall_ns()))
    PIEVT_TRY(record_.propose(std::move(*event)));
  slot = std::move(answer.slot);
  return slot.has_value();
}

Status Supervisor::end_wait() {
  if (record_.state().phase == state::RunPhase::finished) return {};
  if (auto event = planners::admission_step(record_.state(), {}, record_.wall_ns()))
    PIEVT_TRY(record_.propose(std::move(*event)));
  return {};
}

}  // namespace pievt::supervisor
