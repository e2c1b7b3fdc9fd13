#include "tools/audit/statistics.h"

#include <algorithm>

#include <fmt/format.h>

namespace pievt::audit {

std::string Statistics::key_of(const RunState& run, const JobState& job,
                               const AttemptState& attempt) const {
  switch (grouping_) {
    case Grouping::kind: {
      // What ran well and was not accepted failed by its verdict.
      const bool judged = attempt.failure == schema::FailureKind::none &&
                          attempt.number == job.attempts.back()->number &&
                          job.phase == state::JobPhase::finished;
      return schema::EnumNameFailureKind(judged ? job.failure : attempt.failure);
    }
    case Grouping::provider:
      if (attempt.provider == schema::ProviderFailure::none ||
          attempt.provider == schema::ProviderFailure::unknown)
        return attempt.failure == schema::FailureKind::none ? "answered" : "not the provider";
      return attempt.http_status == 0
                 ? schema::EnumNameProviderFailure(attempt.provider)
                 : fmt::format("{} {}", schema::EnumNameProviderFailure(attempt.provider),
                               attempt.http_status);
    case Grouping::model: {
      const std::string& model = attempt.model.empty() ? job.model : attempt.model;
      return model.empty() ? "(default)" : model;
    }
    case Grouping::hour:
      return attempt.requested_ns == 0
                 ? "not known"
                 : render::clock_text(static_cast<std::int64_t>(attempt.requested_ns), zone_)
                           .substr(0, 2) +
                       ":00";
    case Grouping::run:
      break;
  }
  return run.run_id;
}

void Statistics::add(const RunState& run, const RunPart& part) {
  for (const auto& job : run.jobs) {
    for (const auto& attempt : job->attempts) {
      if (!part.has(job->number, attempt->number)) continue;
      // What has not ended has not failed.
      if (attempt->phase != state::AttemptPhase::classified) continue;
      StatisticsRow& row = rows_[key_of(run, *job, *attempt)];
      const bool last = attempt->number == job->attempts.back()->number;
      // A verdict can fail what ran well: its contract was not met.
      const bool failed = attempt->failure != schema::FailureKind::none ||
                          (last && job->phase == state::JobPhase::finished &&
                           job->status != schema::JobStatus::succeeded);
      ++row.attempts;
      row.failed += failed ? 1u : 0u;
      row.retried += failed && !last ? 1u : 0u;
      row.jobs += failed && last && job->phase == state::JobPhase::finished ? 1u : 0u;
      row.spent += spent_of(attempt->usage.get());
      row.duration_ms += attempt->duration_ms;
    }
  }
}

std::vector<StatisticsRow> Statistics::rows() const {
  std::vector<StatisticsRow> all;
  for (const auto& [key, row] : rows_) {
    all.push_back(row);
    all.back().key = key;
  }
  if (grouping_ == Grouping::hour) return all;
  std::ranges::stable_sort(all, [](const StatisticsRow& a, const StatisticsRow& b) {
    return a.failed != b.failed ? a.failed > b.failed : a.attempts > b.attempts;
  });
  return all;
}

}  // namespace pievt::audit
