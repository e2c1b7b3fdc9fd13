// One trace a run: the run, its jobs, their attempts (`invoke_agent`), and in them model requests
// (`chat`) and tool calls (`execute_tool`). Ids are made from names, so the same run exported twice
// is the same trace and a backend can tell.
//
// Two versions of the conventions are in use and differ in one name: what was `gen_ai.system` up to
// 1.36 is `gen_ai.provider.name` from 1.37 on.
#include <algorithm>

#include <fmt/format.h>

#include "store/format/hash.h"
#include "tools/exporters/story_of.h"
#include "tools/exporters/traces.h"

namespace pievt::tools {
namespace {

using render::JsonWriter;

// Numbers of SpanKind and StatusCode in OTLP.
constexpr int kind_internal = 1, kind_client = 3;
enum class Code : std::uint8_t { unset = 0, ok = 1, error = 2 };

std::string id_of(std::string_view name, std::size_t bytes) {
  const Digest digest = sha256(std::as_bytes(std::span(name)));
  return hex(std::span(digest).first(bytes));
}

class Otlp final : public Exporter {
 public:
  explicit Otlp(Export& work)
      : work_(work),
        json_(work.out),
        trace_(id_of(fmt::format("pievt run\n{}", work.source.run_id()), 16)) {}

  Status end() override {
    const RunStory story = PIEVT_TRY(story_of(work_.source));
    begin_document();
    run(story);
    for (const story::Job& job : story.jobs) this->job(story, job);
    for (const story::Attempt& attempt : story.attempts) this->attempt(story, attempt);
    for (const story::Gate& gate : story.gates) this->gate(story, gate);
    json_.end_array().end_object().end_array();
    json_.member("schemaUrl", fmt::format("https://opentelemetry.io/schemas/{}.0", semconv()));
    json_.end_object().end_array().end_object().end_document();
    return {};
  }

 private:
  const std::string& semconv() const { return work_.options.semconv; }

  void begin_document() {
    json_.begin_object().key("resourceSpans").begin_array().begin_object();
    json_.key("resource").begin_object().key("attributes").begin_array();
    text("service.name", "pievt");
    text("service.version", work_.options.pievt_version);
    text("pievt.run.id", work_.source.run_id());
    text("pievt.export.origin", work_.manifest.origin);
    text("pievt.export.events_sha256", work_.manifest.events_digest);
    number("pievt.export.events_in", work_.manifest.events_in);
    number("pievt.export.events_carried", work_.manifest.events_carried);
    json_.end_array().end_object();
    json_.key("scopeSpans").begin_array().begin_object();
    json_.key("scope")
        .begin_object()
        .member("name", "pievt")
        .member("version", work_.options.pievt_version)
        .end_object();
    json_.key("spans").begin_array();
  }

  void text(std::string_view key, std::string_view value) {
    if (value.empty()) return;
    json_.begin_object().member("key", key).key("value").begin_object();
    json_.member("stringValue", value).end_object().end_object();
  }
  void number(std::string_view key, std::uint64_t value) {
    json_.begin_object().member("key", key).key("value").begin_object();
    json_.key("intValue").value(value, JsonWriter::Integers::strings);
    json_.end_object().end_object();
  }
  void real(std::string_view key, double value) {
    json_.begin_object().member("key", key).key("value").begin_object();
    json_.member("doubleValue", value).end_object().end_object();
  }

  std::string span_id(std::string_view name) const {
    return id_of(fmt::format("pievt span\n{}\n{}", work_.source.run_id(), name), 8);
  }

  // Up to its attributes, whose array is open.
  void begin_span(std::string_view path, std::string_view parent, std::string_view name, int kind,
                  std::uint64_t from_ns, std::uint64_t to_ns) {
    ++work_.manifest.items_out;
    json_.begin_object().member("traceId", trace_).member("spanId", span_id(path));
    if (!parent.empty()) json_.member("parentSpanId", span_id(parent));
    json_.member("name", name).member("kind", kind);
    json_.key("startTimeUnixNano").value(from_ns, JsonWriter::Integers::strings);
    json_.key("endTimeUnixNano").value(std::max(from_ns, to_ns), JsonWriter::Integers::strings);
    json_.key("attributes").begin_array();
  }
  void end_span(Code code, std::string_view message) {
    json_.key("status").begin_object().member("code", static_cast<int>(code));
    if (code == Code::error && !message.empty()) json_.member("message", message);
    json_.end_object().end_object();
  }

  void begin_events() { json_.end_array().key("events").begin_array(); }
  void span_event(std::string_view name, const story::Mark& at, std::string_view key,
                  std::string_view value) {
    json_.begin_object().key("timeUnixNano").value(at.at_ns, JsonWriter::Integers::strings);
    json_.member("name", name).key("attributes").begin_array();
    number("pievt.event", at.revision);
    text(key, value);
    json_.end_array().end_object();
  }

