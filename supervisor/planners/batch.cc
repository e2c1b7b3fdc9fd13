#include "supervisor/planners/batch.h"

#include <algorithm>

#include <fmt/format.h>

#include "pievt/ruleset.h"
#include "supervisor/planners/budget.h"
#include "supervisor/planners/stops.h"

namespace pievt::planners {
namespace {

using schema::FailureKind;
using schema::JobStatus;
using state::AttemptPhase;
using state::JobPhase;
using state::RunPhase;

NewEvent job_event(std::uint32_t job, Payload payload, Revision causation = {}) {
  return {std::move(payload), {.job = job}, {.causation = causation, .correlation = {}}, 0};
}

NewEvent finished(const JobState& job, JobStatus status, FailureKind failure, std::string reason) {
  schema::JobFinishedT event;
  event.status = status;
  event.failure = failure;
  event.reason = std::move(reason);
  return job_event(job.number, std::move(event), {job.judged_revision});
}

enum class Readiness { ready, blocked, never };

struct Wait {
  Readiness readiness = Readiness::ready;
  const JobState* because = nullptr;
};

Wait dependencies(const RunState& run, const JobState& job) {
  Wait wait;
  for (const auto& dependency : job.depends_on) {
    const JobState* other = find_job(run, dependency->job);
    if (other == nullptr) return {Readiness::never, nullptr};
    if (other->phase != JobPhase::finished) {
      wait = {Readiness::blocked, other};
      continue;
    }
    if (dependency->when != schema::DependsWhen::finished &&
        other->status != JobStatus::succeeded) {
      return {Readiness::never, other};
    }
  }
  return wait;
}

std::size_t running_attempts(const RunState& run) {
  const auto open = [](const auto& attempts) {
    return !attempts.empty() && attempts.back()->phase != AttemptPhase::classified;
  };
  return static_cast<std::size_t>(
      std::ranges::count_if(run.jobs, [&](const auto& job) { return open(job->attempts); }));
}

NewEvent run_finished(const RunState& run) {
  schema::RunFinishedT event;
  for (const auto& job : run.jobs) {
    switch (job->status) {
      case JobStatus::succeeded:
        ++event.succeeded;
        break;
      case JobStatus::cancelled:
        ++event.cancelled;
        break;
      case JobStatus::skipped:
        ++event.skipped;
        break;
      default:
        ++event.failed;
    }
  }
  const bool all = event.succeeded == run.jobs.size();
  const bool stopped = run.phase == RunPhase::stopping && !all;
  event.ending = stopped ? schema::RunEnding::stopped
                 : all   ? schema::RunEnding::succeeded
                         : schema::RunEnding::failed;
  event.reason = stopped ? run.stop_reason
                         : fmt::format("{} of {} jobs succeeded", event.succeeded, run.jobs.size());
  event.ruleset = current_ruleset().name;
  return {std::move(event)};
}

bool is_idle(const JobState& job) {
  return job.phase == JobPhase::waiting || job.phase == JobPhase::backoff;
}

// Why a job that does not run must not begin again; nothing where it may.
std::optional<std::string> ended_by_decision(const RunState& run, const JobState& job) {
  if (run.phase == RunPhase::stopping) return run.stop_reason;
  if (job.cancel_requested_revision != 0) return job.cancel_reason;
  if (stop_wanted(run, {.job = job.number})) return std::string("its budget is spent");
  return std::nullopt;
}

// Jobs that can be decided without running: their dependencies can never be met, or they, or the
// run, are to end.
std::vector<NewEvent> decided_without_running(const RunState& run) {
  std::vector<NewEvent> events;
  for (const auto& job : run.jobs) {
    if (!is_idle(*job)) continue;
    if (auto reason = ended_by_decision(run, *job)) {
      events.push_back(
          finished(*job, JobStatus::cancelled, FailureKind::cancelled, std::move(*reason)));
      continue;
    }
    const Wait wait = dependencies(run, *job);
    if (wait.readiness != Readiness::never) continue;
    events.push_back(finished(*job, JobStatus::skipped, FailureKind::dependency_failed,
                              wait.because == nullptr
                                  ? std::string("it depends on a job that does not exist")
                                  : fmt::format("it depends on {}, which {}", wait.because->id,
                                                schema::EnumNameJobStatus(wait.because->status))));
  }
  return events;
}

// The first wave that has a job which has not ended: later ones wait for it.
std::uint32_t open_wave(const RunState& run) {
  std::uint32_t first = UINT32_MAX;
  for (const auto& job : run.jobs) {
    if (job->phase == JobPhase::finished || job->declared == nullptr) continue;
    if (job->declared->wave != 0) first = std::min(first, job->declared->wave);
  }
  return first;
}

void wake_at(NextSteps& next, std::uint64_t at_ns) {
  next.wake_at_ns = std::min(next.wake_at_ns.value_or(at_ns), at_ns);
}

// Jobs that may start now, best first: by priority, then in the order of the plan.
std::vector<const JobState*> ready_jobs(const RunState& run, std::uint64_t now_ns,
                                        NextSteps& next) {
  std::vector<const JobState*> ready;
  const std::uint32_t wave = open_wave(run);
  for (const auto& job : run.jobs) {
    if (!is_idle(*job)) continue;
    if (job->declared != nullptr && job->declared->wave > wave) continue;
    if (job->phase == JobPhase::backoff && job->retry_not_before_ns > now_ns) {
      wake_at(next, job->retry_not_before_ns);
      continue;
    }
    if (dependencies(run, *job).readiness == Readiness::ready) ready.push_back(job.get());
  }
  std::ranges::stable_sort(ready, std::greater(), &JobState::priority);
  return ready;
}

}  // namespace

NextSteps next_steps(const RunState& run, const Marks& marks, std::uint64_t now_ns) {
  NextSteps next;
  if (run.phase == RunPhase::unknown || run.phase == RunPhase::planned ||
      run.phase == RunPhase::finished)
    return next;
  next.events = newly_spent(run, marks, now_ns);
  if (!next.events.empty()) return next;
  next.events = decided_without_running(run);
  if (!next.events.empty())
    return next;  // what follows from these is decided when they have been applied

  const bool all_finished =
      std::ranges::all_of(run.jobs, [](const auto& j) { return j->phase == JobPhase::finished; });
  const bool probing =
      !run.attempts.empty() && run.attempts.back()->phase != AttemptPhase::classified;
  if (all_finished && !probing) {
    next.events.push_back(run_finished(run));
    return next;
  }
  if (const auto at = spent_at_ns(run, marks, now_ns)) wake_at(next, *at);
  if (run.phase != RunPhase::running) return next;

  const std::vector<const JobState*> ready = ready_jobs(run, now_ns, next);
  next.running = running_attempts(run);
  const std::size_t allowed = run.concurrency_now != 0 ? run.concurrency_now : run.concurrency;
  const std::size_t slots = allowed > next.running ? allowed - next.running : 0;
  for (const JobState* job : ready) {
    if (next.launches.size() == slots) break;
    next.launches.push_back(job->number);
  }
  return next;
}

std::vector<NewEvent> after_attempt(const RunState& run, std::uint32_t number,
                                    std::uint64_t now_ns) {
  const JobState* job = find_job(run, number);
  if (job == nullptr || job->attempts.empty()) return {};
  const AttemptState& attempt = *job->attempts.back();
  const auto gate = std::ranges::find_if(run.gates, [&](const auto& candidate) {
    return candidate->job == number && candidate->attempt == attempt.number &&
           candidate->kind == schema::GateKind::acceptance;
  });
  const GateState* acceptance = gate == run.gates.end() ? nullptr : gate->get();
  const Ruleset& rules = current_ruleset();
  const Judgement judgement = rules.judge(attempt, acceptance);
  const RetryPlan retry = plan_retry(run, *job, judgement);

  schema::JobJudgedT judged;
  judged.status = judgement.status;
  judged.failure = judgement.failure;
  judged.retryable = judgement.retryable;
  judged.ruleset = rules.name;
  judged.reason = judgement.reason;
  judged.blocking = judgement.blocking;
  judged.retry = retry.decision;
  judged.ending = judgement.ending;
  judged.weak = judgement.weak;
  judged.evidence.push_back(attempt.last_revision);
  if (acceptance != nullptr) judged.evidence.push_back(acceptance->decided_revision);
  std::vector<NewEvent> events;
  const Revision verdict{run.revision + 1};
  events.push_back(job_event(number, std::move(judged), {attempt.last_revision}));
  events.back().subject.attempt = attempt.number;

  if (retry.decision == schema::RetryDecision::scheduled) {
    schema::JobRetryScheduledT event;
    event.attempt = attempt.number + 1;
    event.delay_ms = retry.delay_ms;
    event.not_before_ns = now_ns + retry.delay_ms * 1'000'000;
    event.reason = judgement.reason;
    event.failure = judgement.failure;
    events.push_back(job_event(number, std::move(event), verdict));
  } else {
    schema::JobFinishedT event;
    event.status = judgement.status;
    event.failure = judgement.failure;
    event.reason = judgement.reason;
    events.push_back(job_event(number, std::move(event), verdict));
  }
  return events;
}

}  // namespace pievt::planners
