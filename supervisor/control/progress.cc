#include "supervisor/control/progress.h"

#include <fmt/format.h>

namespace pievt::control {
namespace {

constexpr std::size_t active_shown_max = 16;

void count_ended(Progress& progress, schema::JobStatus status) {
  switch (status) {
    case schema::JobStatus::succeeded:
      ++progress.succeeded;
      break;
    case schema::JobStatus::cancelled:
      ++progress.cancelled;
      break;
    case schema::JobStatus::skipped:
      ++progress.skipped;
      break;
    default:
      ++progress.failed;
  }
}

std::string line_of(const JobState& job) {
  if (job.phase == state::JobPhase::backoff)
    return fmt::format("waits to try again: {}", job.retry_reason);
  if (job.attempts.empty()) return {};
  const AttemptState& attempt = *job.attempts.back();
  if (!attempt.progress.empty()) return attempt.progress;
  return attempt.turns == 0
             ? std::string("starting")
             : fmt::format("turn {}, {} tool calls", attempt.turns, attempt.tool_calls);
}

}  // namespace

Progress progress_of(const RunState& run) {
  Progress progress;
  progress.revision = run.revision;
  progress.phase = run.phase;
  progress.ending = run.ending;
  progress.stop_mode = run.stop_mode;
  progress.concurrency = run.concurrency_now;
  progress.jobs = static_cast<std::uint32_t>(run.jobs.size());
  progress.reason = run.phase == state::RunPhase::stopping ? run.stop_reason : run.reason;
  if (run.usage != nullptr) {
    progress.tokens = run.usage->total_tokens;
    progress.cost_nanodollars = run.usage->cost_nanodollars;
    progress.unreported_requests = run.usage->unreported;
  }
  for (const auto& job : run.jobs) {
    switch (job->phase) {
      case state::JobPhase::running:
        ++progress.running;
        break;
      case state::JobPhase::backoff:
        ++progress.backoff;
        break;
      case state::JobPhase::finished:
        count_ended(progress, job->status);
        continue;
      default:
        ++progress.waiting;
        continue;
    }
    if (progress.active.size() == active_shown_max) continue;
    progress.active.push_back(
        {job->id, static_cast<std::uint32_t>(job->attempts.size()), line_of(*job)});
  }
  return progress;
}

}  // namespace pievt::control
