// The lines of a window of a jsonl export. A line is put together by hand: half a million events a
// second leave two microseconds for each.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tools/exporters/exporter.h"
#include "tools/exporters/jsonl_window.h"

namespace pievt::tools {

class JsonlWriting {
 public:
  /// Both must live longer.
  JsonlWriting(Export& work, EventFacts& facts) : work_(work), facts_(facts) {}

  /// Writes the lines of the window's events in their order. An error is that of the first thing
  /// that cannot be written; everything before it has been.
  Status write(const JsonlWindow& window);

 private:
  Status write_item(const JsonlWindow& window, const JsonlWindow::Item& item);
  void write_actor(const Actor& actor);
  void write_text(const schema::BlobRef& ref, std::string_view content);
  Status write_event(const EventView& event, const EventFacts::Shape& shape);
  std::string_view job_text(const EventView& event);
  void number(std::string_view name, std::uint64_t value);
  void flush();

  Export& work_;
  EventFacts& facts_;
  std::size_t actor_ = 0, text_ = 0;  ///< of the window: which is next
  std::string lines_;                 ///< what is not handed on yet
  AppendId append_;
  std::string append_text_;
  std::vector<std::string> jobs_;  ///< by number, as JSON
};

}  // namespace pievt::tools
