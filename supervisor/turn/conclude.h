// From a classified attempt to everything that follows from it, in one proposal: the gate, the
// verdict, the retry or the end of the job, what is spent, and how much may run from here on. It is
// one commit, because a new supervisor takes a classified attempt for a settled one.
#pragma once

#include <optional>

#include "supervisor/record/run_record.h"

namespace pievt::supervisor {

/// `gate`: what the acceptance contract said, where it was asked.
Status conclude(RunRecord& record, Subject subject, schema::AttemptClassifiedT classified,
                std::optional<schema::GateDecidedT> gate);

/// Opens a gate and decides it.
Status decide_gate(RunRecord& record, Subject subject, schema::GateKind kind,
                   schema::GateDecidedT decided);

}  // namespace pievt::supervisor
