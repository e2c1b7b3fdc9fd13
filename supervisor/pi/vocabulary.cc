// See vocabulary.h. Word lists are sorted arrays; nothing here allocates except the results.
#include "supervisor/pi/vocabulary.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace pievt::pi {

namespace {

constexpr std::array<std::string_view, 27> event_types = {
    "agent_end",
    "agent_settled",
    "agent_start",
    "auto_retry_end",
    "auto_retry_start",
    "bash_execution_update",
    "compaction_end",
    "compaction_start",
    "entry_appended",
    "extension_error",
    "extension_ui_request",
    "message_end",
    "message_start",
    "message_update",
    "queue_update",
    "response",
    "session",
    "session_info_changed",
    "summarization_retry_attempt_start",
    "summarization_retry_finished",
    "summarization_retry_scheduled",
    "thinking_level_changed",
    "tool_execution_end",
    "tool_execution_start",
    "tool_execution_update",
    "turn_end",
    "turn_start",
};
static_assert(std::ranges::is_sorted(event_types));

std::string_view without_trailing_space(std::string_view tail) {
  const std::size_t end = tail.find_last_not_of(" \t\r");
  return end == std::string_view::npos ? std::string_view{} : tail.substr(0, end + 1);
}

}  // namespace

Role role_of(std::string_view word) {
  if (word == "user") return Role::user;
  if (word == "assistant") return Role::assistant;
  if (word == "toolResult") return Role::tool_result;
  if (word == "system") return Role::system;
  return Role::other;
}

StopReason stop_reason_of(std::string_view word) {
  if (word.empty()) return StopReason::none;
  if (word == "stop") return StopReason::stop;
  if (word == "toolUse") return StopReason::tool_use;
  if (word == "length") return StopReason::length;
  if (word == "error") return StopReason::error;
  if (word == "aborted") return StopReason::aborted;
  return StopReason::other;
}

CompactionReason compaction_reason_of(std::string_view word) {
  if (word == "manual") return CompactionReason::manual;
  if (word == "threshold") return CompactionReason::threshold;
  if (word == "overflow") return CompactionReason::overflow;
  return CompactionReason::other;
}

std::optional<int> exit_code_in(std::string_view text) {
  constexpr std::string_view words = "Command exited with code ";
  const std::size_t found = text.rfind(words);
  if (found == std::string_view::npos) return std::nullopt;
  const std::string_view digits = text.substr(found + words.size());
  int code = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return code;
}

std::string_view type_in(std::string_view head) {
  if (!head.starts_with(event_beginning)) return {};
  head.remove_prefix(event_beginning.size());
  const std::size_t quote = head.find('"');
  return quote == std::string_view::npos ? std::string_view{} : head.substr(0, quote);
}

bool is_event_type(std::string_view type) {
  return std::ranges::binary_search(event_types, type);
}

StreamingKind streaming_kind_in(std::string_view head) {
  if (type_in(head) == "tool_execution_update") return StreamingKind::tool_output;
  constexpr std::string_view words = R"("assistantMessageEvent":{"type":")";
  const std::size_t found = head.find(words);
  if (found == std::string_view::npos) return StreamingKind::unknown;
  const std::string_view kind = head.substr(found + words.size());
  if (kind.starts_with("text_")) return StreamingKind::text;
  if (kind.starts_with("thinking_")) return StreamingKind::thinking;
  if (kind.starts_with("toolcall_")) return StreamingKind::tool_call;
  return StreamingKind::unknown;
}

std::optional<Observation> event_from_ends(std::string_view head, std::string_view tail,
                                           LineStart at) {
  const std::string_view type = type_in(head);
  const std::string_view end = without_trailing_space(tail);
  if (type == "agent_end") {
    if (end.ends_with(R"(,"willRetry":true})")) return AgentEnded{at, true};
    if (end.ends_with(R"(,"willRetry":false})")) return AgentEnded{at, false};
    if (end.ends_with("}]}")) return AgentEnded{at, std::nullopt};
  } else if (type == "turn_end") {
    if (end.ends_with("]}")) return TurnEnded{at};
  } else if (type == "message_start") {
    if (end.ends_with("}}")) return OtherEvent{at, std::string{type}};
  }
  return std::nullopt;
}

}  // namespace pievt::pi
