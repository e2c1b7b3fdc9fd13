// The door of the store: whether one more child may start, whoever supervises it. Places are kernel
// locks (process/slots.h); memory is asked of the kernel each time, with what was started a moment
// ago counted as already taken.
#pragma once

#include <deque>
#include <optional>

#include "supervisor/planners/admission.h"
#include "supervisor/process/clock.h"
#include "supervisor/process/slots.h"
#include "supervisor/turn/options.h"

namespace pievt::supervisor {

class Admission {
 public:
  static Result<Admission> open(const Options& options);

  struct Answer {
    std::optional<process::Slot> slot;
    std::optional<planners::Refusal> refusal;  ///< there is a slot, or this
  };
  /// `running`: children of the asking supervisor. One that has none is not refused for want of
  /// memory: somebody has to begin.
  Result<Answer> ask(std::size_t running);

  /// For a child that runs already, from before a crash: a place if there is one.
  std::optional<process::Slot> readmit();

 private:
  Admission(process::Slots slots, std::uint64_t child_bytes)
      : slots_(std::move(slots)), child_bytes_(child_bytes) {}
  std::optional<planners::Refusal> no_memory(process::Moment now);

  process::Slots slots_;
  std::uint64_t child_bytes_;
  std::deque<process::Moment> started_;
};

/// What `store_children_max` 0 means on a machine with so much memory: one child for each
/// `child_bytes` of it, at least 1 and at most 64.
std::uint32_t children_for(std::uint64_t memory_bytes, std::uint64_t child_bytes);

}  // namespace pievt::supervisor
