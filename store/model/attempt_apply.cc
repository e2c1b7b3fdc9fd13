// What events say about an attempt: the life of one child process.
#include "store/model/fold.h"

namespace pievt {

using namespace schema;  // NOLINT(google-build-using-namespace): every name below is an event
using state::AttemptPhase;
using state::JobPhase;

void Fold::end_process() {
  attempt->phase = AttemptPhase::exited;
  attempt->exited_ns = event.time_ns();
  // Stamps of an imported run tell when it was read, so its own times are all there is.
  const bool told = event.head().occurred_ns() != 0;
  const std::uint64_t now = told ? event.head().occurred_ns() : event.stamp->monotonic_ns();
  const std::uint64_t from = told ? attempt->launched_ns : attempt->launched_monotonic_ns;
  attempt->duration_ms = from != 0 && now > from ? (now - from) / 1'000'000 : 0;
  if (job != nullptr) job->duration_ms += attempt->duration_ms;
}

void Fold::operator()(const AttemptLaunchRequested& e) {
  auto& attempts = job != nullptr ? job->attempts : run.attempts;
  if (event.head().attempt() != attempts.size() + 1) return;
  auto begun = std::make_unique<AttemptState>();
  begun->number = event.head().attempt();
  begun->phase = AttemptPhase::launch_requested;
  begun->first_revision = begun->last_revision = event.revision().value;
  begun->requested_ns = event.time_ns();
  begun->model = str(e.model());
  begun->marker = str(e.marker());
  begun->directory = str(e.directory());
  begun->timeout_ms = e.timeout_ms();
  begun->prompt = ref(e.prompt());
  begun->purpose = e.purpose();
  begun->retry_of = e.retry_of();
  begun->session_from = e.session_from();
  begun->isolation = e.isolation();
  begun->base_commit = str(e.base_commit());
  begun->usage = std::make_unique<state::UsageTotalsT>();
  attempts.push_back(std::move(begun));
  if (job == nullptr) return;
  if (e.purpose() == AttemptPurpose::work && e.retry_of() != 0) ++run.retries;
  job->phase = JobPhase::running;
  job->retry_not_before_ns = 0;
}

void Fold::operator()(const AttemptLaunched& e) {
  if (attempt == nullptr) return;
  attempt->phase = AttemptPhase::running;
  attempt->launched_ns = event.time_ns();
  attempt->launched_monotonic_ns = event.stamp->monotonic_ns();
  attempt->process = native(e.process());
}

void Fold::operator()(const AttemptLaunchFailed& e) {
  if (attempt == nullptr) return;
  attempt->phase = AttemptPhase::exited;
  attempt->exited_ns = event.time_ns();
  attempt->launch_error = str(e.error());
}

void Fold::operator()(const AttemptStopRequested& e) {
  if (attempt == nullptr) return;
  if (attempt->phase == AttemptPhase::running) attempt->phase = AttemptPhase::stopping;
  if (attempt->stop_reason == StopReason::unknown) attempt->stop_reason = e.reason();
  attempt->stop_step = e.step();
}

void Fold::operator()(const AttemptExited& e) {
  if (attempt == nullptr) return;
  end_process();
  attempt->knowledge = e.knowledge();
  attempt->exit_code = e.exit_code();
  attempt->signal = e.signal();
  attempt->sender = e.sender();
  attempt->resources = native(e.resources());
}

void Fold::operator()(const AttemptLeftoversFound& e) {
  if (attempt != nullptr && e.processes() != nullptr) attempt->leftovers += e.processes()->size();
}

void Fold::operator()(const AttemptSwept& e) {
  if (attempt != nullptr) attempt->survivors = e.survivors() == nullptr ? 0 : e.survivors()->size();
}

void Fold::operator()(const AttemptAdopted& e) {
  if (attempt == nullptr) return;
  ++attempt->adopted;
  attempt->phase = AttemptPhase::running;
  attempt->process = native(e.process());
  if (attempt->launched_ns == 0) {
    attempt->launched_ns = event.time_ns();
    attempt->launched_monotonic_ns = event.stamp->monotonic_ns();
  }
}

void Fold::operator()(const AttemptLost& e) {
  if (attempt == nullptr) return;
  end_process();
  attempt->lost = e.reason();
}

void Fold::operator()(const AttemptClassified& e) {
  if (attempt == nullptr) return;
  attempt->phase = AttemptPhase::classified;
  attempt->ending = e.ending();
  attempt->failure = e.failure();
  attempt->provider = e.provider();
  attempt->http_status = e.http_status();
  attempt->ruleset = str(e.ruleset());
  attempt->reason = str(e.reason());
  if (!str(e.error()).empty()) attempt->last_error = str(e.error());
  attempt->retry_after_ms = e.retry_after_ms();
}

}  // namespace pievt