  void run(const RunStory& story) {
    const story::RunEnd* end = story.end();
    begin_span("run", "", fmt::format("run {}", story.name.empty() ? story.run_id : story.name),
               kind_internal, story.planned.at_ns, (end ? end->at : story.last).at_ns);
    text("pievt.run.id", story.run_id);
    number("pievt.run.jobs", story.jobs.size());
    number("pievt.run.concurrency", story.concurrency);
    begin_events();
    for (const story::Throttle& throttle : story.throttles)
      span_event("throttle", throttle.at, "pievt.throttle",
                 fmt::format("{} to {}: {}", throttle.from, throttle.to, throttle.detail));
    for (const story::StopRequest& stop : story.stops)
      span_event("stop requested", stop.at, "pievt.reason", stop.reason);
    for (const story::Supervision& supervision : story.supervisions)
      if (supervision.died())
        span_event("supervisor lost", supervision.last_seen, "pievt.taken_over_by",
                   fmt::format("#{}", supervision.taken_over.revision));
    for (const story::Note& note : story.notes)
      span_event("note", note.at, "pievt.note", fmt::format("{}: {}", note.label, note.text));
    json_.end_array();
    const bool ok = end != nullptr && end->ending == schema::RunEnding::succeeded;
    end_span(end == nullptr ? Code::unset
             : ok           ? Code::ok
                            : Code::error,
             end == nullptr ? "" : end->reason);
  }

  static std::string path_of(std::uint32_t job) { return fmt::format("job/{}", job); }
  static std::string path_of(const story::Attempt& attempt) {
    return fmt::format("job/{}/{}", attempt.job, attempt.number);
  }

  void job(const RunStory& story, const story::Job& job) {
    const story::JobEnd* end = job.end();
    begin_span(path_of(job.number), "run", fmt::format("job {}", job.id), kind_internal,
               job.declared.at_ns, (end ? end->at : story.last).at_ns);
    text("pievt.job.id", job.id);
    if (end != nullptr) {
      text("pievt.job.status", schema::EnumNameJobStatus(end->status));
      text("pievt.job.failure", schema::EnumNameFailureKind(end->failure));
    }
    begin_events();
    for (const story::Verdict& verdict : job.verdicts)
      span_event("judged", verdict.at, "pievt.reason", verdict.reason);
    json_.end_array();
    const bool ok = end != nullptr && end->status == schema::JobStatus::succeeded;
    end_span(end == nullptr ? Code::unset
             : ok           ? Code::ok
                            : Code::error,
             end == nullptr ? "" : end->reason);
  }

  void attempt(const RunStory& story, const story::Attempt& attempt) {
    const std::string path = path_of(attempt);
    const story::Mark& last = attempt.classified.known() ? attempt.classified
                              : attempt.exited.known()   ? attempt.exited
                                                         : story.last;
    begin_span(path, attempt.job == 0 ? "run" : path_of(attempt.job), "invoke_agent pi",
               kind_internal, attempt.requested.at_ns, last.at_ns);
    text("gen_ai.operation.name", "invoke_agent");
    text("gen_ai.agent.name", "pi");
    text("gen_ai.request.model", attempt.model);
    text("gen_ai.conversation.id", attempt.session_id);
    number("pievt.attempt", attempt.number);
    text("pievt.attempt.ending", schema::EnumNameEnding(attempt.ending));
    if (attempt.http_status != 0) number("http.response.status_code", attempt.http_status);
    begin_events();
    for (const story::ProviderRetry& retry : attempt.retries)
      span_event("provider retry", retry.began, "pievt.error", retry.error);
    for (const story::Silence& silence : attempt.silences)
      span_event("silent", silence.noticed, "pievt.activity",
                 schema::EnumNameActivity(silence.activity));
    for (const story::StopStep& stop : attempt.stops)
      span_event("stop", stop.at, "pievt.reason", schema::EnumNameStopReason(stop.reason));
    for (const story::FinalMessage& last_words : attempt.finals)
      span_event("final message", last_words.at, "pievt.excerpt", last_words.excerpt);
    json_.end_array();
    const bool over = attempt.classified.known();
    end_span(!over                                  ? Code::unset
             : attempt.ending == schema::Ending::ok ? Code::ok
                                                    : Code::error,
             attempt.reason);
    for (std::size_t i = 0; i < attempt.requests.size(); ++i) request(path, i, attempt.requests[i]);
    for (std::size_t i = 0; i < attempt.tools.size(); ++i) tool(path, i, attempt.tools[i], last);
  }

