// What events tell about jobs, and why a job waits. No event says "it waits for a slot": it does
// from the moment at which everything it depends on is met until somebody asks for its attempt.
#include <algorithm>

#include "store/views/story_fold.h"

namespace pievt {

using namespace schema;  // NOLINT(google-build-using-namespace): every name below is an event
using story::WaitKind;

void StoryFold::Impl::operator()(const JobDeclared& e) {
  if (head_->job() != run.jobs.size() + 1) return;
  const std::uint32_t number = head_->job();
  story::Job& job = run.jobs.emplace_back();
  job.number = number;
  job.id = keep(e.id());
  job.name = keep(e.name());
  job.model = keep_once(e.model());
  job.wave = e.wave();
  job.prompt = blob(e.prompt());
  job.declared = now_;
  unmet_.push_back(0);
  ++open_in_wave_[job.wave];
  if (e.depends_on() != nullptr) {
    for (const auto* on : *e.depends_on()) {
      job.depends_on.push_back(on->job());
      const bool declared = on->job() != 0 && on->job() < number;
      const story::JobEnd* end = declared ? run.jobs[on->job() - 1].end() : nullptr;
      if (end != nullptr &&
          (on->when() == DependsWhen::finished || end->status == JobStatus::succeeded))
        continue;
      ++unmet_.back();
      dependents_[on->job()].emplace_back(number, on->when());
    }
  }
  if (run.started.known()) begin_wait(number);
}

bool StoryFold::Impl::wave_is_open(std::uint32_t wave) const {
  if (wave == 0) return true;
  for (const auto& [other, open] : open_in_wave_) {
    if (other >= wave) return true;
    if (other != 0 && open != 0) return false;
  }
  return true;
}

void StoryFold::Impl::begin_wait(std::uint32_t number) {
  story::Job& job = run.jobs[number - 1];
  if (!job.waits.empty() && job.waits.back().span.open()) return;
  if (job.end() != nullptr) return;
  const bool ready = unmet_[number - 1] == 0 && wave_is_open(job.wave);
  job.waits.push_back({ready ? WaitKind::slot : WaitKind::dependencies, {now_, {}}, 0, {}});
}

// A backoff ends by the clock; what is waited beyond it is for a slot.
void StoryFold::Impl::end_wait(story::Job& job) {
  if (job.waits.empty() || !job.waits.back().span.open()) return;
  story::Wait& wait = job.waits.back();
  if (wait.kind == WaitKind::backoff && wait.not_before_ns > wait.span.begin.at_ns &&
      wait.not_before_ns < now_.at_ns) {
    const story::Mark over{wait.span.begin.revision, wait.not_before_ns};
    wait.span.end = over;
    job.waits.push_back({WaitKind::slot, {over, now_}, 0, {}});
    return;
  }
  wait.span.end = now_;
}

void StoryFold::Impl::look_again(std::uint32_t number) {
  if (number == 0 || number > run.jobs.size()) return;
  story::Job& job = run.jobs[number - 1];
  if (job.waits.empty() || !job.waits.back().span.open() ||
      job.waits.back().kind != WaitKind::dependencies)
    return;
  if (unmet_[number - 1] != 0 || !wave_is_open(job.wave)) return;
  job.waits.back().span.end = now_;
  begin_wait(number);
}

void StoryFold::Impl::job_ended(std::uint32_t number, JobStatus status) {
  if (const auto waiting = dependents_.find(number); waiting != dependents_.end()) {
    auto& list = waiting->second;
    const auto met = [&](const auto& entry) {
      if (entry.second != DependsWhen::finished && status != JobStatus::succeeded) return false;
      if (entry.first <= unmet_.size() && unmet_[entry.first - 1] > 0) --unmet_[entry.first - 1];
      return true;
    };
    std::vector<std::uint32_t> jobs;
    for (const auto& entry : list) jobs.push_back(entry.first);
    std::erase_if(list, met);
    for (const std::uint32_t job : jobs) look_again(job);
  }
  const std::uint32_t wave = run.jobs[number - 1].wave;
  std::uint32_t& open = open_in_wave_[wave];
  if (open > 0 && --open == 0 && open_in_wave_.size() > 1)
    for (std::uint32_t job = 1; job <= run.jobs.size(); ++job) look_again(job);
}

void StoryFold::Impl::operator()(const JobRetryScheduled& e) {
  if (job_ == nullptr) return;
  end_wait(*job_);
  job_->waits.push_back({WaitKind::backoff, {now_, {}}, e.not_before_ns(), keep(e.reason())});
}

void StoryFold::Impl::operator()(const JobJudged& e) {
  if (job_ == nullptr) return;
  story::Verdict& verdict = job_->verdicts.emplace_back();
  verdict.at = now_;
  verdict.attempt = head_->attempt();
  verdict.status = e.status();
  verdict.failure = e.failure();
  verdict.retry = e.retry();
  verdict.blocking = e.blocking();
  verdict.ending = e.ending();
  verdict.ruleset = keep_once(e.ruleset());
  verdict.reason = keep(e.reason());
  if (e.evidence() != nullptr) verdict.evidence.assign(e.evidence()->begin(), e.evidence()->end());
}

void StoryFold::Impl::operator()(const JobFinished& e) {
  if (job_ == nullptr || job_->end() != nullptr) return;
  end_wait(*job_);
  job_->ends.push_back({now_, e.status(), e.failure(), keep(e.reason()), {}});
  job_ended(job_->number, e.status());
}

void StoryFold::Impl::operator()(const JobReopened&) {
  if (job_ == nullptr || job_->end() == nullptr) return;
  job_->ends.back().reopened = now_;
  ++open_in_wave_[job_->wave];
  begin_wait(job_->number);
}

void StoryFold::Impl::operator()(const JobCancelRequested&) {
  if (job_ != nullptr && !job_->cancel_requested.known()) job_->cancel_requested = now_;
}

}  // namespace pievt
