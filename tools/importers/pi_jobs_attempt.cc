// session.jsonl (the only place with tokens, costs and whole tool calls) or, where the run kept it,
// stdout.jsonl; worker-events.jsonl has tool calls without ids and is asked where neither has any.
#include <algorithm>
#include <deque>
#include <map>

#include <fmt/format.h>

#include "supervisor/capture/excerpt.h"
#include "supervisor/pi/text.h"
#include "tools/importers/harmless_line.h"
#include "tools/importers/json_fields.h"
#include "tools/importers/pi_jobs_steps.h"
#include "tools/importers/secret_places.h"

namespace pievt::tools::pi_jobs {
namespace {

using schema::ImportAnomaly;
using supervisor::one_line;

constexpr std::string_view report_tool = "job_report";

class StoryReader {
 public:
  StoryReader(std::uint32_t job, std::uint32_t attempt, BlobSink& blobs, AnomalyList& anomalies)
      : job_(job), attempt_(attempt), blobs_(blobs), anomalies_(anomalies), secrets_(blobs) {}

  template <class Each>
  Status lines(const SourceFile& file, Each each) {
    for (const SourceLine& line : lines_of(file.text())) {
      Json json;
      const auto failed =
          parser_
              .parse(reinterpret_cast<const std::uint8_t*>(file.bytes.data()) + line.offset,
                     line.text.size(), false)
              .get(json);
      if (failed == simdjson::SUCCESS && json.is_object()) {
        PIEVT_TRY(each(json));
        continue;
      }
      anomalies_
          .add(line.ended ? ImportAnomaly::not_json : ImportAnomaly::torn_tail, file.name, line,
               line.ended ? "a line that is not JSON" : "the last record was cut off")
          .actual = one_line(line.text);
    }
    return {};
  }

  Status telemetry(const Json& json) {
    const std::string type = text_or_empty(json, "type");
    const std::uint64_t at = time_of(text_in(json, "at").value_or("")).value_or(0);
    if (type == "tool_call_started") {
      schema::ToolCallStartedT event;
      event.tool = one_line(text_or_empty(json, "tool"));
      const std::string preview = text_or_empty(json, "argsPreview");
      event.subject = subject_of(preview);
      if (!preview.empty())
        event.arguments = PIEVT_TRY(blobs_.put(preview, schema::BlobKind::text));
      event.call = ++calls_;
      open_[event.tool].push_back(event.call);
      const std::string tool = event.tool;
      add(at, std::move(event));
      tell_secrets(at, preview, schema::SecretPlace::tool_arguments, tool);
    } else if (type == "tool_call_finished") {
      schema::ToolCallFinishedT event;
      event.tool = one_line(text_or_empty(json, "tool"));
      event.is_error = text_in(json, "status") == "error";
      // There are no call ids: the one of that tool which has been open longest is taken.
      if (auto& open = open_[event.tool]; !open.empty()) {
        event.call = open.front();
        open.pop_front();
      }
      const bool refused = event.is_error && event.tool == report_tool;
      add(at, std::move(event));
      if (refused) refuse_report(at, "the tool for reports refused it");
    }
    return {};
  }

  /// Whether the session had the calls of tools, with their ids and whole arguments.
  bool knows_calls() const { return calls_ > 0; }

  Status session(const Json& json) {
    const std::string_view type = text_in(json, "type").value_or("");
    const std::uint64_t at = time_of(text_in(json, "timestamp").value_or("")).value_or(0);
    if (type == "session") {
      schema::SessionStartedT event;
      event.session_id = one_line(text_or_empty(json, "id"));
      event.cwd = one_line(text_or_empty(json, "cwd"));
      event.format_version = static_cast<std::uint32_t>(
          std::min<std::uint64_t>(count_in(json, "version").value_or(0), UINT32_MAX));
      add(at, std::move(event));
    } else if (type == "message" || type == "message_end") {
      if (const auto message = member(json, "message")) return this->message(*message, at);
    }
    return {};
  }

