// What events tell about the life of one child process.
#include "store/views/story_fold.h"

namespace pievt {

using namespace schema;  // NOLINT(google-build-using-namespace): every name below is an event

void StoryFold::Impl::operator()(const AttemptLaunchRequested& e) {
  if (head_->job() != 0 && job_ == nullptr) return;
  auto& places = job_ != nullptr ? job_->attempts : run.serving;
  if (head_->attempt() != places.size() + 1) return;
  places.push_back(static_cast<std::uint32_t>(run.attempts.size()));
  if (job_ != nullptr) end_wait(*job_);
  story::Attempt& asked = run.attempts.emplace_back();
  asked.job = head_->job();
  asked.number = head_->attempt();
  asked.purpose = e.purpose();
  asked.retry_of = e.retry_of();
  asked.session_from = e.session_from();
  asked.model = keep_once(e.model());
  asked.prompt = blob(e.prompt());
  asked.requested = now_;
  progress_.emplace_back().last = now_;
}

void StoryFold::Impl::operator()(const AttemptLaunched&) {
  if (attempt_ == nullptr || attempt_->launched.known()) return;
  attempt_->launched = now_;
  at_->last = now_;
}

void StoryFold::Impl::operator()(const AttemptLaunchFailed& e) {
  if (attempt_ == nullptr) return;
  attempt_->launch_failed = now_;
  attempt_->launch_error = keep(e.error());
}

void StoryFold::Impl::operator()(const AttemptStopRequested& e) {
  if (attempt_ != nullptr) attempt_->stops.push_back({now_, e.reason(), e.signal(), e.step()});
}

void StoryFold::Impl::operator()(const AttemptExited& e) {
  if (attempt_ == nullptr || attempt_->exited.known()) return;
  attempt_->exited = now_;
  attempt_->knowledge = e.knowledge();
  attempt_->exit_code = e.exit_code();
  attempt_->signal = e.signal();
  attempt_->sender = e.sender();
}

void StoryFold::Impl::operator()(const AttemptLeftoversFound& e) {
  if (attempt_ != nullptr && e.processes() != nullptr) attempt_->leftovers += e.processes()->size();
}

void StoryFold::Impl::operator()(const AttemptSwept& e) {
  if (attempt_ == nullptr) return;
  attempt_->swept = now_;
  attempt_->survivors = e.survivors() == nullptr ? 0 : e.survivors()->size();
}

void StoryFold::Impl::operator()(const AttemptAdopted&) {
  if (attempt_ == nullptr) return;
  attempt_->adopted.push_back(now_);
  if (!attempt_->launched.known()) attempt_->launched = now_;
}

void StoryFold::Impl::operator()(const AttemptLost& e) {
  if (attempt_ == nullptr || attempt_->lost.known()) return;
  attempt_->lost = now_;
  attempt_->lost_reason = e.reason();
}

void StoryFold::Impl::operator()(const AttemptClassified& e) {
  if (attempt_ == nullptr || attempt_->classified.known()) return;
  attempt_->classified = now_;
  attempt_->ending = e.ending();
  attempt_->failure = e.failure();
  attempt_->provider_failure = e.provider();
  attempt_->http_status = e.http_status();
  attempt_->reason = keep(e.reason());
  attempt_->error = keep(e.error());
}

}  // namespace pievt
