// The JSON that Perfetto reads. A job is a thread. Attempts, requests, tool calls and waits are
// asynchronous slices, since they overlap; each event is a slice of its own on the job's thread, so
// that flows have ends to hold on to: a flow leads from the event that caused to the one that
// followed. Ids are integers, as the format wants them; times are microseconds since the plan.
#include <algorithm>

#include <fmt/format.h>

#include "tools/exporters/event_facts.h"
#include "tools/exporters/story_of.h"
#include "tools/exporters/traces.h"

namespace pievt::tools {
namespace {

std::string json_text(std::string_view text) {
  return render::json_string(text);
}

class Perfetto final : public Exporter {
 public:
  explicit Perfetto(Export& work) : work_(work), facts_(work.source, work.state) {}

  Status begin() override {
    start_ns_ = work_.state.planned_ns;
    work_.out.write("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n");
    item(fmt::format(R"({{"ph":"M","pid":1,"tid":0,"name":"process_name","args":{{"name":{}}}}})",
                     json_text(fmt::format("run {}", work_.source.run_id()))));
    thread(0, "the run");
    for (const auto& job : work_.state.jobs) thread(job->number, job->id);
    return {};
  }

  Status event(const EventView& event) override {
    const std::uint32_t tid = event.head().job();
    const std::uint64_t revision = event.revision().value;
    const std::uint64_t at = event.time_ns();
    if (places_.size() < revision) places_.resize(revision);
    places_[revision - 1] = {at, tid};
    item(fmt::format(R"({{"ph":"X","pid":1,"tid":{},"ts":{},"dur":1,"cat":"event","name":{},)"
                     R"("args":{{"event":{}}}}})",
                     tid, ts(at), json_text(facts_.type(event)), revision));
    const std::uint64_t cause = event.head().causation();
    if (cause == 0 || cause > places_.size() || cause == revision) return {};
    const Place& from = places_[cause - 1];
    if (from.at_ns > at) return {};  // a clock that was set back: a flow cannot lead there
    ++flow_;
    item(fmt::format(
        R"({{"ph":"s","pid":1,"tid":{},"ts":{},"id":{},"cat":"cause","name":"led to"}})", from.tid,
        ts(from.at_ns), flow_));
    item(fmt::format(
        R"({{"ph":"f","bp":"e","pid":1,"tid":{},"ts":{},"id":{},"cat":"cause","name":"led to"}})",
        tid, ts(at), flow_));
    return {};
  }

  Status end() override {
    const RunStory story = PIEVT_TRY(story_of(work_.source));
    last_ns_ = story.last.at_ns;
    for (const story::Job& job : story.jobs) waits(job);
    for (const story::Attempt& attempt : story.attempts) this->attempt(story, attempt);
    counters(story);
    render::StringWriter text;
    render::JsonWriter json(text);
    json.begin_object();
    write_manifest_members(json, work_.manifest);
    json.member("start", facts_.time(start_ns_)).end_object();
    work_.out.print("\n],\"otherData\":{}}}\n", text.text());
    return {};
  }

 private:
  struct Place {
    std::uint64_t at_ns = 0;
    std::uint32_t tid = 0;
  };

  std::string ts(std::uint64_t at_ns) const {
    const auto since = static_cast<std::int64_t>(at_ns - start_ns_);
    const std::int64_t ns = since < 0 ? -since : since;
    return fmt::format("{}{}.{:03}", since < 0 ? "-" : "", ns / 1000, ns % 1000);
  }

  void item(std::string_view text) {
    if (work_.manifest.items_out++ != 0) work_.out.write(",\n");
    work_.out.write(text);
  }

  void thread(std::uint32_t tid, std::string_view name) {
    item(fmt::format(R"({{"ph":"M","pid":1,"tid":{},"name":"thread_name","args":{{"name":{}}}}})",
                     tid, json_text(name)));
  }

  void slice(std::uint32_t tid, std::string_view category, std::string_view name,
             std::uint64_t from, std::uint64_t to, std::string_view args = "{}") {
    ++slice_;
    item(fmt::format(
        R"({{"ph":"b","pid":1,"tid":{},"ts":{},"id":{},"cat":"{}","name":{},"args":{}}})", tid,
        ts(from), slice_, category, json_text(name), args));
    item(fmt::format(R"({{"ph":"e","pid":1,"tid":{},"ts":{},"id":{},"cat":"{}","name":{}}})", tid,
                     ts(std::max(from, to)), slice_, category, json_text(name)));
  }

