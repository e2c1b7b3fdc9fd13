// The end of an attempt: what its facts amount to, whether the job's contract is met, and what
// follows for the job. Everything here is proposed as events; nothing is done.
#pragma once

#include "supervisor/record/run_record.h"
#include "supervisor/turn/live_attempt.h"

namespace pievt::supervisor {

/// Proposes AttemptClassified, the acceptance gate and the verdict with its consequence. The
/// attempt's process and its tree are gone, its output is stored.
Status settle(RunRecord& record, const LiveAttempt& attempt);

/// Whether the attempt's work claims to be done, so that its contract is worth asking. As settle.
bool claims_to_be_done(const RunRecord& record, const LiveAttempt& attempt);

/// The facts of an exit, as an event. `status` must be known.
schema::AttemptExitedT exit_event(const process::ExitStatus& status, const LiveAttempt& attempt);

}  // namespace pievt::supervisor
