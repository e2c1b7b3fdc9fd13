// Which files an attempt's tools wrote, and what stands in them, told from the arguments of calls
// that worked. What a shell wrote is not seen here.
#pragma once

#include <map>
#include <vector>

#include "tools/audit/material.h"

namespace pievt::audit {

/// By job. Arguments are read from the store while they are few and small; beyond that a file's
/// size is not known.
std::map<std::uint32_t, std::vector<ToolFile>> tool_files(const Log& log, const RunStory& story);

}  // namespace pievt::audit
