// When a child that says nothing has been silent for too long. Three things that look alike are
// kept apart: a deadline is the job's own and needs no reason; silence depends on what the child
// was doing, and is noted, and ends an attempt only where the plan says after how long; a child
// that lingers has said its last word and only does not exit. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "pievt/event.h"

namespace pievt::planners {

/// What is known of a living child since it spoke last.
struct Quiet {
  schema::Activity activity = schema::Activity::starting;
  std::uint64_t silent_ms = 0;
  /// pi has announced that it waits or makes room by itself (auto_retry_start, compaction_start):
  /// that is work, and never silence.
  bool announced = false;
  bool noted = false;  ///< SilenceObserved was written since it spoke last
};

enum class SilenceMove : std::uint8_t {
  none,
  note,           ///< SilenceObserved
  stop,           ///< SilenceObserved, and the stop ladder with StopReason::silent
  end_lingering,  ///< the stop ladder with StopReason::lingering
};

struct SilenceStep {
  SilenceMove move = SilenceMove::none;
  /// After how much silence to ask again, counted as silent_ms is.
  std::optional<std::uint64_t> again_at_ms;
};

/// `policy`: the plan's, or null.
SilenceStep silence_step(const schema::SilencePolicyT* policy, const Quiet& quiet);

}  // namespace pievt::planners
