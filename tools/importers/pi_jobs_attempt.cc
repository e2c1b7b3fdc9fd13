// worker-events.jsonl (tool calls, without ids), session.jsonl (the only place with tokens and
// costs) and, where the run kept it, stdout.jsonl.
#include <algorithm>
#include <deque>
#include <map>

#include <fmt/format.h>

#include "supervisor/capture/excerpt.h"
#include "supervisor/pi/text.h"
#include "tools/importers/json_fields.h"
#include "tools/importers/pi_jobs_steps.h"

namespace pievt::tools::pi_jobs {
namespace {

using schema::ImportAnomaly;
using supervisor::one_line;

class StoryReader {
 public:
  StoryReader(std::uint32_t job, std::uint32_t attempt, BlobSink& blobs, AnomalyList& anomalies)
      : job_(job), attempt_(attempt), blobs_(blobs), anomalies_(anomalies) {}

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
      event.subject = one_line(preview);
      if (!preview.empty())
        event.arguments = PIEVT_TRY(blobs_.put(preview, schema::BlobKind::text));
      event.call = ++calls_;
      open_[event.tool].push_back(event.call);
      add(at, std::move(event));
    } else if (type == "tool_call_finished") {
      schema::ToolCallFinishedT event;
      event.tool = one_line(text_or_empty(json, "tool"));
      event.is_error = text_in(json, "status") == "error";
      // There are no call ids: the one of that tool which has been open longest is taken.
      if (auto& open = open_[event.tool]; !open.empty()) {
        event.call = open.front();
        open.pop_front();
      }
      add(at, std::move(event));
    }
    return {};
  }

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

  AttemptStory finish() { return std::move(story_); }

 private:
  template <class Event>
  void add(std::uint64_t at, Event event) {
    Step& step = story_.observations.emplace_back();
    step.at_ns = at;
    step.job = job_;
    step.attempt = attempt_;
    step.observation = std::make_unique<Payload>(std::move(event));
  }

  Status message(const Json& message, std::uint64_t at) {
    if (text_in(message, "role") != "assistant") return {};
    if (at == 0) at = count_in(message, "timestamp").value_or(0) * 1'000'000;
    parts(message);
    schema::UsageRecordedT usage;
    usage.provider = one_line(text_or_empty(message, "provider"));
    usage.model = one_line(text_or_empty(message, "model"));
    usage.stop_reason = story_.final_stop_reason;
    usage.error = one_line(text_or_empty(message, "errorMessage"));
    usage.reported = schema::Reported::not_reported;
    if (const auto counted = member(message, "usage")) {
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
    const bool failed = usage.stop_reason == "error";
    add(at, std::move(usage));
    if (failed) return {};
    schema::TurnEndedT turn;
    turn.turn = ++turns_;
    turn.tool_calls = story_.tool_calls;
    add(at, turn);
    return {};
  }

  void parts(const Json& message) {
    story_.has_final = true;
    story_.final_text.clear();
    story_.text_parts = story_.thinking_parts = story_.tool_calls = 0;
    story_.final_stop_reason = one_line(text_or_empty(message, "stopReason"));
    const auto content = array_in(message, "content");
    if (!content) return;
    for (const Json part : *content) {
      const std::string_view type = text_in(part, "type").value_or("");
      if (type == "text") {
        if (story_.text_parts++ > 0) story_.final_text += '\n';
        story_.final_text += text_or_empty(part, "text");
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
  simdjson::dom::parser parser_;
  AttemptStory story_;
  std::uint32_t calls_ = 0, turns_ = 0;
  std::map<std::string, std::deque<std::uint32_t>> open_;
};

}  // namespace

std::string AttemptStory::excerpt() const {
  return one_line(final_text);
}

std::string attempt_directory(std::string_view job, std::uint32_t attempt) {
  return fmt::format("attempts/{}/attempt-{}/", job, attempt);
}

bool is_placeholder(std::string_view stdout_text) {
  return stdout_text.starts_with("Raw stdout capture disabled");
}

Result<AttemptStory> story_of(const std::string& job, std::uint32_t job_number,
                              std::uint32_t attempt, const SourceFiles& files, BlobSink& blobs,
                              AnomalyList& anomalies) {
  StoryReader reader(job_number, attempt, blobs, anomalies);
  const std::string below = attempt_directory(job, attempt);
  if (const SourceFile* file = files.find(below + "worker-events.jsonl"))
    PIEVT_TRY(reader.lines(*file, [&](const Json& json) { return reader.telemetry(json); }));
  // The session is whole where it exists; stdout says the same and may lack its end.
  if (const SourceFile* file = files.find(below + "session.jsonl")) {
    PIEVT_TRY(reader.lines(*file, [&](const Json& json) { return reader.session(json); }));
  } else if (const SourceFile* output = files.find(below + "stdout.jsonl");
             output != nullptr && !is_placeholder(output->text())) {
    PIEVT_TRY(reader.lines(*output, [&](const Json& json) { return reader.session(json); }));
  }
  return reader.finish();
}

}  // namespace pievt::tools::pi_jobs
