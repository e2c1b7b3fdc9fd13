// The projection behind `pievt show` and `pievt replay`: the state of one run.
#pragma once

#include "pievt/query.h"

namespace pievt {

/// Under which name a run's state is saved, and what it must be to be used.
std::string run_view_name(std::string_view run_id);
std::string run_view_identity();

/// A state is kept this often on the way, so that every moment of a long run is near one.
inline constexpr std::uint64_t milestone_events = 16'384;

/// Under which name the state after `revision` is kept.
std::string run_milestone_name(std::string_view run_id, Revision revision);

/// Keeps the states on the way to the run's last event that are not kept yet.
Status save_run_milestones(Log& log, std::string_view run_id);

/// The SHA-256 of the state's bytes: what StateDigestRecorded holds.
schema::Digest digest_of(const RunState& run);

/// Folds the run's events from the first to `at` (0: the last), without any saved state.
Result<RunState> fold_run(const Log& log, std::string_view run_id, Revision at = {});

}  // namespace pievt
