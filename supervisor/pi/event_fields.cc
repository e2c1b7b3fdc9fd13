// One row for each type of event, sorted by pi's name for it.
#include "supervisor/pi/event_fields.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "supervisor/pi/limits.h"
#include "supervisor/pi/text.h"
#include "supervisor/pi/vocabulary.h"

namespace pievt::pi {

namespace {

Observation message_ended(Fields&& fields, LineStart at) {
  MessageEnded message = std::move(fields.message).value_or(MessageEnded{});
  message.at = at;
  return message;
}

Observation tool_ended(Fields&& fields, LineStart at) {
  ToolEnded tool = std::move(fields.tool_result).value_or(ToolEnded{});
  tool.at = at;
  tool.call_id = std::move(fields.call_id);
  tool.name = std::move(fields.tool_name);
  tool.is_error = fields.is_error.value_or(false);
  tool.duration_ms = fields.duration_ms;
  if (tool.is_error && !tool.exit_code) tool.exit_code = exit_code_in(tool.text);
  return tool;
}

struct Maker {
  std::string_view type;
  Observation (*make)(Fields&&, LineStart);
};

constexpr std::array makers = {
    Maker{"agent_end",
          [](Fields&& f, LineStart at) -> Observation {
            return AgentEnded{at, f.will_retry};
          }},
    Maker{"agent_settled",
          [](Fields&& f, LineStart at) -> Observation {
            return AgentSettled{at, f.aborted.value_or(false)};
          }},
    Maker{"agent_start", [](Fields&&, LineStart at) -> Observation { return AgentStarted{at}; }},
    Maker{"auto_retry_end",
          [](Fields&& f, LineStart at) -> Observation {
            return RetryEnded{at, f.success.value_or(false), f.attempt, std::move(f.final_error)};
          }},
    Maker{"auto_retry_start",
          [](Fields&& f, LineStart at) -> Observation {
            return RetryStarted{at, f.attempt, f.attempts_max, f.delay_ms,
                                std::move(f.error_message)};
          }},
    Maker{"compaction_end",
          [](Fields&& f, LineStart at) -> Observation {
            return CompactionEnded{at, compaction_reason_of(f.reason), f.aborted.value_or(false),
                                   f.will_retry.value_or(false), std::move(f.error_message)};
          }},
    Maker{"compaction_start",
          [](Fields&& f, LineStart at) -> Observation {
            return CompactionStarted{at, compaction_reason_of(f.reason)};
          }},
    Maker{"message_end", message_ended},
    Maker{"message_update", [](Fields&&, LineStart at) -> Observation { return Streaming{at}; }},
    Maker{"session",
          [](Fields&& f, LineStart at) -> Observation {
            return SessionStarted{at, f.version, std::move(f.id), std::move(f.cwd),
                                  std::move(f.timestamp)};
          }},
    Maker{"tool_execution_end", tool_ended},
    Maker{"tool_execution_start",
          [](Fields&& f, LineStart at) -> Observation {
            return ToolStarted{at, std::move(f.call_id), std::move(f.tool_name),
                               std::move(f.args_json)};
          }},
    Maker{"tool_execution_update",
          [](Fields&&, LineStart at) -> Observation {
            return Streaming{at, StreamingKind::tool_output};
          }},
    Maker{"turn_end", [](Fields&&, LineStart at) -> Observation { return TurnEnded{at}; }},
    Maker{"turn_start", [](Fields&&, LineStart at) -> Observation { return TurnStarted{at}; }},
};
static_assert(std::ranges::is_sorted(makers, {}, &Maker::type));

}  // namespace

Observation observation_from(Fields&& fields, LineStart at) {
  const auto* const found = std::ranges::lower_bound(makers, *fields.type, {}, &Maker::type);
  if (found == makers.end() || found->type != *fields.type) {
    return OtherEvent{at, utf8_excerpt(*fields.type, limits::excerpt_size_max)};
  }
  return found->make(std::move(fields), at);
}

}  // namespace pievt::pi
