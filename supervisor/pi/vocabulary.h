// pi's words and ours, and the few things that can be told from the ends of a line without parsing
// it.
#pragma once

#include <optional>
#include <string_view>

#include "supervisor/pi/stream_events.h"

namespace pievt::pi {

Role role_of(std::string_view word);
StopReason stop_reason_of(std::string_view word);
CompactionReason compaction_reason_of(std::string_view word);

/// The N of "Command exited with code N" at the end of a failed command's text: 0.73 has no other
/// record of it.
std::optional<int> exit_code_in(std::string_view text);

/// The words every line of interest begins with. pi prints the type first in all events (responses
/// to RPC commands have their id before it).
constexpr std::string_view event_beginning = R"({"type":")";

/// The type of an event whose line begins with `head`, or nothing.
std::string_view type_in(std::string_view head);

/// Whether `type` is one of pi's events; content blocks and session entries have types as well.
bool is_event_type(std::string_view type);

/// What an update line that begins with `head` is about. 0.73 puts that right behind the type, 1.x
/// puts the usage before it.
StreamingKind streaming_kind_in(std::string_view head);

/// The event of a line too long to be kept, told from its two ends, if nothing from its inside is
/// needed and both ends look as pi writes them: agent_end (whose willRetry stands last), turn_end,
/// message_start. The line must be whole, that is, have had its newline.
///
/// Correct for a whole line, because the last value of an object stands directly before its closing
/// brace, and `,"` cannot occur inside a string with the quote unescaped.
std::optional<Observation> event_from_ends(std::string_view head, std::string_view tail,
                                           LineStart at);

}  // namespace pievt::pi
