#include "supervisor/capture/observer.h"

#include <fmt/format.h>

#include "supervisor/capture/excerpt.h"

namespace pievt::supervisor {
namespace {

using Made = Result<std::optional<Payload>>;

// Of each kind of anomaly so many are recorded; a hostile worker must not fill the log with its own
// noise.
constexpr std::uint64_t anomalies_recorded_max = 5;

std::unique_ptr<schema::UsageT> usage_of(const pi::Usage& seen) {
  auto usage = std::make_unique<schema::UsageT>();
  usage->input_tokens = seen.input;
  usage->output_tokens = seen.output;
  usage->cache_read_tokens = seen.cache_read;
  usage->cache_write_tokens = seen.cache_write;
  usage->reasoning_tokens = seen.reasoning.value_or(0);
  usage->total_tokens = seen.total_tokens;
  usage->cost_nanodollars = seen.cost.total_nano_usd;
  return usage;
}

schema::OutputAnomaly kind_of(pi::UnparsableReason reason) {
  switch (reason) {
    case pi::UnparsableReason::oversized:
      return schema::OutputAnomaly::line_too_long;
    case pi::UnparsableReason::unterminated:
      return schema::OutputAnomaly::unterminated_tail;
    default:
      return schema::OutputAnomaly::not_json;
  }
}

}  // namespace

// One overload an observation. Several events for one message_end: what it cost, and what it said.
struct Observer::Translate {
  Observer& self;
  RunRecord& record;

  template <class Event>
  Status emit(Event&& event) const {
    if (self.skip_ > 0) {
      --self.skip_;
      return {};
    }
    PIEVT_TRY(record.propose({std::forward<Event>(event), self.subject_}));
    return {};
  }

  // What may be recorded of a text, and told of it; of a skipped event both was done.
  Result<SecretWatch::Seen> look(std::string_view content, schema::SecretPlace place,
                                 std::string_view where) const {
    const auto tell = self.skip_ > 0 ? SecretWatch::Tell::no : SecretWatch::Tell::yes;
    return self.secrets_.see(record, content, place, one_line(where), tell);
  }

  // A line of a text that is recorded nowhere else.
  Result<std::string> line(std::string_view content) const {
    return one_line(PIEVT_TRY(look(content, schema::SecretPlace::output, "stdout")).masked);
  }

  // Texts of skipped events are stored already; storing them again would only cost time.
  Result<std::unique_ptr<schema::BlobRef>> text(
      std::string_view content, schema::BlobKind kind = schema::BlobKind::text) const {
    if (self.skip_ > 0 || content.empty()) return std::unique_ptr<schema::BlobRef>();
    return record.put_text(content, kind);
  }

  Status operator()(const pi::SessionStarted& seen) const {
    schema::SessionStartedT event;
    event.session_id = seen.id;
    event.cwd = seen.cwd;
    event.format_version = static_cast<std::uint32_t>(seen.version);
    event.cwd_matches = seen.cwd == self.cwd_;
    return emit(std::move(event));
  }

  Status operator()(const pi::AgentStarted&) const {
    ++self.agent_runs_;
    return {};
  }
  Status operator()(const pi::TurnStarted&) const {
    self.turn_tools_ = 0;
    return {};
  }
  Status operator()(const pi::TurnEnded&) const {
    schema::TurnEndedT event;
    event.turn = ++self.turns_;
    event.tool_calls = self.turn_tools_;
    event.agent_run = self.agent_runs_;
    return emit(std::move(event));
  }

  Status operator()(const pi::MessageEnded& seen) const {
    if (seen.role != pi::Role::assistant) return {};
    schema::UsageRecordedT usage;
    usage.provider = seen.provider;
    usage.model = seen.model;
    usage.response_model = seen.response_model;
    usage.stop_reason = seen.stop_reason_text;
    usage.error = PIEVT_TRY(line(seen.error_message));
    const bool final = seen.stop_reason != pi::StopReason::tool_use;
    const auto said = PIEVT_TRY(
        look(seen.text, final ? schema::SecretPlace::final_message : schema::SecretPlace::output,
             "message"));
    // pi prints zeros for a request that failed or was cut: that cost is not known.
    const bool reported = seen.usage && seen.usage->total_tokens > 0;
    usage.reported = reported ? schema::Reported::reported : schema::Reported::not_reported;
    if (reported) usage.usage = usage_of(*seen.usage);
    PIEVT_TRY(emit(std::move(usage)));
    if (!final) return {};

    schema::FinalMessageObservedT message;
    message.text = PIEVT_TRY(text(said.stored));
    message.stop_reason = seen.stop_reason_text;
    message.excerpt = one_line(said.masked);
    message.text_bytes = seen.text.size();
    message.text_parts = seen.content.text;
    message.thinking_parts = seen.content.thinking;
    message.tool_calls = seen.content.tool_calls;
    return emit(std::move(message));
  }

