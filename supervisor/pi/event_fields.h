// Everything any event of pi says, by its key: what a line is read into before its type matters.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "supervisor/pi/stream_events.h"

namespace pievt::pi {

struct Fields {
  std::optional<std::string> type;
  std::string id, cwd, timestamp, call_id, tool_name, args_json, error_message, final_error, reason;
  std::uint64_t version = 0, attempt = 0, attempts_max = 0, delay_ms = 0;
  std::optional<std::uint64_t> duration_ms;
  std::optional<bool> is_error, success, aborted, will_retry;
  std::optional<MessageEnded> message;
  std::optional<ToolEnded> tool_result;

  // turn_end and message_start repeat a message; only where it is news is it read.
  bool wants_message() const { return !type || *type == "message_end" || *type == "message"; }
  bool wants_tool_result() const { return !type || *type == "tool_execution_end"; }
};

/// The observation that an event with these fields is. A type nobody knows is an `OtherEvent`. The
/// fields must have a type.
Observation observation_from(Fields&& fields, LineStart at);

}  // namespace pievt::pi
