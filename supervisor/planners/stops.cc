#include "supervisor/planners/stops.h"

namespace pievt::planners {

using schema::LimitKind;
using schema::StopReason;

std::optional<StopReason> stop_wanted(const RunState& run, Subject subject) {
  const auto ends = [](LimitKind limit) {
    return limit != LimitKind::unknown && limit != LimitKind::retries;
  };
  if (run.phase == state::RunPhase::stopping && run.stop_mode == schema::StopMode::now)
    return ends(run.limit) ? StopReason::budget : StopReason::run_stopped;
  const JobState* job = find_job(run, subject.job);
  if (job == nullptr) return std::nullopt;
  if (job->cancel_requested_revision != 0) return StopReason::cancelled;
  if (ends(job->limit)) return StopReason::budget;
  return std::nullopt;
}

}  // namespace pievt::planners
