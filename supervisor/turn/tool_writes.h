// What the log knows of tools that were told to write.
#pragma once

#include <vector>

#include "supervisor/record/run_record.h"
#include "supervisor/turn/attribution.h"

namespace pievt::supervisor {

/// The write and edit calls that began after revision `from`, of all attempts of the run. Paths are
/// resolved against the directory each attempt worked in. What is only proposed is not seen.
Result<std::vector<ToolWrite>> tool_writes(RunRecord& record, Revision from);

/// The directory the attempt works in.
std::string directory_of(const RunState& run, Who who);

}  // namespace pievt::supervisor
