#include "tools/render/csv.h"

#include <algorithm>
#include <array>

#include "tools/exporters/run_tables.h"
#include "tools/render/text.h"

namespace pievt::tools {
namespace {

struct Row {
  const RunState& run;
  const JobState* job;          ///< null: an attempt that serves the run
  const AttemptState* attempt;  ///< null: a job that was never tried
};

std::string time_of(std::uint64_t time_ns) {
  if (time_ns == 0) return {};
  return render::rfc3339(static_cast<std::int64_t>(time_ns), render::Zone::utc,
                         render::Precision::nanoseconds);
}

std::string number(std::uint64_t value) {
  return fmt::format("{}", value);
}

// Whether any request of it reported what it used.
bool reports(const AttemptState* attempt) {
  return attempt != nullptr && attempt->usage != nullptr &&
         attempt->usage->requests > attempt->usage->unreported;
}

// What was not reported is empty, never 0.
std::string spent(const AttemptState* attempt, std::uint64_t state::UsageTotalsT::*member) {
  if (!reports(attempt)) return {};
  return number((*attempt->usage).*member);
}

struct Column {
  std::string_view name;
  std::string (*text)(const Row&);
};

constexpr std::array columns = {
    Column{"run", [](const Row& r) { return r.run.run_id; }},
    Column{"job", [](const Row& r) { return r.job == nullptr ? "_probe" : r.job->id; }},
    Column{"job_status",
           [](const Row& r) {
             return std::string(r.job == nullptr ? "" : schema::EnumNameJobStatus(r.job->status));
           }},
    Column{"job_failure",
           [](const Row& r) {
             return std::string(r.job == nullptr ? ""
                                                 : schema::EnumNameFailureKind(r.job->failure));
           }},
    Column{"job_reason", [](const Row& r) { return r.job == nullptr ? "" : r.job->reason; }},
    Column{"attempt",
           [](const Row& r) { return r.attempt == nullptr ? "" : number(r.attempt->number); }},
    Column{"ending",
           [](const Row& r) {
             return std::string(r.attempt == nullptr ? ""
                                                     : schema::EnumNameEnding(r.attempt->ending));
           }},
    Column{"failure",
           [](const Row& r) {
             return std::string(
                 r.attempt == nullptr ? "" : schema::EnumNameFailureKind(r.attempt->failure));
           }},
    Column{"http_status",
           [](const Row& r) {
             return r.attempt == nullptr || r.attempt->http_status == 0
                        ? ""
                        : number(r.attempt->http_status);
           }},
    Column{"reason", [](const Row& r) { return r.attempt == nullptr ? "" : r.attempt->reason; }},
    Column{"model", [](const Row& r) { return r.attempt == nullptr ? "" : r.attempt->model; }},
    Column{
        "requested",
        [](const Row& r) { return r.attempt == nullptr ? "" : time_of(r.attempt->requested_ns); }},
    Column{
        "launched",
        [](const Row& r) { return r.attempt == nullptr ? "" : time_of(r.attempt->launched_ns); }},
    Column{"exited",
           [](const Row& r) { return r.attempt == nullptr ? "" : time_of(r.attempt->exited_ns); }},
    Column{"duration_ms",
           [](const Row& r) { return r.attempt == nullptr ? "" : number(r.attempt->duration_ms); }},
    Column{"turns",
           [](const Row& r) { return r.attempt == nullptr ? "" : number(r.attempt->turns); }},
    Column{"tool_calls",
           [](const Row& r) { return r.attempt == nullptr ? "" : number(r.attempt->tool_calls); }},
    Column{"tool_errors",
           [](const Row& r) { return r.attempt == nullptr ? "" : number(r.attempt->tool_errors); }},
    Column{"provider_retries",
           [](const Row& r) {
             return r.attempt == nullptr ? "" : number(r.attempt->provider_retries);
           }},
    Column{"requests",
           [](const Row& r) {
             return r.attempt == nullptr || r.attempt->usage == nullptr
                        ? ""
                        : number(r.attempt->usage->requests);
           }},
    Column{"requests_unreported",
           [](const Row& r) {
             return r.attempt == nullptr || r.attempt->usage == nullptr
                        ? ""
                        : number(r.attempt->usage->unreported);
           }},
    Column{"input_tokens",
           [](const Row& r) { return spent(r.attempt, &state::UsageTotalsT::input_tokens); }},
    Column{"output_tokens",
           [](const Row& r) { return spent(r.attempt, &state::UsageTotalsT::output_tokens); }},
    Column{"cache_read_tokens",
           [](const Row& r) { return spent(r.attempt, &state::UsageTotalsT::cache_read_tokens); }},
    Column{"cache_write_tokens",
           [](const Row& r) { return spent(r.attempt, &state::UsageTotalsT::cache_write_tokens); }},
    Column{"cost_usd",
           [](const Row& r) {
             return reports(r.attempt) ? render::money_exact(r.attempt->usage->cost_nanodollars)
                                       : "";
           }},
    Column{
        "first_event",
        [](const Row& r) { return r.attempt == nullptr ? "" : number(r.attempt->first_revision); }},
    Column{
        "last_event",
        [](const Row& r) { return r.attempt == nullptr ? "" : number(r.attempt->last_revision); }},
};

class Csv final : public Exporter {
 public:
  explicit Csv(Export& work) : work_(work) {}

