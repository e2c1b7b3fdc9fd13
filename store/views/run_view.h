// The projection behind `pievt show` and `pievt replay`: the state of one run.
#pragma once

#include "pievt/query.h"

namespace pievt {

/// Under which name a run's state is saved, and what it must be to be used.
std::string run_view_name(std::string_view run_id);
std::string run_view_identity();

/// How often a state may be kept on the way to the run's last event, so that every moment of a long
/// run is near one.
inline constexpr std::uint64_t milestone_events = 16'384;

/// The states on the way together take at most so many bytes for each event of the run: where
/// states are large, fewer of them are kept.
inline constexpr std::uint64_t milestone_bytes_per_event = 16;

/// Under which name the state after `revision` is kept: behind the prefix, `@` and its number.
std::string run_milestone_prefix(std::string_view run_id);
std::string run_milestone_name(std::string_view run_id, Revision revision);

/// Keeps the states on the way to the run's last event, from the last one that is kept. Which ones
/// they are follows from the events alone.
Status save_run_milestones(Log& log, std::string_view run_id);

/// Saves the states of the run, those on the way and the newest one, and its clock (run_clock.h).
/// Part of save_views().
Status save_run(Log& log, std::string_view run_id);

/// The SHA-256 of the state's bytes: what StateDigestRecorded holds.
schema::Digest digest_of(const RunState& run);

/// Folds the run's events from the first to `at` (0: the last), without any saved state.
Result<RunState> fold_run(const Log& log, std::string_view run_id, Revision at = {});

}  // namespace pievt
