// A run without what people and agents wrote: every body is gone, captured output is gone, and each
// text inside an event reads "[redacted]". Names, kinds, numbers and times stay, so that every
// format works on it and a run can be shown to somebody who must not read it.
//
// What stays is a list of fields that are known to hold names; a field that is not on it is taken
// out. So a field that a later version adds is taken out too, until somebody says that it is
// harmless. A secret cannot be left over by a pattern that missed it.
#pragma once

#include <memory>

#include "tools/exporters/exporter.h"

namespace pievt::tools {

/// `source` and `counts` must live longer. What the first whole walk takes out is counted.
std::unique_ptr<RunSource> redacted(const RunSource& source, Redactions& counts);

}  // namespace pievt::tools
