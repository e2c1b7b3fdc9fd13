// The fold: what each event makes true of its run. One overload an event; events without one change
// nothing but the revision. Cheap on purpose (a few stores an event): a million events are folded
// while somebody waits.
#include <algorithm>

#include "pievt/run_state.h"
#include "store/model/saturated.h"

namespace pievt {
namespace {

using namespace schema;  // NOLINT(google-build-using-namespace): every name below is an event
using state::AttemptPhase;
using state::JobPhase;
using state::RunPhase;

std::string str(const flatbuffers::String* text) {
  return text == nullptr ? std::string() : text->str();
}

std::unique_ptr<BlobRef> ref(const BlobRef* blob) {
  return blob == nullptr ? nullptr : std::make_unique<BlobRef>(*blob);
}

template <class Table>
std::unique_ptr<typename Table::NativeTableType> native(const Table* table) {
  if (table == nullptr) return nullptr;
  auto value = std::make_unique<typename Table::NativeTableType>();
  table->UnPackTo(value.get());
  return value;
}

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

// One event on its way into the state, with the job, attempt and gate it is about (null where there
// is none).
class Fold {
 public:
  Fold(RunState& run, const EventView& event) : run_(run), event_(event) {
    const Head& head = event.head();
    if (head.job() != 0 && head.job() <= run.jobs.size()) job_ = run.jobs[head.job() - 1].get();
    auto* attempts = head.job() == 0 ? &run.attempts : job_ != nullptr ? &job_->attempts : nullptr;
    if (attempts != nullptr && head.attempt() != 0 && head.attempt() <= attempts->size()) {
      attempt_ = (*attempts)[head.attempt() - 1].get();
      attempt_->last_revision = event.revision().value;
    }
    if (head.gate() != 0 && head.gate() <= run.gates.size())
      gate_ = run.gates[head.gate() - 1].get();
  }

  void operator()(const RunPlanned& e) {
    run_.run_id = str(e.run_id());
    run_.kind = e.kind();
    run_.name = str(e.name());
    run_.phase = RunPhase::planned;
    run_.planned_ns = event_.time_ns();
    run_.concurrency = e.concurrency();
    run_.job_count = e.job_count();
    run_.cwd = str(e.cwd());
    run_.plan = ref(e.plan());
    run_.plan_path = str(e.plan_path());
    run_.parent_run = str(e.parent_run());
    run_.ruleset = str(e.ruleset());
    run_.usage = std::make_unique<state::UsageTotalsT>();
  }

  void operator()(const RunStarted& e) {
    run_.phase = RunPhase::running;
    run_.started_ns = event_.time_ns();
    run_.pi_program = str(e.pi_program());
    run_.pi_version = str(e.pi_version());
    run_.supervisor = native(e.supervisor());
  }

  void operator()(const RunStopRequested& e) {
    run_.phase = RunPhase::stopping;
    run_.stop_mode = std::max(run_.stop_mode, e.mode());
    run_.stop_reason = str(e.reason());
  }

  void operator()(const RunPaused&) { run_.phase = RunPhase::paused; }

  void operator()(const RunResumed&) {
    run_.phase = RunPhase::running;
    run_.ending = RunEnding::unknown;
    run_.finished_ns = 0;
    run_.stop_mode = StopMode::unknown;
    run_.stop_reason.clear();
  }

  void operator()(const RunRecovered& e) {
    ++run_.recoveries;
    run_.supervisor = native(e.supervisor());
    if (!str(e.pi_version()).empty()) run_.pi_version = str(e.pi_version());
  }

  void operator()(const RunFinished& e) {
    run_.phase = RunPhase::finished;
    run_.ending = e.ending();
    run_.reason = str(e.reason());
    run_.finished_ns = event_.time_ns();
  }

  void operator()(const JobDeclared& e) {
    if (event_.head().job() != run_.jobs.size() + 1) return;
    auto job = std::make_unique<JobState>();
    job->number = event_.head().job();
    job->id = str(e.id());
    job->name = str(e.name());
    job->phase = JobPhase::waiting;
    job->declared_revision = event_.revision().value;
    job->model = str(e.model());
    job->prompt = ref(e.prompt());
    job->timeout_ms = e.timeout_ms();
    job->priority = e.priority();
    job->max_attempts = e.retry() == nullptr ? 1 : std::max(1u, e.retry()->max_attempts());
    job->usage = std::make_unique<state::UsageTotalsT>();
    job->declared = native(&e);
    for (const auto& dependency : job->declared->depends_on) {
      job->depends_on.push_back(std::make_unique<JobDependencyT>(*dependency));
    }
    run_.jobs.push_back(std::move(job));
  }

