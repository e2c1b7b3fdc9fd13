// Which event of a long run came first after a moment, without reading the run: of every 1,024
// events the latest time up to there. Times of events need not grow with them (imported ones tell
// their own), so a time can only be halved for in what they have reached so far.
//
// Saved beside the states of the run, and like those a shortcut: where it is missing, damaged or
// behind, the events are read, and the answer is the same.
#pragma once

#include "pievt/query.h"

namespace pievt {

/// Under which name it is saved, and what it must be to be used.
std::string run_clock_name(std::string_view run_id);
inline constexpr std::string_view run_clock_identity = "clock/1";
inline constexpr std::uint64_t clock_step_events = 1'024;

/// Brings what is saved up to the run's last whole step. A run of one state on the way or none is
/// read as fast.
Status save_run_clock(Log& log, std::string_view run_id);

/// Up to this revision no event of the run is later than `wall_ns`, as far as is saved.
Result<Revision> clock_before(const Log& log, std::string_view run_id, std::uint64_t wall_ns);

}  // namespace pievt
