// A run told in sentences, one for each event by which its story is told; the others are detail.
#pragma once

#include <string>

#include "pievt/event.h"
#include "tools/frame/context.h"
#include "tools/verbs/event_names.h"

namespace pievt::tools {

class Teller {
 public:
  Teller(Context& context, EventNames& names) : context_(context), names_(names) {}

  /// Writes the event's line, or nothing where it is detail. True where it wrote.
  bool tell(const EventView& event);

 private:
  void line(const EventView& event, const std::string& what);

  Context& context_;
  EventNames& names_;
  std::uint64_t start_ns_ = 0;
};

}  // namespace pievt::tools
