// One whole line of pi's stream, or of its session file, into a value. The only user of simdjson.
//
// simdjson's on-demand reader walks the line once and converts nothing that is not asked for, so a
// number too large for 64 bits or a lone surrogate somewhere in a tool's arguments costs nothing.
// The walk always goes to the end of the line: a cut line never passes for a whole one.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "supervisor/pi/stream_events.h"

namespace pievt::pi {

/// One entry of a session file, as far as the ending of a run depends on it.
struct SessionEntry {
  std::string type;
  std::string id;
  std::string cwd;                      ///< of a header
  std::optional<MessageEnded> message;  ///< of a message entry
};

/// Reuses its buffers from line to line; movable, not to be shared between threads.
class EventParser {
 public:
  EventParser();
  EventParser(EventParser&&) noexcept;
  EventParser& operator=(EventParser&&) noexcept;
  ~EventParser();

  /// What `line` says, or nothing when it is not one JSON object with a "type". The line may hold
  /// any bytes. An update (of a message or a tool) is a `Streaming`.
  std::optional<Observation> event(std::string_view line, LineStart at);

  /// The same for a line of a session file.
  std::optional<SessionEntry> session_entry(std::string_view line);

 private:
  struct Buffers;
  std::unique_ptr<Buffers> buffers_;
};

}  // namespace pievt::pi