  std::uint64_t end_of(const story::Span& span) const {
    return span.end.known() ? span.end.at_ns : last_ns_;
  }

  void waits(const story::Job& job) {
    constexpr std::string_view names[] = {"waits for other jobs", "waits for a slot", "backoff"};
    for (const story::Wait& wait : job.waits)
      slice(job.number, "wait", names[static_cast<std::size_t>(wait.kind)], wait.span.begin.at_ns,
            end_of(wait.span));
  }

  void attempt(const RunStory& story, const story::Attempt& attempt) {
    const story::Mark& last = attempt.classified.known() ? attempt.classified : story.last;
    slice(attempt.job, "attempt", fmt::format("attempt {}", attempt.number),
          attempt.requested.at_ns, last.at_ns,
          fmt::format(R"({{"ending":"{}","reason":{},"model":{}}})",
                      schema::EnumNameEnding(attempt.ending), json_text(attempt.reason),
                      json_text(attempt.model)));
    for (const story::Request& request : attempt.requests)
      slice(attempt.job, "request",
            fmt::format("{}{}", request.failed ? "failed: " : "", request.model),
            request.after.at_ns, request.answered.at_ns,
            fmt::format(R"({{"event":{},"error":{},"tokens":{}}})", request.answered.revision,
                        json_text(request.error), request.spent.total_tokens));
    for (const story::ToolCall& call : attempt.tools)
      slice(
          attempt.job, "tool", call.tool,
          call.span.begin.known() ? call.span.begin.at_ns : call.span.end.at_ns, end_of(call.span),
          fmt::format(R"({{"subject":{},"is_error":{}}})", json_text(call.subject), call.is_error));
    for (const story::ProviderRetry& retry : attempt.retries)
      slice(attempt.job, "provider wait", "waits for the provider", retry.began.at_ns,
            retry.began.at_ns + retry.delay_ms * 1'000'000,
            fmt::format(R"({{"error":{}}})", json_text(retry.error)));
  }

  void counter(std::string_view name, std::uint64_t at_ns, std::string_view value) {
    item(fmt::format(R"({{"ph":"C","pid":1,"ts":{},"name":"{}","args":{{"value":{}}}}})", ts(at_ns),
                     name, value));
  }

  void counters(const RunStory& story) {
    std::vector<std::pair<std::uint64_t, int>> steps;
    std::vector<const story::Request*> requests;
    for (const story::Attempt& attempt : story.attempts) {
      for (const story::Request& request : attempt.requests) requests.push_back(&request);
      if (!attempt.launched.known()) continue;
      const story::Span running = attempt.running();
      steps.emplace_back(running.begin.at_ns, 1);
      if (running.end.known()) steps.emplace_back(running.end.at_ns, -1);
    }
    std::ranges::sort(steps);
    int running = 0;
    for (const auto& [at, step] : steps) {
      running += step;
      counter("attempts running", at, fmt::format("{}", running));
    }
    counter("attempts allowed", story.planned.at_ns, fmt::format("{}", story.concurrency));
    for (const story::Throttle& throttle : story.throttles)
      counter("attempts allowed", throttle.at.at_ns, fmt::format("{}", throttle.to));
    std::ranges::sort(requests, {}, [](const story::Request* r) { return r->answered.at_ns; });
    std::int64_t cost = 0;
    std::uint64_t tokens = 0;
    for (const story::Request* request : requests) {
      if (!request->spent.reported) continue;
      cost += request->spent.cost_nanodollars;
      tokens += request->spent.total_tokens;
      counter("cost in dollars", request->answered.at_ns,
              fmt::format("{:.9f}", static_cast<double>(cost) / 1e9));
      counter("tokens", request->answered.at_ns, fmt::format("{}", tokens));
    }
  }

  Export& work_;
  EventFacts facts_;
  std::uint64_t start_ns_ = 0, last_ns_ = 0, flow_ = 0, slice_ = 0;
  std::vector<Place> places_;  ///< of events, by revision
};

}  // namespace

std::unique_ptr<Exporter> make_perfetto(Export& work) {
  return std::make_unique<Perfetto>(work);
}

}  // namespace pievt::tools
