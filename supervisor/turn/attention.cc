#include "supervisor/turn/attention.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace pievt::supervisor {
namespace {

constexpr std::size_t news_max = 20;

std::size_t judged(const RunState& run) {
  return static_cast<std::size_t>(std::ranges::count_if(run.attempts, [](const auto& probe) {
    return probe->phase == state::AttemptPhase::classified;
  }));
}

bool waits_for_a_person(schema::JobStatus status) {
  return status == schema::JobStatus::blocked || status == schema::JobStatus::needs_review;
}

std::string asks_of(const JobState& job) {
  if (job.attempts.empty() || job.attempts.back()->requests.empty()) return {};
  return fmt::format("; it asks: {}", fmt::join(job.attempts.back()->requests, "; "));
}

}  // namespace

Attention::Attention(const RunState& run) {
  static_cast<void>(news(run));
  revision_ = run.revision;
}

std::vector<std::string> Attention::news(const RunState& run) {
  std::vector<std::string> out;
  if (run.revision == revision_) return out;
  revision_ = run.revision;
  if (run.recoveries > recoveries_)
    out.push_back("its supervisor died, and another one has taken it over");
  if (run.limit != limit_ && run.limit != schema::LimitKind::unknown)
    out.push_back(fmt::format("its budget of {} is spent", schema::EnumNameLimitKind(run.limit)));
  if (const std::size_t probes = judged(run); probes > probes_) {
    probes_ = probes;
    const AttemptState& probe = *run.attempts.back();
    if (probe.failure == schema::FailureKind::provider_permanent)
      out.push_back(fmt::format("model {} does not answer: {}", probe.model, probe.reason));
  }
  jobs_.resize(run.jobs.size());
  for (std::size_t i = 0; i < run.jobs.size(); ++i) look_at_job(*run.jobs[i], jobs_[i], out);
  if (run.secrets > secrets_) {
    out.push_back(fmt::format("{} found in what it recorded",
                              run.secrets - secrets_ == 1
                                  ? std::string("a secret was")
                                  : fmt::format("{} secrets were", run.secrets - secrets_)));
  }
  recoveries_ = run.recoveries;
  limit_ = run.limit;
  secrets_ = run.secrets;
  if (out.size() > news_max) {
    const std::size_t more = out.size() - news_max + 1;
    out.resize(news_max - 1);
    out.push_back(fmt::format("and {} more", more));
  }
  return out;
}

void Attention::look_at_job(const JobState& job, SeenJob& seen,
                            std::vector<std::string>& out) const {
  const bool finished = job.phase == state::JobPhase::finished;
  if (finished && !seen.finished) {
    if (waits_for_a_person(job.status)) {
      out.push_back(fmt::format("job {} is {}: {}{}", job.id, schema::EnumNameJobStatus(job.status),
                                job.reason, asks_of(job)));
    } else if (job.failure == schema::FailureKind::provider_permanent) {
      out.push_back(fmt::format("job {}: the provider refuses for good: {}", job.id, job.reason));
    }
  }
  if (job.limit != seen.limit && job.limit != schema::LimitKind::unknown) {
    out.push_back(fmt::format("job {}: its budget of {} is spent", job.id,
                              schema::EnumNameLimitKind(job.limit)));
  }
  seen = {finished, job.limit};
}

}  // namespace pievt::supervisor
