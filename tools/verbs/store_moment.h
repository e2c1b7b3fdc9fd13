// --at for what concerns the whole store: revisions count within a run, so they mean nothing here.
#pragma once

#include "pievt/log.h"
#include "pievt/result.h"
#include "tools/frame/context.h"

namespace pievt::tools {

/// The last event of the log that --at (`@90812` or a time) includes; the log's head without --at.
/// invalid: a revision, or what is neither; not_found: that is before the first event.
Result<Sequence> store_moment(const Context& context, const Log& log);

/// The last event that was recorded at or before `wall_ns`; 0 where the log begins later. Found by
/// halving, as if no clock had ever been set back; where one was, it is an event behind which the
/// log passes that time.
Result<Sequence> sequence_at(const Log& log, std::uint64_t wall_ns);

}  // namespace pievt::tools
