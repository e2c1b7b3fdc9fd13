// See stream_facts.h. One overload for each observation that changes something.
#include "supervisor/pi/stream_facts.h"

#include <limits>
#include <string_view>
#include <variant>

#include "supervisor/pi/limits.h"
#include "supervisor/pi/text.h"

namespace pievt::pi {

namespace {

// Sums of whatever a damaged stream claims must not overflow.
void add(std::uint64_t& sum, std::uint64_t more) {
  sum = more > std::numeric_limits<std::uint64_t>::max() - sum
            ? std::numeric_limits<std::uint64_t>::max()
            : sum + more;
}

void add(std::int64_t& sum, std::int64_t more) {
  if (__builtin_add_overflow(sum, more, &sum)) {
    sum = more > 0 ? std::numeric_limits<std::int64_t>::max()
                   : std::numeric_limits<std::int64_t>::min();
  }
}

void add(Usage& sum, const Usage& more) {
  add(sum.input, more.input);
  add(sum.output, more.output);
  add(sum.cache_read, more.cache_read);
  add(sum.cache_write, more.cache_write);
  add(sum.total_tokens, more.total_tokens);
  if (more.reasoning) {
    std::uint64_t reasoning = sum.reasoning.value_or(0);
    add(reasoning, *more.reasoning);
    sum.reasoning = reasoning;
  }
  add(sum.cost.input_nano_usd, more.cost.input_nano_usd);
  add(sum.cost.output_nano_usd, more.cost.output_nano_usd);
  add(sum.cost.cache_read_nano_usd, more.cost.cache_read_nano_usd);
  add(sum.cost.cache_write_nano_usd, more.cost.cache_write_nano_usd);
  add(sum.cost.total_nano_usd, more.cost.total_nano_usd);
}

struct Fold {
  StreamFacts& facts;

  void operator()(const SessionStarted& event) const {
    facts.header_seen = true;
    facts.session_id = utf8_excerpt(event.id, limits::remembered_error_size_max);
    facts.cwd = utf8_excerpt(event.cwd, limits::remembered_error_size_max * 2);
  }

  void operator()(const AgentStarted&) const {
    if (facts.last_run_failed) facts.earlier_failures += 1;
    facts.last_run_failed = false;
    facts.agent_runs += 1;
    facts.run_open = true;
    facts.agent_end_seen = false;
    facts.settled = false;
    facts.retry_pending = false;
    facts.compaction_open.reset();
  }

  void operator()(const TurnStarted&) const { facts.turns += 1; }

  void operator()(const MessageEnded& event) const {
    if (event.role != Role::assistant) return;
    facts.assistant_messages += 1;
    facts.final_message = summary_of(event);
    facts.final_message_lost = false;
    if (event.stop_reason == StopReason::error) facts.failed_messages += 1;
    if (event.usage) add(facts.usage, *event.usage);
  }

  void operator()(const ToolStarted&) const { facts.tools_open += 1; }

  void operator()(const ToolEnded& event) const {
    if (facts.tools_open > 0) facts.tools_open -= 1;
    facts.tools_ended += 1;
    if (event.is_error) facts.tools_failed += 1;
    if (facts.final_message && may_be_cut(*facts.final_message)) facts.doubtful_tools += 1;
  }

  void operator()(const RetryStarted&) const {
    facts.retries += 1;
    facts.retry_pending = true;
    facts.last_run_failed = false;
  }

  void operator()(const RetryEnded& event) const {
    facts.retry_pending = false;
    if (!event.success) facts.last_run_failed = true;
  }

  void operator()(const CompactionStarted& event) const {
    facts.compactions += 1;
    facts.compaction_open = event.reason;
    facts.last_run_failed = false;
  }

  void operator()(const CompactionEnded& event) const {
    facts.compaction_open.reset();
    if (event.reason == CompactionReason::overflow && !event.will_retry) {
      facts.last_run_failed = true;
    }
  }

  void operator()(const AgentEnded& event) const {
    facts.run_open = false;
    facts.agent_end_seen = true;
    if (event.will_retry) facts.announces_settling = true;
    facts.last_run_failed =
        facts.final_message && facts.final_message->stop_reason == StopReason::error;
  }

  void operator()(const AgentSettled&) const {
    facts.settled = true;
    facts.announces_settling = true;
  }

  void operator()(const Unparsable& event) const {
    facts.unparsable_lines += 1;
    constexpr std::string_view assistant = R"({"type":"message_end","message":{"role":"assistant")";
    if (event.reason == UnparsableReason::oversized && event.excerpt.starts_with(assistant)) {
      facts.final_message_lost = true;
    }
  }

  void operator()(const TurnEnded&) const {}
  void operator()(const Streaming&) const {}
  void operator()(const OtherEvent&) const {}
};

}  // namespace

FinalMessage summary_of(const MessageEnded& message) {
  FinalMessage summary;
  summary.stop_reason = message.stop_reason;
  summary.stop_reason_text = utf8_excerpt(message.stop_reason_text, limits::excerpt_size_max);
  summary.error_message = utf8_excerpt(message.error_message, limits::remembered_error_size_max);
  summary.visible_characters = visible_characters(message.text);
  summary.thinking_bytes = message.thinking_bytes;
  summary.tool_calls = message.content.tool_calls;
  summary.total_tokens = message.usage ? message.usage->total_tokens : 0;
  summary.has_raw_stop_reason = message.raw_stop_reason.has_value();
  return summary;
}

bool may_be_cut(const FinalMessage& message) {
  return message.total_tokens == 0 && !message.has_raw_stop_reason;
}

void apply(StreamFacts& facts, const Observation& observation) {
  std::visit(Fold{facts}, observation);
}

}  // namespace pievt::pi