  Status operator()(const pi::ToolStarted& seen) const {
    ++self.turn_tools_;
    self.call_numbers_[seen.call_id] = ++self.calls_;
    schema::ToolCallStartedT event;
    event.call_id = one_line(seen.call_id);
    event.tool = one_line(seen.name);
    const auto arguments =
        PIEVT_TRY(look(seen.args_json, schema::SecretPlace::tool_arguments, seen.name));
    event.arguments = PIEVT_TRY(text(arguments.stored, schema::BlobKind::json));
    event.subject = one_line(arguments.masked);
    event.call = self.calls_;
    return emit(std::move(event));
  }

  Status operator()(const pi::ToolEnded& seen) const {
    schema::ToolCallFinishedT event;
    event.call_id = one_line(seen.call_id);
    event.tool = one_line(seen.name);
    event.is_error = seen.is_error;
    event.exit_code = seen.exit_code.value_or(-1);
    const auto result = PIEVT_TRY(look(seen.text, schema::SecretPlace::output, seen.name));
    event.result = PIEVT_TRY(text(result.stored));
    event.duration_ms = seen.duration_ms.value_or(0);
    const auto known = self.call_numbers_.find(seen.call_id);
    event.call = known == self.call_numbers_.end() ? 0 : known->second;
    return emit(std::move(event));
  }

  Status operator()(const pi::RetryStarted& seen) const {
    schema::ProviderRetryStartedT event;
    event.attempt = static_cast<std::uint32_t>(seen.attempt);
    event.max_attempts = static_cast<std::uint32_t>(seen.attempts_max);
    event.delay_ms = seen.delay_ms;
    event.error = PIEVT_TRY(line(seen.error_message));
    return emit(std::move(event));
  }
  Status operator()(const pi::RetryEnded& seen) const {
    schema::ProviderRetryEndedT event;
    event.succeeded = seen.success;
    event.attempt = static_cast<std::uint32_t>(seen.attempt);
    event.error = PIEVT_TRY(line(seen.final_error));
    return emit(std::move(event));
  }
  Status operator()(const pi::CompactionStarted& seen) const {
    schema::CompactionStartedT event;
    event.reason = pi::name_of(seen.reason);
    return emit(std::move(event));
  }
  Status operator()(const pi::CompactionEnded& seen) const {
    schema::CompactionEndedT event;
    event.reason = pi::name_of(seen.reason);
    event.aborted = seen.aborted;
    event.will_retry = seen.will_retry;
    event.error = one_line(seen.error_message);
    return emit(std::move(event));
  }
  Status operator()(const pi::AgentEnded& seen) const {
    schema::AgentRunEndedT event;
    event.agent_run = self.agent_runs_;
    event.will_retry = seen.will_retry.value_or(false);
    return emit(std::move(event));
  }
  Status operator()(const pi::AgentSettled& seen) const {
    schema::AgentSettledT event;
    event.aborted = seen.aborted;
    return emit(std::move(event));
  }

  // That something is being said is worth knowing while it happens, not afterwards.
  Status operator()(const pi::Streaming&) const { return {}; }
  Status operator()(const pi::OtherEvent&) const { return {}; }

  Status operator()(const pi::Unparsable& seen) const {
    schema::OutputAnomalyObservedT event;
    event.anomaly = kind_of(seen.reason);
    event.count = ++self.anomalies_[static_cast<int>(event.anomaly)];
    if (event.count > anomalies_recorded_max) return {};
    event.channel = schema::OutputChannel::stdout;
    event.line = seen.at.number;
    event.offset = seen.at.offset;
    event.size = seen.length;
    event.excerpt = PIEVT_TRY(line(seen.excerpt));
    return emit(std::move(event));
  }
};

Status Observer::see(RunRecord& record, const pi::Observation& observation) {
  return std::visit(Translate{*this, record}, observation);
}

bool is_observation(const EventView& event) {
  switch (event.type()) {
    case schema::Payload::SessionStarted:
    case schema::Payload::TurnEnded:
    case schema::Payload::ToolCallStarted:
    case schema::Payload::ToolCallFinished:
    case schema::Payload::UsageRecorded:
    case schema::Payload::FinalMessageObserved:
    case schema::Payload::ProviderRetryStarted:
    case schema::Payload::ProviderRetryEnded:
    case schema::Payload::CompactionStarted:
    case schema::Payload::CompactionEnded:
    case schema::Payload::AgentRunEnded:
    case schema::Payload::AgentSettled:
      return true;
    case schema::Payload::OutputAnomalyObserved:
      // Of the anomalies only those that lie in the stream itself.
      switch (event.envelope->payload_as_OutputAnomalyObserved()->anomaly()) {
        case schema::OutputAnomaly::not_json:
        case schema::OutputAnomaly::line_too_long:
        case schema::OutputAnomaly::unterminated_tail:
          return true;
        default:
          return false;
      }
    default:
      return false;
  }
}

}  // namespace pievt::supervisor