  Status end() override {
    std::vector<std::string> names;
    for (const Column& column : columns) names.emplace_back(column.name);
    work_.out.write(render::csv_record(names));
    const RunState& run = work_.state;
    for (const auto& attempt : run.attempts) write({run, nullptr, attempt.get()});
    for (const auto& job : run.jobs) {
      if (job->attempts.empty()) write({run, job.get(), nullptr});
      for (const auto& attempt : job->attempts) write({run, job.get(), attempt.get()});
    }
    return {};
  }

 private:
  void write(const Row& row) {
    std::vector<std::string> fields;
    for (const Column& column : columns) {
      std::string text = column.text(row);
      // A spreadsheet would run what begins so; an agent could have written it.
      if (!text.empty() && std::string_view("=+-@\t\r").find(text.front()) != text.npos)
        text.insert(0, "'");
      fields.push_back(std::move(text));
    }
    work_.out.write(render::csv_record(fields));
    ++work_.manifest.items_out;
  }

  Export& work_;
};

}  // namespace

bool carried_by_state(schema::Payload type) {
  using P = schema::Payload;
  switch (type) {
    case P::RunPlanned:
    case P::RunStarted:
    case P::RunFinished:
    case P::RunRecovered:
    case P::RunStopRequested:
    case P::JobDeclared:
    case P::JobJudged:
    case P::JobFinished:
    case P::JobReopened:
    case P::AttemptLaunchRequested:
    case P::AttemptLaunched:
    case P::AttemptLaunchFailed:
    case P::AttemptExited:
    case P::AttemptLost:
    case P::AttemptClassified:
    case P::TurnEnded:
    case P::ToolCallStarted:
    case P::ToolCallFinished:
    case P::UsageRecorded:
    case P::ProviderRetryStarted:
    case P::FinalMessageObserved:
    case P::GateOpened:
    case P::GateDecided:
      return true;
    default:
      return false;
  }
}

std::string seen_by(const schema::CheckT& check) {
  if (check.expected.empty()) return check.actual;
  if (check.actual.empty()) return "expected " + check.expected;
  return fmt::format("expected {}, found {}", check.expected, check.actual);
}

bool carried_by_markdown(schema::Payload type) {
  return carried_by_state(type) || type == schema::Payload::SecretFound;
}

bool carried_by_csv(schema::Payload type) {
  using P = schema::Payload;
  constexpr std::array left_out = {P::RunFinished, P::RunRecovered,         P::RunStopRequested,
                                   P::GateOpened,  P::FinalMessageObserved, P::GateDecided,
                                   P::RunStarted};
  return carried_by_state(type) && std::ranges::find(left_out, type) == left_out.end();
}

std::unique_ptr<Exporter> make_csv(Export& work) {
  return std::make_unique<Csv>(work);
}

}  // namespace pievt::tools
