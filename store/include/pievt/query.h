// Questions that verbs, supervisors and embedders ask of a log: which runs are there, what is this
// one's state, what was it at a moment. Answers are folds of the log; where a saved state helps, it
// is used, and where it is missing or damaged the answer is the same, only slower.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/log.h"
#include "pievt/run_state.h"
#include "pievt/schema/run_list_generated.h"

namespace pievt {

using RunList = state::RunListT;
using RunSummary = state::RunSummaryT;

/// The stream of a run.
std::string run_stream(std::string_view run_id);

/// All runs, in the order they were planned, as of the log's head or as of `at`.
Result<RunList> load_runs(const Log& log, Sequence at = {});

/// The state of a run after its event `at` (0: its last). not_found: no such run.
Result<RunState> load_run(const Log& log, std::string_view run_id, Revision at = {});

/// The last revision of the run whose event happened at or before `wall_ns`; 0 where the run began
/// later.
Result<Revision> revision_at(const Log& log, std::string_view run_id, std::uint64_t wall_ns);

/// The last revision of the run that is at or before the sequence `at` of the log; 0 where the run
/// began later.
Result<Revision> revision_at(const Log& log, std::string_view run_id, Sequence at);

/// Which run a person means: a full id, a unique prefix of one, the part behind its last dash, a
/// plan's name, `last`, `last~N`, `last:failed` or `running`. not_found offers the nearest; invalid
/// lists what an ambiguous word fits.
Result<std::string> resolve_run(const RunList& runs, std::string_view word);

/// Saves the folded states for the next reader. For a writer, now and then and before it closes.
Status save_views(Log& log, std::string_view run_id = {});

}  // namespace pievt
