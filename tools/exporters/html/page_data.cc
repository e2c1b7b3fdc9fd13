// The data of the page. Times are milliseconds since the plan; names are short because there are
// many of them. page.js is the only reader.
#include <algorithm>

#include <fmt/format.h>

#include "tools/exporters/html/page_parts.h"

namespace pievt::tools::html {
namespace {

using render::JsonWriter;

constexpr std::uint64_t text_bytes_max = 16u << 10;
constexpr std::size_t line_bytes_max = 400;

// What a character takes in the file: control characters and markup are written as \u003c.
std::uint64_t weight_of(char c) {
  const bool escaped = static_cast<unsigned char>(c) < 0x20 || c == '<' || c == '>' || c == '&';
  return escaped ? 6 : c == '"' || c == '\\' ? 2 : 1;
}
std::uint64_t weight_of(std::string_view text) {
  std::uint64_t weight = 0;
  for (const char c : text) weight += weight_of(c);
  return weight;
}

// How many bytes of the text weigh at most so much. Never ends inside a character.
std::size_t fitting(std::string_view text, std::uint64_t most) {
  std::uint64_t weight = 0;
  std::size_t end = 0;
  while (end < text.size() && (weight += weight_of(text[end])) <= most) ++end;
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
    --end;
  return end;
}

std::string_view line_of(std::string_view text) {
  return text.substr(0, fitting(text, line_bytes_max));
}

class Data {
 public:
  Data(Export& work, const RunStory& story, const audit::RunReport& report, const Writes& writes,
       TextBudget& budget, render::Writer& out)
      : work_(work), story_(story), report_(report), writes_(writes), budget_(budget), json_(out) {
    for (const auto& gate : work.state.gates) gates_of_[gate->job].push_back(gate.get());
    for (const story::Gate& gate : story.gates) told_gates_[gate.number] = &gate;
  }

  Status write() {
    json_.begin_object()
        .member("run", story_.run_id)
        .member("t0", story_.planned.at_ns / 1'000'000);
    json_.member("end", ms(story_.last));
    json_.key("jobs").begin_array();
    for (const story::Job& job : story_.jobs) PIEVT_TRY(this->job(job));
    json_.end_array();
    marks();
    requests();
    json_.end_object();
    return {};
  }

 private:
  double ms(const story::Mark& mark) const {
    const auto since = static_cast<std::int64_t>(mark.at_ns - story_.planned.at_ns);
    // To a microsecond: more digits are only bytes.
    return static_cast<double>(since / 1000) / 1000.0;
  }
  double end_ms(const story::Mark& mark) const { return mark.known() ? ms(mark) : ms(story_.last); }

  Status job(const story::Job& job) {
    const story::JobEnd* end = job.end();
    const schema::JobStatus status = end ? end->status : schema::JobStatus::unknown;
    json_.begin_object()
        .member("id", job.id)
        .member("s", schema::EnumNameJobStatus(status))
        .member("x", static_cast<int>(standing_of(status)))
        .member("f", schema::EnumNameFailureKind(end ? end->failure : schema::FailureKind::unknown))
        .member("why", end ? line_of(end->reason) : "")
        .member("c", cause_of(report_, job.number));
    json_.key("w").begin_array();
    for (const story::Wait& wait : job.waits) {
      json_.begin_array().value(ms(wait.span.begin)).value(end_ms(wait.span.end));
      json_.value(static_cast<int>(wait.kind)).value(wait.span.begin.revision).end_array();
    }
    json_.end_array().key("at").begin_array();
    for (const std::uint32_t place : job.attempts) PIEVT_TRY(attempt(story_.attempts[place]));
    json_.end_array();
    gates(job.number);
    json_.end_object();
    return {};
  }

