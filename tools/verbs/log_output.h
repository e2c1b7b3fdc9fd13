// The forms in which `pievt log` writes events. Each takes them one by one and keeps none.
#pragma once

#include <memory>
#include <string>

#include "pievt/log.h"
#include "tools/frame/context.h"
#include "tools/verbs/event_names.h"

namespace pievt::tools {

enum class LogForm : std::uint8_t {
  blocks,   ///< a line about the event, and one about its payload
  oneline,  ///< both in one
  counts,   ///< how many of which type
};

class LogOutput {
 public:
  virtual ~LogOutput() = default;
  virtual void event(const EventView& event) = 0;
  /// After the last event.
  virtual void finish() = 0;
};

/// What is being shown, for the documents that say so.
struct LogScope {
  std::string run;  ///< empty: the whole store
  Revision last;    ///< how wide numbers get; 0: not known
};

/// What fits -o, --fields and `form`. invalid: fields that do not exist, or that text does not
/// have. `context` and `names` must live longer.
Result<std::unique_ptr<LogOutput>> make_log_output(const Context& context, EventNames& names,
                                                   LogForm form, const LogScope& scope);

}  // namespace pievt::tools
