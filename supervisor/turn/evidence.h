// Gathers what an acceptance contract is asked of: the last message, the worker's log and report,
// the raw output, and what its tools were told to write.
#pragma once

#include "supervisor/check/evidence.h"
#include "supervisor/record/run_record.h"
#include "supervisor/turn/live_attempt.h"

namespace pievt::supervisor {

/// Commits what was proposed, because the log is read for it. The attempt's output is stored and
/// its files are still there. What is not there is said in its channel; errors are the store's.
Result<acceptance::Evidence> gather(RunRecord& record, const LiveAttempt& attempt);

}  // namespace pievt::supervisor
