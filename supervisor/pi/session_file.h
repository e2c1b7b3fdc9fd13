// Reads a session file of pi for its last word: the last assistant message after the last user
// message. The authority when stdout was cut (0.73 with slow extension handlers).
//
// pi's session files are not clean, and a reader must cope: a torn line, the next record glued to
// it, all entries written a second time with the same ids and a second header in the middle, lines
// that are no JSON. The first entry with an id counts, later ones are repetitions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "pievt/result.h"
#include "supervisor/pi/event_parser.h"
#include "supervisor/pi/line_splitter.h"
#include "supervisor/pi/stream_facts.h"

namespace pievt::pi {

struct SessionTail {
  std::uint64_t entries = 0;  ///< without headers, repetitions and bad lines
  std::uint64_t headers = 0;
  std::uint64_t repeated_entries = 0;
  std::uint64_t bad_lines = 0;
  std::string session_id, cwd;                 ///< of the first header
  std::optional<FinalMessage> last_assistant;  ///< after the last user message

  friend bool operator==(const SessionTail&, const SessionTail&) = default;
};

/// Feeds on the bytes of a session file. Memory: one line, and eight bytes for each entry.
class SessionReader {
 public:
  /// Only messages in lines that begin at or after `from_offset` can become the last word; what
  /// stands before (an earlier run of a resumed session) is read for its ids alone.
  explicit SessionReader(std::uint64_t from_offset = 0);

  void feed(std::string_view chunk);

  /// The result; a last line without a newline counts if it is whole.
  SessionTail finish();

 private:
  void see(const Line& line);
  std::optional<SessionEntry> entry_in(std::string_view line);
  void see_entry(SessionEntry&& entry, LineStart at);

  std::uint64_t from_offset_;
  LineSplitter splitter_;
  EventParser parser_;
  std::unordered_set<std::size_t> ids_;  // hashes
  SessionTail tail_;
};

/// Reads the file at `path`. Errc::not_found when there is none (0.73 creates it with the first
/// assistant message), Errc::io when it cannot be read.
Result<SessionTail> read_session_tail(const std::filesystem::path& path,
                                      std::uint64_t from_offset = 0);

}  // namespace pievt::pi
