// What every verb says that opens a store which was not as it should be.
#pragma once

#include "pievt/log.h"
#include "pievt/upkeep.h"
#include "tools/frame/context.h"

namespace pievt::tools {

/// Says on stderr what was found damaged when `log` was opened, if anything.
inline void say_mended(const Context& context, const Log& log) {
  if (const std::string what = mended(log); !what.empty()) context.talk.warn(what);
}

}  // namespace pievt::tools
