// The lines of the windows of a jsonl export. A line is put together by hand: half a million events
// a second leave two microseconds for each.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tools/exporters/event_facts.h"
#include "tools/exporters/jsonl_lines.h"
#include "tools/exporters/jsonl_window.h"

namespace pievt::tools {

/// For one thread at a time; several of them may encode windows of one run at once.
class JsonlEncoding {
 public:
  /// Must live longer.
  explicit JsonlEncoding(const EventFacts& facts) : facts_(facts) {}

  /// Makes the lines of the window's events from `first` on and before `end`, in their order. What
  /// cannot be made ends them; everything before it is there.
  void encode(const JsonlWindow& window, std::size_t first, std::size_t end, JsonlLines& lines);

 private:
  Status encode_item(const JsonlWindow& window, std::size_t at, JsonlLines& lines);
  Status append_event(const EventView& event, const EventFacts::Shape& shape, std::string& lines);
  std::string_view job_text(const EventView& event);

  const EventFacts& facts_;
  TimeText times_;
  std::size_t actor_ = 0, text_ = 0;  ///< of the window: which is next
  AppendId append_;
  std::string append_text_;
  std::vector<std::string> jobs_;  ///< by number, as JSON
};

}  // namespace pievt::tools
