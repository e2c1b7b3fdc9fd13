// What every verb says that opens a store which was not as it should be.
#pragma once

#include <fmt/format.h>

#include "pievt/log.h"
#include "pievt/shell_word.h"
#include "pievt/upkeep.h"
#include "tools/frame/context.h"

namespace pievt::tools {

/// Says on stderr what was found damaged when `log` was opened, if anything, and what is gone; the
/// exit code says the latter too.
inline void say_mended(const Context& context, const Log& log) {
  if (const std::string what = mended(log); !what.empty()) context.talk.warn(what);
  const std::uint64_t missing = log.info().missing;
  if (missing == 0) return;
  context.lacks_events = true;
  context.talk.warn(fmt::format(
      "{} events that were acknowledged since this machine started are missing at the end of the "
      "log, and what is shown is without them. Run: {}",
      missing, store_command("verify --all", log.info().directory)));
}

}  // namespace pievt::tools
