#include "supervisor/planners/marks.h"

namespace pievt::planners {
namespace {

Spending of(const std::unique_ptr<state::UsageTotalsT>& totals, std::uint64_t wall_ms) {
  if (totals == nullptr) return {0, 0, wall_ms};
  return {totals->total_tokens, totals->cost_nanodollars, wall_ms};
}

}  // namespace

Spending spent_by(const RunState& run) {
  return of(run.usage, 0);
}

Spending spent_by(const JobState& job) {
  return of(job.usage, job.duration_ms);
}

void note(Marks& marks, const RunState& before, schema::Payload type, Subject subject,
          Revision revision, std::uint64_t wall_ns) {
  switch (type) {
    case schema::Payload::RunStarted:
      marks.wall_from_ns = wall_ns;
      return;
    case schema::Payload::RunResumed:
      // A pause is part of the time; what lies between an end and going on is not.
      if (before.phase != state::RunPhase::finished) return;
      marks.wall_from_ns = wall_ns;
      marks.run_before = spent_by(before);
      return;
    case schema::Payload::JobReopened:
      if (const JobState* job = find_job(before, subject.job))
        marks.job_before[subject.job] = spent_by(*job);
      return;
    case schema::Payload::ThrottleChanged:
      marks.throttle_revision = revision.value;
      return;
    default:
      return;
  }
}

}  // namespace pievt::planners
