// When to look at a growing file: a small machine, pure, one per file.
//
// A file that nobody writes costs nothing: inotify wakes us. A file that is being written is looked
// at by the clock instead, because an event for each write of 200 children takes half a core, and a
// look each 4 ms takes 4 % of one. So the watch is armed for one event only, and armed again when
// the file has been quiet for a while. Between the last look and the arming something may have been
// written that no event will tell: hence one more look after it.
//
//   busy --(quiet for 100 ms: arm)--> arming --(nothing)--> idle --(event, or 1 s)--> busy/arming
#pragma once

#include <cstdint>

#include "supervisor/process/clock.h"
#include "supervisor/process/limits.h"

namespace pievt::process {

enum class PaceState : std::uint8_t {
  busy,    ///< it was written lately: looked at by the clock
  arming,  ///< the watch was just armed: one look decides
  idle,    ///< the watch is armed
};

enum class Look : std::uint8_t { found_data, found_nothing };

/// A value; the caller keeps one per file and replaces it.
struct Pace {
  PaceState state = PaceState::busy;
  Moment last_data;
  Moment next_look;  ///< when to look at the latest; input for the poller's deadline

  /// A file that was just opened: look at once.
  static constexpr Pace from(Moment now) { return {PaceState::busy, now, now}; }

  friend bool operator==(const Pace&, const Pace&) = default;
};

enum class PaceMove : std::uint8_t {
  wait,       ///< until `next_look`, or the watch's event
  arm_watch,  ///< arm the watch, then look at once
};

struct PaceStep {
  Pace pace;
  PaceMove move = PaceMove::wait;

  friend bool operator==(const PaceStep&, const PaceStep&) = default;
};

/// The watch told that the file was written: look at once, then by the clock.
constexpr Pace after_event(Pace, Moment now) {
  return {PaceState::busy, now, now};
}

/// The file was looked at. A read that filled its buffer found data, and there may be more: the
/// caller may look again at once, or let others have their turn first.
constexpr PaceStep after_look(Pace pace, Look look, Moment now) {
  if (look == Look::found_data)
    return {{PaceState::busy, now, now + limits::busy_look_ms}, PaceMove::wait};
  if (pace.state != PaceState::busy)
    return {{PaceState::idle, pace.last_data, now + limits::idle_look_ms}, PaceMove::wait};
  if (now - pace.last_data < limits::busy_silence_ms)
    return {{PaceState::busy, pace.last_data, now + limits::busy_look_ms}, PaceMove::wait};
  return {{PaceState::arming, pace.last_data, now}, PaceMove::arm_watch};
}

}  // namespace pievt::process
