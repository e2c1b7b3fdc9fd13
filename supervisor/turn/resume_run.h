// What goes before a run that exists is taken up: whether it can be, what its jobs need that is not
// in the log, and what is open again.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "supervisor/record/run_record.h"
#include "supervisor/turn/options.h"

namespace pievt::supervisor {

/// invalid_transition: the run has ended for good, or another system ran it.
Status check_resumable(const RunState& run);

/// Values of environment variables are not in the log. They come from the plan, as it was then, and
/// from `options.environment`; those of jobs that came later (`pievt add`) from there alone, by
/// their names. What cannot be restored is returned, one sentence each; the jobs go without.
Result<std::vector<std::string>> restore_environments(RunRecord& record, Options& options);

/// Proposes that a stopped run is open again, with the jobs that its stop cancelled; those that
/// somebody cancelled by name stay so. Nothing for a run that is not over.
Status reopen(RunRecord& record, const std::string& reason, const schema::RequesterT& asked_by);

/// Proposes that a paused run goes on; nothing for any other. To be called when its new supervisor
/// has begun.
Status end_pause(RunRecord& record, const std::string& reason, const schema::RequesterT& asked_by);

}  // namespace pievt::supervisor
