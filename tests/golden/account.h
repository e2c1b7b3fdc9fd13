// Everything a store says, as text that can be committed beside it and compared years later.
//
// What the text leaves out is what later versions may rightly say differently: fields with their
// default value (a field that is added tomorrow has its default in yesterday's events), checks that
// verify learns, and derived data.
#pragma once

#include <string>

#include "pievt/log.h"

namespace pievt::golden {

/// Every event, one JSON object a line: stamp, id and body. Errors as of the log.
Result<std::string> events_text(const Log& log);

/// The same, each body shown by the schema its page names, which the log carries itself.
Result<std::string> events_text_by_stored_schema(const Log& log);

/// What else is in the store, one fact a line: what verify found, streams, bodies that events refer
/// to, captured output, runs.
Result<std::string> facts_text(const Log& log);

}  // namespace pievt::golden
