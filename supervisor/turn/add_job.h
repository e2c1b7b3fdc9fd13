// A job that comes to a run which has begun: read and checked as one of a plan.
#pragma once

#include "supervisor/plan/files.h"
#include "supervisor/process/spawn.h"
#include "supervisor/record/run_record.h"

namespace pievt::supervisor {

struct AddedJob {
  schema::JobDeclaredT event;
  std::vector<process::Variable> environment;  ///< values; kept out of the log
};

/// What declares the job of `text` (JSON) in the run of `record`; nothing is proposed yet. invalid:
/// the job cannot be right, with every reason; or a variable it wants to pass on is not set in
/// `environment`.
Result<AddedJob> declare_added(RunRecord& record, const std::string& text, plan::FileSource& files,
                               const std::vector<process::Variable>& environment);

}  // namespace pievt::supervisor
