// What pi's JSON event stream says, as values. Both dialects (0.73 and 1.x) give the same ones;
// what a dialect does not say is an empty optional or string, never a guess.
//
// Every observation knows the line it came from. Text is valid UTF-8; strings are owned, so an
// observation may be kept. Times are pi's own (milliseconds since 1970), money is nano-dollars.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "supervisor/pi/line_splitter.h"

namespace pievt::pi {

enum class Role : std::uint8_t { user, assistant, tool_result, system, other };

/// Why a message ended. `none` is a message without a stopReason (a user's), `other` a word that
/// this version does not know.
enum class StopReason : std::uint8_t { none, stop, tool_use, length, error, aborted, other };

enum class CompactionReason : std::uint8_t { manual, threshold, overflow, other };

/// What pi is busy with while lines arrive that carry nothing else of interest.
enum class StreamingKind : std::uint8_t { unknown, thinking, text, tool_call, tool_output };

enum class UnparsableReason : std::uint8_t {
  not_json,      ///< not a JSON object with a "type"
  glued,         ///< foreign text in front of an event, which was recovered
  oversized,     ///< longer than limits::line_size_max
  unterminated,  ///< the stream ended inside it
};

/// The stable names, as JSON output shows them ("tool_use").
std::string_view name_of(Role role);
std::string_view name_of(StopReason reason);
std::string_view name_of(CompactionReason reason);
std::string_view name_of(StreamingKind kind);
std::string_view name_of(UnparsableReason reason);

struct Cost {
  std::int64_t input_nano_usd = 0;
  std::int64_t output_nano_usd = 0;
  std::int64_t cache_read_nano_usd = 0;
  std::int64_t cache_write_nano_usd = 0;
  std::int64_t total_nano_usd = 0;

  friend bool operator==(const Cost&, const Cost&) = default;
};

/// All zero for failed, aborted and cut messages: the provider sends it last.
struct Usage {
  std::uint64_t input = 0;
  std::uint64_t output = 0;
  std::uint64_t cache_read = 0;
  std::uint64_t cache_write = 0;
  std::uint64_t total_tokens = 0;
  std::optional<std::uint64_t> reasoning;  ///< 1.x only
  Cost cost;

  friend bool operator==(const Usage&, const Usage&) = default;
};

/// How many blocks of each kind a message holds.
struct ContentCounts {
  std::uint32_t text = 0;
  std::uint32_t thinking = 0;
  std::uint32_t tool_calls = 0;
  std::uint32_t images = 0;
  std::uint32_t other = 0;

  friend bool operator==(const ContentCounts&, const ContentCounts&) = default;
};

struct SessionStarted {
  LineStart at;
  std::uint64_t version = 0;
  std::string id, cwd, timestamp;

  friend bool operator==(const SessionStarted&, const SessionStarted&) = default;
};

struct AgentStarted {
  LineStart at;
  friend bool operator==(const AgentStarted&, const AgentStarted&) = default;
};

struct TurnStarted {
  LineStart at;
  friend bool operator==(const TurnStarted&, const TurnStarted&) = default;
};

struct TurnEnded {
  LineStart at;
  friend bool operator==(const TurnEnded&, const TurnEnded&) = default;
};

/// One finished message. Usage is counted here and nowhere else: turn_end and agent_end repeat it.
struct MessageEnded {
  LineStart at;
  Role role = Role::other;
  StopReason stop_reason = StopReason::none;
  std::string stop_reason_text;                ///< pi's own word
  std::optional<std::string> raw_stop_reason;  ///< the provider's word; 1.x only
  std::string error_message;
  std::string text;  ///< the text blocks, joined
  std::uint64_t thinking_bytes = 0;
  ContentCounts content;
  std::optional<Usage> usage;
  std::string model;           ///< as asked for
  std::string response_model;  ///< as the server named it, if it differs
  std::string provider, api;
  std::uint64_t timestamp_ms = 0;
  std::optional<std::uint64_t> duration_ms;  ///< 1.x only

  friend bool operator==(const MessageEnded&, const MessageEnded&) = default;
};

struct ToolStarted {
  LineStart at;
  std::string call_id, name;
  std::string args_json;  ///< raw JSON text

  friend bool operator==(const ToolStarted&, const ToolStarted&) = default;
};

struct ToolEnded {
  LineStart at;
  std::string call_id, name;
  bool is_error = false;
  std::optional<std::uint64_t> duration_ms;  ///< 1.x only
  std::optional<int> exit_code;  ///< 1.x: as recorded; 0.73: read from a failed command's text
  std::string text;              ///< the result's text blocks, joined
  std::string details_json;      ///< the result's details, raw JSON text; a custom tool's report

  friend bool operator==(const ToolEnded&, const ToolEnded&) = default;
};

struct RetryStarted {
  LineStart at;
  std::uint64_t attempt = 0, attempts_max = 0, delay_ms = 0;
  std::string error_message;

  friend bool operator==(const RetryStarted&, const RetryStarted&) = default;
};

struct RetryEnded {
  LineStart at;
  bool success = false;
  std::uint64_t attempt = 0;
  std::string final_error;

  friend bool operator==(const RetryEnded&, const RetryEnded&) = default;
};

struct CompactionStarted {
  LineStart at;
  CompactionReason reason = CompactionReason::other;

  friend bool operator==(const CompactionStarted&, const CompactionStarted&) = default;
};

struct CompactionEnded {
  LineStart at;
  CompactionReason reason = CompactionReason::other;
  bool aborted = false;
  bool will_retry = false;
  std::string error_message;

  friend bool operator==(const CompactionEnded&, const CompactionEnded&) = default;
};

/// `will_retry` false does not mean finished: overflow recovery may follow.
struct AgentEnded {
  LineStart at;
  std::optional<bool> will_retry;  ///< since 0.75.4

  friend bool operator==(const AgentEnded&, const AgentEnded&) = default;
};

/// Nothing automatic follows. Since 0.80.4; `aborted` since 1.1.0.
struct AgentSettled {
  LineStart at;
  bool aborted = false;

  friend bool operator==(const AgentSettled&, const AgentSettled&) = default;
};

/// Updates arrived: a sign of life. At most one per feed, for the latest update.
struct Streaming {
  LineStart at;
  StreamingKind kind = StreamingKind::unknown;

  friend bool operator==(const Streaming&, const Streaming&) = default;
};

struct Unparsable {
  LineStart at;
  std::uint64_t length = 0;
  UnparsableReason reason = UnparsableReason::not_json;
  std::string excerpt;  ///< at most limits::excerpt_size_max bytes

  friend bool operator==(const Unparsable&, const Unparsable&) = default;
};

/// A line that is fine and of no consequence here, or of a type from a later pi.
struct OtherEvent {
  LineStart at;
  std::string type;

  friend bool operator==(const OtherEvent&, const OtherEvent&) = default;
};

using Observation =
    std::variant<SessionStarted, AgentStarted, TurnStarted, TurnEnded, MessageEnded, ToolStarted,
                 ToolEnded, RetryStarted, RetryEnded, CompactionStarted, CompactionEnded,
                 AgentEnded, AgentSettled, Streaming, Unparsable, OtherEvent>;

/// The line an observation came from. For an event that stood behind foreign text on its line, the
/// offset is the event's own first byte.
LineStart start_of(const Observation& observation);

}  // namespace pievt::pi
