// Which event of a long run came first after a moment, without reading the run: of every 1,024
// events the latest time up to there. Times of events need not grow with them (imported ones tell
// their own), so a time can only be halved for in what they have reached so far.
//
// Saved beside the states of the run, and like those a shortcut: where it is missing, damaged or
// behind, the events are read, and the answer is the same.
#pragma once

#include <span>
#include <vector>

#include "pievt/query.h"

namespace pievt {

/// Under which name it is saved, and what it must be to be used.
std::string run_clock_name(std::string_view run_id);
inline constexpr std::string_view run_clock_identity = "clock/1";
inline constexpr std::uint64_t clock_step_events = 1'024;

/// What is saved, as it comes from the run's events in their order. Not every revision must be
/// there: events may have been lost.
class RunClock {
 public:
  /// Goes on from what was saved; from nothing where those are no bytes of a clock.
  static RunClock from(std::span<const std::byte> state);
  std::vector<std::byte> to_bytes() const;

  /// An event after all those before.
  void event(Revision revision, std::uint64_t time_ns);
  /// No event up to `revision` is still to come.
  void reach(Revision revision);

  /// The whole steps there are, and the revision that they reach.
  const std::vector<std::uint64_t>& latest() const { return latest_; }
  Revision at() const { return {latest_.size() * clock_step_events}; }

 private:
  std::vector<std::uint64_t> latest_;  // the latest time up to each step
  std::uint64_t so_far_ = 0;
};

/// Brings what is saved up to the run's last whole step. A run of one state on the way or none is
/// read as fast.
Status save_run_clock(Log& log, std::string_view run_id);

/// Up to this revision no event of the run is later than `wall_ns`, as far as is saved.
Result<Revision> clock_before(const Log& log, std::string_view run_id, std::uint64_t wall_ns);

}  // namespace pievt