  /// What comes now is telemetry.
  void end_session() {
    story_.from_session = story_.observations.size();
    if (!story_.has_final) return;
    story_.secrets = secrets_.in(story_.final_text, schema::SecretPlace::final_message, "message");
  }

  AttemptStory finish() { return std::move(story_); }

 private:
  template <class Event>
  void add(std::uint64_t at, Event event) {
    Step& step = story_.observations.emplace_back();
    step.at_ns = at;
    step.job = job_;
    step.attempt = attempt_;
    step.observation = std::make_unique<pievt::Payload>(std::move(event));
  }

  Status message(const Json& message, std::uint64_t at) {
    if (at == 0) at = count_in(message, "timestamp").value_or(0) * 1'000'000;
    if (text_in(message, "role") == "toolResult") return result(message, at);
    if (text_in(message, "role") != "assistant") return {};
    parts(message);
    schema::UsageRecordedT usage;
    usage.provider = one_line(text_or_empty(message, "provider"));
    usage.model = one_line(text_or_empty(message, "model"));
    usage.stop_reason = story_.final_stop_reason;
    usage.error = one_line(text_or_empty(message, "errorMessage"));
    usage.reported = schema::Reported::not_reported;
    // A request that failed leaves zeros where nobody counted.
    const bool failed = usage.stop_reason == "error" || usage.stop_reason == "aborted";
    if (const auto counted = member(message, "usage");
        counted && !(failed && count_in(*counted, "totalTokens").value_or(0) == 0)) {
      usage.reported = schema::Reported::reported;
      usage.usage = std::make_unique<schema::UsageT>();
      usage.usage->input_tokens = count_in(*counted, "input").value_or(0);
      usage.usage->output_tokens = count_in(*counted, "output").value_or(0);
      usage.usage->cache_read_tokens = count_in(*counted, "cacheRead").value_or(0);
      usage.usage->cache_write_tokens = count_in(*counted, "cacheWrite").value_or(0);
      usage.usage->total_tokens = count_in(*counted, "totalTokens").value_or(0);
      if (const auto cost = member(*counted, "cost"))
        usage.usage->cost_nanodollars = pi::nano_dollars(number_in(*cost, "total").value_or(0));
    }
    const bool no_turn = usage.stop_reason == "error";
    add(at, std::move(usage));
    if (no_turn) return {};
    schema::TurnEndedT turn;
    turn.turn = ++turns_;
    turn.tool_calls = story_.tool_calls;
    add(at, turn);
    return calls(message, at);
  }

  // The tools are called when the message is complete.
  Status calls(const Json& message, std::uint64_t at) {
    const auto content = array_in(message, "content");
    if (!content) return {};
    for (const Json part : *content) {
      if (text_in(part, "type") != "toolCall") continue;
      schema::ToolCallStartedT event;
      event.call_id = one_line(text_or_empty(part, "id"));
      event.tool = one_line(text_or_empty(part, "name"));
      std::string json;
      if (const auto arguments = member(part, "arguments")) {
        json = simdjson::minify(*arguments);
        event.subject = subject_of(json);
        event.arguments = PIEVT_TRY(blobs_.put(json, schema::BlobKind::json));
      }
      event.call = ++calls_;
      by_id_[event.call_id] = event.call;
      const std::string tool = event.tool;
      add(at, std::move(event));
      tell_secrets(at, json, schema::SecretPlace::tool_arguments, tool);
    }
    return {};
  }

  Status result(const Json& message, std::uint64_t at) {
    schema::ToolCallFinishedT event;
    event.call_id = one_line(text_or_empty(message, "toolCallId"));
    event.tool = one_line(text_or_empty(message, "toolName"));
    event.is_error = truth_in(message, "isError").value_or(false);
    if (const auto call = by_id_.find(event.call_id); call != by_id_.end())
      event.call = call->second;
    std::string text;
    if (const auto content = array_in(message, "content")) {
      for (const Json part : *content) text += text_or_empty(part, "text");
    }
    if (!text.empty()) event.result = PIEVT_TRY(blobs_.put(text, schema::BlobKind::text));
    // pi-jobs' own tool says that it refused in its details, and not as an error.
    const auto details = member(message, "details");
    const bool ok = !details || truth_in(*details, "ok").value_or(true);
    const bool refused = event.tool == report_tool && (event.is_error || !ok);
    const std::string tool = event.tool;
    add(at, std::move(event));
    tell_secrets(at, text, schema::SecretPlace::output, tool);
    if (refused) refuse_report(at, one_line(text));
    return {};
  }

