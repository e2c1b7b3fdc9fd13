#include "supervisor/planners/admission.h"

namespace pievt::planners {

std::optional<NewEvent> admission_step(const RunState& run, const std::optional<Refusal>& refusal,
                                       std::uint64_t now_ns) {
  const bool waits = run.waiting != schema::WaitReason::unknown;
  if (waits == refusal.has_value()) return std::nullopt;
  if (refusal) {
    schema::AdmissionDeferredT event;
    event.reason = refusal->reason;
    event.detail = refusal->detail;
    return NewEvent{std::move(event)};
  }
  schema::AdmissionGrantedT event;
  event.waited_ms = now_ns > run.waiting_since_ns ? (now_ns - run.waiting_since_ns) / 1'000'000 : 0;
  return NewEvent{std::move(event)};
}

}  // namespace pievt::planners