  void operator()(const JobRetryScheduled& e) {
    if (job_ == nullptr) return;
    job_->phase = JobPhase::backoff;
    job_->retry_not_before_ns = e.not_before_ns();
    job_->retry_reason = str(e.reason());
  }

  void operator()(const JobJudged& e) {
    if (job_ == nullptr) return;
    job_->judged_status = e.status();
    job_->judged_revision = event_.revision().value;
    job_->failure = e.failure();
    job_->reason = str(e.reason());
    job_->retryable = e.retryable();
  }

  void operator()(const JobFinished& e) {
    if (job_ == nullptr) return;
    job_->phase = JobPhase::finished;
    job_->status = e.status();
    job_->failure = e.failure();
    job_->reason = str(e.reason());
    job_->finished_revision = event_.revision().value;
  }

  void operator()(const JobReopened&) {
    if (job_ == nullptr) return;
    job_->phase = JobPhase::waiting;
    job_->status = JobStatus::unknown;
    job_->finished_revision = 0;
    job_->retry_not_before_ns = 0;
  }

  void operator()(const AttemptLaunchRequested& e) {
    auto& attempts = job_ != nullptr ? job_->attempts : run_.attempts;
    if (event_.head().attempt() != attempts.size() + 1) return;
    auto attempt = std::make_unique<AttemptState>();
    attempt->number = event_.head().attempt();
    attempt->phase = AttemptPhase::launch_requested;
    attempt->first_revision = attempt->last_revision = event_.revision().value;
    attempt->requested_ns = event_.time_ns();
    attempt->model = str(e.model());
    attempt->marker = str(e.marker());
    attempt->directory = str(e.directory());
    attempt->timeout_ms = e.timeout_ms();
    attempt->prompt = ref(e.prompt());
    attempt->purpose = e.purpose();
    attempt->retry_of = e.retry_of();
    attempt->usage = std::make_unique<state::UsageTotalsT>();
    attempts.push_back(std::move(attempt));
    if (job_ == nullptr) return;
    job_->phase = JobPhase::running;
    job_->retry_not_before_ns = 0;
  }

  void operator()(const AttemptLaunched& e) {
    if (attempt_ == nullptr) return;
    attempt_->phase = AttemptPhase::running;
    attempt_->launched_ns = event_.time_ns();
    attempt_->launched_monotonic_ns = event_.stamp->monotonic_ns();
    attempt_->process = native(e.process());
  }

  void operator()(const AttemptLaunchFailed& e) {
    if (attempt_ == nullptr) return;
    attempt_->phase = AttemptPhase::exited;
    attempt_->exited_ns = event_.time_ns();
    attempt_->launch_error = str(e.error());
  }

  void operator()(const AttemptStopRequested& e) {
    if (attempt_ == nullptr) return;
    if (attempt_->phase == AttemptPhase::running) attempt_->phase = AttemptPhase::stopping;
    if (attempt_->stop_reason == StopReason::unknown) attempt_->stop_reason = e.reason();
    attempt_->stop_step = e.step();
  }

  void operator()(const AttemptExited& e) {
    if (attempt_ == nullptr) return;
    end_process();
    attempt_->knowledge = e.knowledge();
    attempt_->exit_code = e.exit_code();
    attempt_->signal = e.signal();
    attempt_->sender = e.sender();
    attempt_->resources = native(e.resources());
  }

  void operator()(const AttemptLeftoversFound& e) {
    if (attempt_ != nullptr && e.processes() != nullptr)
      attempt_->leftovers += e.processes()->size();
  }

  void operator()(const AttemptSwept& e) {
    if (attempt_ != nullptr)
      attempt_->survivors = e.survivors() == nullptr ? 0 : e.survivors()->size();
  }

  void operator()(const AttemptAdopted& e) {
    if (attempt_ == nullptr) return;
    ++attempt_->adopted;
    attempt_->phase = AttemptPhase::running;
    attempt_->process = native(e.process());
    if (attempt_->launched_ns == 0) {
      attempt_->launched_ns = event_.time_ns();
      attempt_->launched_monotonic_ns = event_.stamp->monotonic_ns();
    }
  }

  void operator()(const AttemptLost& e) {
    if (attempt_ == nullptr) return;
    end_process();
    attempt_->lost = e.reason();
  }