  Status attempt(const story::Attempt& attempt) {
    const story::Mark& last = attempt.classified.known() ? attempt.classified
                              : attempt.exited.known()   ? attempt.exited
                                                         : story_.last;
    const story::Mark& spoke = attempt.session.known()    ? attempt.session
                               : attempt.launched.known() ? attempt.launched
                                                          : last;
    std::uint64_t tokens = 0;
    std::int64_t cost = 0;
    bool reported = false;
    for (const story::Request& request : attempt.requests) {
      if (!request.spent.reported) continue;
      reported = true;
      tokens += request.spent.total_tokens;
      cost += request.spent.cost_nanodollars;
    }
    json_.begin_object()
        .member("n", attempt.number)
        .member("b", ms(attempt.requested))
        .member("s", ms(spoke))
        .member("e", ms(last))
        .member("ok", attempt.ending == schema::Ending::ok)
        .member("end", schema::EnumNameEnding(attempt.ending))
        .member("why", line_of(attempt.reason))
        .member("m", attempt.model)
        .member("tok", tokens)
        .member("tools", attempt.tools.size());
    json_.key("cost");
    if (reported) {
      json_.value(static_cast<double>(cost) / 1e9);
    } else {
      json_.null();
    }
    json_.key("ev")
        .begin_array()
        .value(attempt.requested.revision)
        .value(last.revision)
        .end_array();
    phases(attempt);
    json_.key("pr");
    PIEVT_TRY(text(attempt.prompt));
    json_.key("fi");
    if (attempt.finals.empty()) {
      json_.null();
    } else {
      PIEVT_TRY(text(attempt.finals.back().text));
    }
    json_.key("wr").begin_array();
    if (const auto found = writes_.find({attempt.job, attempt.number}); found != writes_.end())
      for (const std::string& line : found->second) json_.value(line);
    json_.end_array().end_object();
    return {};
  }

  // Tools and waits for the provider; what lies between them is the model. Failed requests.
  void phases(const story::Attempt& attempt) {
    json_.key("ph").begin_array();
    for (const story::ToolCall& call : attempt.tools) {
      const story::Mark& from = call.span.begin.known() ? call.span.begin : call.span.end;
      json_.begin_array().value(ms(from)).value(end_ms(call.span.end)).value(0);
      json_.value(from.revision);
      json_.value(fmt::format("{} {}", call.tool, call.subject.substr(0, 80))).end_array();
    }
    for (const story::ProviderRetry& retry : attempt.retries) {
      json_.begin_array().value(ms(retry.began));
      json_.value(ms(retry.began) + static_cast<double>(retry.delay_ms)).value(1);
      json_.value(retry.began.revision).value(retry.error.substr(0, 80)).end_array();
    }
    json_.end_array().key("er").begin_array();
    for (const story::Request& request : attempt.requests) {
      if (!request.failed) continue;
      json_.begin_array().value(ms(request.answered)).value(request.answered.revision);
      json_.value(request.error.substr(0, 160)).end_array();
    }
    json_.end_array();
  }

  void gates(std::uint32_t job) {
    json_.key("g").begin_array();
    for (const state::GateStateT* gate : gates_of_[job]) {
      if (gate->decision == schema::GateDecision::unknown) continue;
      const auto told = told_gates_.find(gate->number);
      if (told == told_gates_.end()) continue;
      const bool met = gate->decision == schema::GateDecision::passed ||
                       gate->decision == schema::GateDecision::warned ||
                       gate->decision == schema::GateDecision::approved ||
                       gate->decision == schema::GateDecision::skipped;
      json_.begin_array()
          .value(end_ms(told->second->span.end))
          .value(met)
          .value(gate->decided_revision);
      json_.begin_array();
      for (const auto& check : gate->checks)
        json_.value(fmt::format("{}: {} {}: expected {}, found {}",
                                schema::EnumNameCheckStatus(check->status), check->kind,
                                check->target, check->expected, check->actual));
      json_.end_array().end_array();
    }
    json_.end_array();
  }

