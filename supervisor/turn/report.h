// What a worker handed in about its own work, as an event: its word, to be judged like all others.
#pragma once

#include "supervisor/record/run_record.h"
#include "supervisor/turn/live_attempt.h"

namespace pievt::supervisor {

/// Proposes ReportSubmitted or ReportRefused where the attempt left a report; nothing without one,
/// or when the log has it already. `policy`: a report may hold a secret.
Status record_report(RunRecord& record, const LiveAttempt& attempt, const secrets::Policy& policy);

}  // namespace pievt::supervisor