  void operator()(const AttemptClassified& e) {
    if (attempt_ == nullptr) return;
    attempt_->phase = AttemptPhase::classified;
    attempt_->ending = e.ending();
    attempt_->failure = e.failure();
    attempt_->provider = e.provider();
    attempt_->http_status = e.http_status();
    attempt_->ruleset = str(e.ruleset());
    attempt_->reason = str(e.reason());
    if (!str(e.error()).empty()) attempt_->last_error = str(e.error());
  }

  void operator()(const SessionStarted& e) {
    if (attempt_ != nullptr) attempt_->session_id = str(e.session_id());
  }
  void operator()(const TurnEnded&) {
    if (attempt_ != nullptr) ++attempt_->turns;
  }
  void operator()(const ToolCallStarted&) {
    if (attempt_ == nullptr) return;
    ++attempt_->tool_calls;
    ++attempt_->tools_open;
  }
  void operator()(const ToolCallFinished& e) {
    if (attempt_ == nullptr) return;
    if (attempt_->tools_open > 0) --attempt_->tools_open;
    if (e.is_error()) ++attempt_->tool_errors;
  }
  void operator()(const UsageRecorded& e) {
    if (attempt_ != nullptr) add(attempt_->usage, e.usage(), e.reported());
    if (job_ != nullptr) add(job_->usage, e.usage(), e.reported());
    add(run_.usage, e.usage(), e.reported());
    if (attempt_ != nullptr && e.error() != nullptr && e.error()->size() != 0)
      attempt_->last_error = e.error()->str();
  }
  void operator()(const FinalMessageObserved& e) {
    if (attempt_ == nullptr) return;
    attempt_->final_message = ref(e.text());
    attempt_->final_excerpt = str(e.excerpt());
  }
  void operator()(const ProviderRetryStarted& e) {
    if (attempt_ == nullptr) return;
    ++attempt_->provider_retries;
    attempt_->last_error = str(e.error());
  }
  void operator()(const OutputCaptured& e) {
    if (attempt_ == nullptr) return;
    if (e.channel() == OutputChannel::stdout) {
      attempt_->stdout_bytes = e.offset() + e.size();
      ++attempt_->stdout_chunks;
    } else if (e.channel() == OutputChannel::stderr) {
      attempt_->stderr_bytes = e.offset() + e.size();
      ++attempt_->stderr_chunks;
    }
  }
  void operator()(const OutputAnomalyObserved&) {
    if (attempt_ != nullptr) ++attempt_->anomalies;
  }

  void operator()(const GateOpened& e) {
    if (event_.head().gate() != run_.gates.size() + 1) return;
    auto gate = std::make_unique<GateState>();
    gate->number = event_.head().gate();
    gate->kind = e.kind();
    gate->name = str(e.name());
    gate->job = event_.head().job();
    gate->attempt = event_.head().attempt();
    gate->opened_revision = event_.revision().value;
    run_.gates.push_back(std::move(gate));
  }

  void operator()(const GateDecided& e) {
    if (gate_ == nullptr) return;
    gate_->decision = e.decision();
    gate_->reason = str(e.reason());
    gate_->decided_revision = event_.revision().value;
    gate_->checks.clear();
    if (e.checks() == nullptr) return;
    for (const Check* seen : *e.checks()) gate_->checks.push_back(native(seen));
  }

  void operator()(const ArtifactRecorded&) { ++run_.artifacts; }

 private:
  void end_process() {
    attempt_->phase = AttemptPhase::exited;
    attempt_->exited_ns = event_.time_ns();
    // Stamps of an imported run tell when it was read, so its own times are all there is.
    const bool told = event_.head().occurred_ns() != 0;
    const std::uint64_t now = told ? event_.head().occurred_ns() : event_.stamp->monotonic_ns();
    const std::uint64_t from = told ? attempt_->launched_ns : attempt_->launched_monotonic_ns;
    attempt_->duration_ms = from != 0 && now > from ? (now - from) / 1'000'000 : 0;
    if (job_ != nullptr) job_->duration_ms += attempt_->duration_ms;
  }

  RunState& run_;
  const EventView& event_;
  JobState* job_ = nullptr;
  AttemptState* attempt_ = nullptr;
  GateState* gate_ = nullptr;
};

}  // namespace

void apply(RunState& run, const EventView& event) {
  run.revision = event.revision().value;
  run.updated_ns = event.time_ns();
  if (!visit(event, Fold(run, event))) ++run.unknown_events;
}

}  // namespace pievt