  Status text(const std::optional<schema::BlobRef>& ref) {
    std::optional<std::string> content;
    if (ref) content = PIEVT_TRY(work_.text(*ref));
    if (!content) {
      if (ref) ++budget_.absent;
      json_.null();
      return {};
    }
    const std::size_t fits = fitting(*content, std::min(text_bytes_max, budget_.left));
    if (content->size() > fits) {
      ++budget_.shortened;
      const std::size_t whole = content->size();
      content->resize(fits);
      *content += fmt::format("\n[... {} bytes in all]", whole);
    }
    budget_.left -= std::min<std::uint64_t>(budget_.left, weight_of(*content));
    json_.value(*content);
    return {};
  }

  void mark(const story::Mark& at, std::string_view kind, std::string_view sentence) {
    json_.begin_array().value(ms(at)).value(kind).value(at.revision);
    json_.value(line_of(sentence)).end_array();
  }

  void marks() {
    json_.key("marks").begin_array();
    for (const story::Supervision& supervision : story_.supervisions)
      if (supervision.died())
        mark(supervision.last_seen, "lost", "the supervisor was last seen here; another took over");
    for (const story::StopRequest& stop : story_.stops)
      mark(stop.at, "stop", fmt::format("a stop was asked for: {}", stop.reason));
    for (const story::Throttle& throttle : story_.throttles)
      mark(throttle.at, "throttle",
           fmt::format("throttle {} to {}, {}{}{}", throttle.from, throttle.to,
                       schema::EnumNameThrottleReason(throttle.reason),
                       throttle.detail.empty() ? "" : ": ", throttle.detail));
    json_.end_array();
    json_.key("allowed").begin_array();
    json_.begin_array().value(0).value(story_.concurrency).end_array();
    for (const story::Throttle& throttle : story_.throttles)
      json_.begin_array().value(ms(throttle.at)).value(throttle.to).end_array();
    json_.end_array();
  }

  void requests() {
    std::vector<const story::Request*> all;
    for (const story::Attempt& attempt : story_.attempts)
      for (const story::Request& request : attempt.requests) all.push_back(&request);
    std::ranges::stable_sort(all, {}, [](const story::Request* r) { return r->answered.at_ns; });
    json_.key("req").begin_array();
    for (const story::Request* request : all) {
      const story::Spent& spent = request->spent;
      json_.begin_array().value(ms(request->answered)).value(request->failed ? 0 : 1);
      json_.value(spent.reported ? spent.total_tokens : 0);
      json_.value(spent.reported ? static_cast<double>(spent.cost_nanodollars) / 1e9 : 0.0);
      json_.end_array();
    }
    json_.end_array();
  }

  Export& work_;
  const RunStory& story_;
  const audit::RunReport& report_;
  const Writes& writes_;
  TextBudget& budget_;
  std::map<std::uint32_t, std::vector<const state::GateStateT*>> gates_of_;  ///< by job
  std::map<std::uint32_t, const story::Gate*> told_gates_;                   ///< by number
  JsonWriter json_;
};

}  // namespace

void ScriptText::append(std::string_view text) {
  constexpr std::size_t piece_bytes = 256u << 10;
  if (pieces_.empty() || pieces_.back().size() + text.size() > piece_bytes)
    pieces_.emplace_back().reserve(std::max(piece_bytes, text.size()));
  pieces_.back() += text;
}

void ScriptText::write(std::string_view text) {
  while (!text.empty()) {
    const std::size_t plain = std::min(text.find_first_of("<>&"), text.size());
    append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) return;
    append(text[0] == '<' ? "\\u003c" : text[0] == '>' ? "\\u003e" : "\\u0026");
    text.remove_prefix(1);
  }
}

void ScriptText::move_to(render::Writer& out) {
  for (; !pieces_.empty(); pieces_.pop_front()) out.write(pieces_.front());
}

Status page_data(Export& work, const RunStory& story, const audit::RunReport& report,
                 const Writes& writes, TextBudget& budget, ScriptText& to) {
  return Data(work, story, report, writes, budget, to).write();
}

}  // namespace pievt::tools::html