  void request(const std::string& parent, std::size_t place, const story::Request& request) {
    begin_span(fmt::format("{}/chat/{}", parent, place), parent,
               fmt::format("chat {}", request.model), kind_client, request.after.at_ns,
               request.answered.at_ns);
    text("gen_ai.operation.name", "chat");
    text(semconv() == "1.36" ? "gen_ai.system" : "gen_ai.provider.name", request.provider);
    text("gen_ai.request.model", request.model);
    text("gen_ai.response.model", request.response_model);
    if (request.spent.reported) {
      number("gen_ai.usage.input_tokens", request.spent.input_tokens);
      number("gen_ai.usage.output_tokens", request.spent.output_tokens);
      number("pievt.usage.cache_read_tokens", request.spent.cache_read_tokens);
      number("pievt.usage.cache_write_tokens", request.spent.cache_write_tokens);
      real("pievt.usage.cost_usd", static_cast<double>(request.spent.cost_nanodollars) / 1e9);
    }
    if (request.failed) text("error.type", "provider_error");
    number("pievt.event", request.answered.revision);
    if (!request.stop_reason.empty()) {
      json_.begin_object().member("key", "gen_ai.response.finish_reasons").key("value");
      json_.begin_object().key("arrayValue").begin_object().key("values").begin_array();
      json_.begin_object().member("stringValue", request.stop_reason).end_object();
      json_.end_array().end_object().end_object().end_object();
    }
    json_.end_array();
    end_span(request.failed ? Code::error : Code::ok, request.error);
  }

  void tool(const std::string& parent, std::size_t place, const story::ToolCall& call,
            const story::Mark& last) {
    const std::uint64_t to = call.span.end.known() ? call.span.end.at_ns : last.at_ns;
    begin_span(fmt::format("{}/tool/{}", parent, place), parent,
               fmt::format("execute_tool {}", call.tool), kind_internal,
               call.span.begin.known() ? call.span.begin.at_ns : to, to);
    text("gen_ai.operation.name", "execute_tool");
    text("gen_ai.tool.name", call.tool);
    text("gen_ai.tool.call.id", call.call_id);
    text("pievt.tool.subject", call.subject);
    if (call.is_error) text("error.type", "tool_error");
    number("pievt.event",
           call.span.begin.known() ? call.span.begin.revision : call.span.end.revision);
    json_.end_array();
    end_span(call.is_error ? Code::error : call.span.end.known() ? Code::ok : Code::unset, "");
  }

  void gate(const RunStory& story, const story::Gate& gate) {
    const std::string parent = gate.job == 0 ? std::string("run")
                               : gate.attempt == 0
                                   ? path_of(gate.job)
                                   : fmt::format("job/{}/{}", gate.job, gate.attempt);
    const std::uint64_t to = gate.span.end.known() ? gate.span.end.at_ns : story.last.at_ns;
    begin_span(fmt::format("gate/{}", gate.number), parent,
               fmt::format("gate {}", schema::EnumNameGateKind(gate.kind)), kind_internal,
               gate.span.begin.at_ns, to);
    text("pievt.gate.decision", schema::EnumNameGateDecision(gate.decision));
    number("pievt.gate.checks", gate.checks);
    number("pievt.gate.checks_failed", gate.checks_failed);
    json_.end_array();
    const bool failed = gate.decision == schema::GateDecision::failed ||
                        gate.decision == schema::GateDecision::rejected;
    end_span(!gate.span.end.known() ? Code::unset : failed ? Code::error : Code::ok, gate.reason);
  }

  Export& work_;
  JsonWriter json_;
  std::string trace_;
};

}  // namespace

bool carried_by_story(schema::Payload type) {
  using P = schema::Payload;
  constexpr P left_out[] = {
      P::StoreCreated,        P::WriterOpened,        P::WriterClosed,
      P::StreamDeclared,      P::ActorDeclared,       P::SchemaRegistered,
      P::OutputCaptured,      P::ArtifactRecorded,    P::ImportStarted,
      P::ImportFinished,      P::StateDigestRecorded, P::JobRevised,
      P::WorktreeRequested,   P::WorktreeReady,       P::WorktreeRemoveRequested,
      P::WorktreeRemoved,     P::WorkspaceObserved,   P::WritesObserved,
      P::PatchApplyRequested, P::PatchApplied,        P::RunSealed};
  return type > P::NONE && type <= P::MAX &&
         std::find(std::begin(left_out), std::end(left_out), type) == std::end(left_out);
}

std::unique_ptr<Exporter> make_otlp(Export& work) {
  return std::make_unique<Otlp>(work);
}

}  // namespace pievt::tools
