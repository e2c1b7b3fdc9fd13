#include "tests/simulation/invariants.h"

#include <algorithm>

#include <fmt/format.h>

#include "pievt/ruleset.h"

namespace pievt::simulation {
namespace {

using state::AttemptPhase;
using state::JobPhase;

bool is_open(const JobState& job) {
  return !job.attempts.empty() && job.attempts.back()->phase != AttemptPhase::classified;
}

std::uint32_t open_attempts(const RunState& run) {
  return static_cast<std::uint32_t>(
      std::ranges::count_if(run.jobs, [](const auto& job) { return is_open(*job); }));
}

bool ends(schema::LimitKind limit) {
  return limit != schema::LimitKind::unknown && limit != schema::LimitKind::retries;
}

}  // namespace

void Invariants::require(bool holds, const EventView& event, const std::string& otherwise) const {
  if (holds) return;
  throw Broken(fmt::format("#{} {} of job {}, attempt {}: {}", event.revision().value,
                           type_name(event.type()), event.head().job(), event.head().attempt(),
                           otherwise));
}

void Invariants::launch(const EventView& event) const {
  const JobState* job = find_job(state_, event.head().job());
  require(job != nullptr, event, "of a job that does not exist");
  require(!is_open(*job), event, "while another attempt is open");
  require(open_attempts(state_) < state_.concurrency_now, event,
          fmt::format("with {} open of {}", open_attempts(state_), state_.concurrency_now));
  require(state_.phase == state::RunPhase::running, event, "of a run that does not run");
  require(!ends(state_.limit) && !ends(job->limit), event, "with a budget spent");
  require(job->cancel_requested_revision == 0, event, "of a cancelled job");
  require(event.time_ns() >= job->retry_not_before_ns, event, "before its backoff is over");
  for (const auto& on : job->depends_on) {
    const JobState* other = find_job(state_, on->job);
    require(other->phase == JobPhase::finished, event, "before what it depends on");
    require(
        on->when != schema::DependsWhen::success || other->status == schema::JobStatus::succeeded,
        event, "although what it depends on did not succeed");
  }
  for (const auto& other : state_.jobs) {
    require(other->declared->wave == 0 || other->declared->wave >= job->declared->wave ||
                other->phase == JobPhase::finished,
            event, "before an earlier wave has ended");
  }
  const auto began = begins_at_.find(job->number);
  const std::size_t from = began == begins_at_.end() ? 0 : began->second;
  const auto tries = std::count_if(
      job->attempts.begin() + static_cast<std::ptrdiff_t>(from), job->attempts.end(),
      [](const auto& each) { return each->failure != schema::FailureKind::supervisor_lost; });
  require(static_cast<std::uint32_t>(tries) < job->max_attempts, event, "once too often");
}

void Invariants::finished(std::uint32_t job) {
  if (++finished_[job] > 1) throw Broken(fmt::format("job {} has ended twice", job));
}

void Invariants::after(const EventView& event) const {
  if (state_.budget != nullptr && state_.budget->retries != 0) {
    require(retries_of(state_) <= state_.budget->retries + reopened_, event,
            "more retries than the run may");
  }
  if (state_.throttle != nullptr) {
    require(state_.concurrency_now >= state_.throttle->min &&
                state_.concurrency_now <= state_.throttle->max,
            event, "concurrency outside its bounds");
  }
}

void Invariants::see(const EventView& event) {
  const std::uint32_t number = event.head().job();
  const JobState* job = find_job(state_, number);
  switch (event.type()) {
    case schema::Payload::AttemptLaunchRequested:
      launch(event);
      break;
    case schema::Payload::JobFinished:
      require(job != nullptr && !is_open(*job), event, "while an attempt is open");
      finished(number);
      break;
    case schema::Payload::JobReopened:
      finished_[number] = 0;
      begins_at_[number] = static_cast<std::uint32_t>(job->attempts.size());
      ++reopened_;
      break;
    case schema::Payload::JobRetryScheduled: {
      const auto* retry = event.envelope->payload_as_JobRetryScheduled();
      require(retry->attempt() == job->attempts.size() + 1, event, "of another attempt");
      require(retry->delay_ms() >=
                  std::min<std::uint64_t>(job->attempts.back()->retry_after_ms, 3'600'000),
              event, "sooner than the provider asked for");
      break;
    }
    case schema::Payload::ThrottleChanged: {
      const auto* change = event.envelope->payload_as_ThrottleChanged();
      require(change->from() == state_.concurrency_now && change->to() != change->from(), event,
              "not from where it was");
      break;
    }
    case schema::Payload::LimitReached: {
      const auto* limit = event.envelope->payload_as_LimitReached();
      require(limit->used() >= limit->allowed(), event, "although there is some left");
      require((number == 0 ? state_.limit : job->limit) != limit->limit(), event, "twice");
      break;
    }
    case schema::Payload::AdmissionDeferred:
      require(state_.waiting == schema::WaitReason::unknown, event, "while it waits already");
      break;
    case schema::Payload::AdmissionGranted:
      require(state_.waiting != schema::WaitReason::unknown, event, "while it did not wait");
      break;
    case schema::Payload::RunFinished:
      for (const auto& each : state_.jobs)
        require(each->phase == JobPhase::finished, event, "before " + each->id);
      break;
    default:
      break;
  }
  apply(state_, event);
  after(event);
}

}  // namespace pievt::simulation
