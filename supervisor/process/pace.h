// When to look at a growing file: a small machine, pure, one per file.
//
// A file that nobody writes costs nothing: inotify wakes us. A file that is being written is looked
// at by the clock instead, because an event for each write of 200 children takes half a core, and a
// look each 4 ms takes 4 % of one. (One that is flooded is left alone for as long as it takes to
// write a whole chunk: then its bytes are read once and not in pieces.) So the watch is armed for
// one event only, and armed again when the file has been quiet for a while. Between the last look
// and the arming something may have been written that no event will tell: hence one more look after
// it.
//
//   busy --(quiet for 100 ms: arm)--> arming --(nothing)--> idle --(event, or 1 s)--> busy/arming
#pragma once

#include <algorithm>
#include <cstdint>

#include "supervisor/process/clock.h"
#include "supervisor/process/limits.h"

namespace pievt::process {

enum class PaceState : std::uint8_t {
  busy,    ///< it was written lately: looked at by the clock
  arming,  ///< the watch was just armed: one look decides
  idle,    ///< the watch is armed
};

/// A value; the caller keeps one per file and replaces it.
struct Pace {
  PaceState state = PaceState::busy;
  Moment last_data;  ///< the last look that found any
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

/// How long to leave a file alone that grew by `bytes` in `elapsed`: until it has grown by a good
/// chunk more, if that is soon.
constexpr Clock::duration until_next_look(std::uint64_t bytes, Clock::duration elapsed) {
  elapsed = std::max<Clock::duration>(elapsed, limits::busy_look_ms);
  if (elapsed > limits::flood_look_ms) return limits::busy_look_ms;
  constexpr std::uint64_t good_chunk = limits::read_bytes_max + limits::read_bytes_max / 4;
  const auto elapsed_ns = static_cast<std::uint64_t>(elapsed / std::chrono::nanoseconds(1));
  const std::chrono::nanoseconds filled(elapsed_ns * good_chunk / bytes);
  if (filled > limits::flood_look_ms) return limits::busy_look_ms;
  return std::max<Clock::duration>(filled, limits::busy_look_ms);
}

/// The file was looked at and had so many new bytes.
constexpr PaceStep after_look(Pace pace, std::uint64_t bytes, Moment now) {
  if (bytes > 0)
    return {{PaceState::busy, now, now + until_next_look(bytes, now - pace.last_data)},
            PaceMove::wait};
  if (pace.state != PaceState::busy)
    return {{PaceState::idle, pace.last_data, now + limits::idle_look_ms}, PaceMove::wait};
  if (now - pace.last_data < limits::busy_silence_ms)
    return {{PaceState::busy, pace.last_data, now + limits::busy_look_ms}, PaceMove::wait};
  return {{PaceState::arming, pace.last_data, now}, PaceMove::arm_watch};
}

}  // namespace pievt::process