  void tell_secrets(std::uint64_t at, std::string_view text, schema::SecretPlace place,
                    std::string_view where) {
    for (schema::SecretFoundT& found : secrets_.in(text, place, where)) add(at, std::move(found));
  }

  void refuse_report(std::uint64_t at, std::string reason) {
    schema::ReportRefusedT refused;
    refused.reason = std::move(reason);
    add(at, std::move(refused));
  }

  // What people call a call by: the path or command in its arguments, else all of them.
  std::string subject_of(const std::string& arguments) {
    Json json;
    if (subjects_.parse(arguments).get(json) == simdjson::SUCCESS && json.is_object()) {
      for (const std::string_view key : {"path", "file_path", "command", "pattern"}) {
        if (const auto text = text_in(json, key)) return harmless_line(*text);
      }
    }
    return harmless_line(arguments);
  }

  void parts(const Json& message) {
    story_.has_final = true;
    story_.last_message = story_.observations.size() + 1;
    story_.blank = true;
    story_.final_text.clear();
    story_.text_parts = story_.thinking_parts = story_.tool_calls = 0;
    story_.final_stop_reason = one_line(text_or_empty(message, "stopReason"));
    const auto content = array_in(message, "content");
    if (!content) return;
    for (const Json part : *content) {
      const std::string_view type = text_in(part, "type").value_or("");
      if (type == "text") {
        if (story_.text_parts++ > 0) story_.final_text += '\n';
        const std::string text = text_or_empty(part, "text");
        if (text.find_first_not_of(" \t\r\n") != std::string::npos) story_.blank = false;
        story_.final_text += text;
      } else if (type == "thinking") {
        ++story_.thinking_parts;
      } else if (type == "toolCall") {
        ++story_.tool_calls;
      }
    }
  }

  std::uint32_t job_, attempt_;
  BlobSink& blobs_;
  AnomalyList& anomalies_;
  simdjson::dom::parser parser_, subjects_;
  AttemptStory story_;
  std::uint32_t calls_ = 0, turns_ = 0;
  std::map<std::string, std::deque<std::uint32_t>> open_;
  std::map<std::string, std::uint32_t> by_id_;
  SecretPlaces secrets_;
};

}  // namespace

std::string AttemptStory::excerpt() const {
  return harmless_line(final_text);
}

std::string attempt_directory(std::string_view job, std::uint32_t attempt) {
  return fmt::format("attempts/{}/attempt-{}/", job, attempt);
}

bool is_placeholder(std::string_view stdout_text) {
  return stdout_text.starts_with(placeholder);
}

Result<AttemptStory> story_of(const std::string& job, std::uint32_t job_number,
                              std::uint32_t attempt, const SourceFiles& files, BlobSink& blobs,
                              AnomalyList& anomalies) {
  StoryReader reader(job_number, attempt, blobs, anomalies);
  const std::string below = attempt_directory(job, attempt);
  // The session is whole where it exists; stdout says the same and may lack its end.
  if (const SourceFile* file = files.find(below + "session.jsonl")) {
    PIEVT_TRY(reader.lines(*file, [&](const Json& json) { return reader.session(json); }));
  } else if (const SourceFile* output = files.find(below + "stdout.jsonl");
             output != nullptr && !is_placeholder(output->text())) {
    PIEVT_TRY(reader.lines(*output, [&](const Json& json) { return reader.session(json); }));
  }
  reader.end_session();
  if (const SourceFile* file = files.find(below + "worker-events.jsonl");
      file != nullptr && !reader.knows_calls())
    PIEVT_TRY(reader.lines(*file, [&](const Json& json) { return reader.telemetry(json); }));
  return reader.finish();
}

}  // namespace pievt::tools::pi_jobs
