// Waiting for more than the run's own limit: for memory, or for other runs on the same store. The
// wait is an event when it begins and one when it ends, however often it was asked in between.
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "pievt/run_state.h"

namespace pievt::planners {

/// Why something that could start must not now.
struct Refusal {
  schema::WaitReason reason = schema::WaitReason::unknown;
  std::string detail;  ///< one sentence, with the numbers
};

/// AdmissionDeferred where the run begins to wait because of `refusal`, AdmissionGranted where it
/// waited and there is none any more; nothing where all is as before.
std::optional<NewEvent> admission_step(const RunState& run, const std::optional<Refusal>& refusal,
                                       std::uint64_t now_ns);

}  // namespace pievt::planners
