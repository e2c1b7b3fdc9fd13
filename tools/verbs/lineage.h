// Which run was run again as which: `pievt runs --lineage RUN`.
#pragma once

#include <string>

#include "pievt/log.h"
#include "tools/frame/context.h"

namespace pievt::tools {

/// Writes the runs that the run comes from and those that come from it, as a tree, or as the
/// document `pievt.lineage` with what became of each job.
Status write_lineage(const Context& context, const Log& log, const std::string& run);

}  // namespace pievt::tools
