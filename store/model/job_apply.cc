// What events say about a job.
#include <algorithm>

#include "store/model/fold.h"

namespace pievt {

using namespace schema;  // NOLINT(google-build-using-namespace): every name below is an event
using state::JobPhase;

void Fold::operator()(const JobDeclared& e) {
  if (event.head().job() != run.jobs.size() + 1) return;
  auto declared = std::make_unique<JobState>();
  declared->number = event.head().job();
  declared->id = str(e.id());
  declared->name = str(e.name());
  declared->phase = JobPhase::waiting;
  declared->declared_revision = event.revision().value;
  declared->model = str(e.model());
  declared->prompt = ref(e.prompt());
  declared->timeout_ms = e.timeout_ms();
  declared->priority = e.priority();
  declared->max_attempts = e.retry() == nullptr ? 1 : std::max(1u, e.retry()->max_attempts());
  declared->usage = std::make_unique<state::UsageTotalsT>();
  declared->declared = native(&e);
  for (const auto& dependency : declared->declared->depends_on) {
    declared->depends_on.push_back(std::make_unique<JobDependencyT>(*dependency));
  }
  run.jobs.push_back(std::move(declared));
  run.job_count = std::max(run.job_count, static_cast<std::uint32_t>(run.jobs.size()));
}

void Fold::operator()(const JobRetryScheduled& e) {
  if (job == nullptr) return;
  job->phase = JobPhase::backoff;
  job->retry_not_before_ns = e.not_before_ns();
  job->retry_reason = str(e.reason());
}

void Fold::operator()(const JobJudged& e) {
  if (job == nullptr) return;
  job->judged_status = e.status();
  job->judged_revision = event.revision().value;
  job->failure = e.failure();
  job->reason = str(e.reason());
  job->retryable = e.retryable();
  job->work_ending = e.ending();
  job->weak.clear();
  if (e.weak() == nullptr) return;
  for (const auto* line : *e.weak()) job->weak.push_back(str(line));
}

void Fold::operator()(const JobFinished& e) {
  if (job == nullptr) return;
  job->phase = JobPhase::finished;
  job->status = e.status();
  job->failure = e.failure();
  job->reason = str(e.reason());
  job->finished_revision = event.revision().value;
}

void Fold::operator()(const JobReopened&) {
  if (job == nullptr) return;
  job->phase = JobPhase::waiting;
  job->status = JobStatus::unknown;
  job->finished_revision = 0;
  job->retry_not_before_ns = 0;
  job->cancel_requested_revision = 0;
  job->cancel_reason.clear();
  job->limit = LimitKind::unknown;
}

void Fold::operator()(const JobCancelRequested& e) {
  if (job == nullptr) return;
  job->cancel_requested_revision = event.revision().value;
  job->cancel_reason = str(e.reason());
}

void Fold::operator()(const JobRevised& e) {
  if (job != nullptr) job->priority = e.priority();
}

}  // namespace pievt
