// What events say about what an attempt was seen and heard to do.
#include "store/model/fold.h"
#include "store/model/saturated.h"

namespace pievt {

using namespace schema;  // NOLINT(google-build-using-namespace): every name below is an event

namespace {

// A state that was loaded may lack its totals: they are made where they are needed.
void add(std::unique_ptr<state::UsageTotalsT>& into, const Usage* usage, Reported reported) {
  if (into == nullptr) into = std::make_unique<state::UsageTotalsT>();
  state::UsageTotalsT& totals = *into;
  ++totals.requests;
  if (usage == nullptr || reported != Reported::reported) {
    ++totals.unreported;
    return;
  }
  totals.input_tokens += usage->input_tokens();
  totals.output_tokens += usage->output_tokens();
  totals.cache_read_tokens += usage->cache_read_tokens();
  totals.cache_write_tokens += usage->cache_write_tokens();
  totals.total_tokens += usage->total_tokens();
  totals.cost_nanodollars = saturated_sum(totals.cost_nanodollars, usage->cost_nanodollars());
}

}  // namespace

void Fold::operator()(const SessionStarted& e) {
  if (attempt != nullptr) attempt->session_id = str(e.session_id());
}

void Fold::operator()(const TurnEnded&) {
  if (attempt != nullptr) ++attempt->turns;
}

void Fold::operator()(const ToolCallStarted&) {
  if (attempt == nullptr) return;
  ++attempt->tool_calls;
  ++attempt->tools_open;
}

void Fold::operator()(const ToolCallFinished& e) {
  if (attempt == nullptr) return;
  if (attempt->tools_open > 0) --attempt->tools_open;
  if (e.is_error()) ++attempt->tool_errors;
}

void Fold::operator()(const UsageRecorded& e) {
  if (attempt != nullptr) add(attempt->usage, e.usage(), e.reported());
  if (job != nullptr) add(job->usage, e.usage(), e.reported());
  add(run.usage, e.usage(), e.reported());
  if (attempt != nullptr && e.error() != nullptr && e.error()->size() != 0)
    attempt->last_error = e.error()->str();
}

void Fold::operator()(const FinalMessageObserved& e) {
  if (attempt == nullptr) return;
  attempt->final_message = ref(e.text());
  attempt->final_excerpt = str(e.excerpt());
}

void Fold::operator()(const ProviderRetryStarted& e) {
  if (attempt == nullptr) return;
  ++attempt->provider_retries;
  attempt->last_error = str(e.error());
}

void Fold::operator()(const OutputCaptured& e) {
  if (attempt == nullptr) return;
  if (e.channel() == OutputChannel::stdout) {
    attempt->stdout_bytes = e.offset() + e.size();
    ++attempt->stdout_chunks;
  } else if (e.channel() == OutputChannel::stderr) {
    attempt->stderr_bytes = e.offset() + e.size();
    ++attempt->stderr_chunks;
  }
}

void Fold::operator()(const OutputAnomalyObserved&) {
  if (attempt != nullptr) ++attempt->anomalies;
}

void Fold::operator()(const ProgressReported& e) {
  if (attempt != nullptr) attempt->progress = str(e.text());
}

void Fold::operator()(const ReportSubmitted& e) {
  if (attempt == nullptr) return;
  attempt->report_status = e.status();
  attempt->report_revision = event.revision().value;
  attempt->report_summary = str(e.summary());
  attempt->requests.clear();
  if (e.requests() == nullptr) return;
  for (const auto* request : *e.requests()) attempt->requests.push_back(str(request));
}

void Fold::operator()(const SilenceObserved&) {
  if (attempt != nullptr) ++attempt->silences;
}

void Fold::operator()(const SecretFound&) {
  ++run.secrets;
  if (attempt != nullptr) ++attempt->secrets;
}

}  // namespace pievt
