// What events say about the run as a whole: its life, what it may spend, how much it does at once.
#include <algorithm>

#include "store/model/fold.h"

namespace pievt {

using namespace schema;  // NOLINT(google-build-using-namespace): every name below is an event
using state::RunPhase;

void Fold::operator()(const RunPlanned& e) {
  run.run_id = str(e.run_id());
  run.kind = e.kind();
  run.name = str(e.name());
  run.phase = RunPhase::planned;
  run.planned_ns = event.time_ns();
  run.concurrency = e.concurrency();
  run.job_count = e.job_count();
  run.cwd = str(e.cwd());
  run.plan = ref(e.plan());
  run.plan_path = str(e.plan_path());
  run.parent_run = str(e.parent_run());
  run.ruleset = str(e.ruleset());
  run.usage = std::make_unique<state::UsageTotalsT>();
  run.concurrency_now = e.concurrency();
  run.throttle = native(e.throttle());
  run.budget = native(e.budget());
  run.tool = str(e.tool());
  run.on_caller_gone = e.on_caller_gone();
}

void Fold::operator()(const RunStarted& e) {
  run.phase = RunPhase::running;
  run.started_ns = event.time_ns();
  run.pi_program = str(e.pi_program());
  run.pi_version = str(e.pi_version());
  run.supervisor = native(e.supervisor());
}

void Fold::operator()(const RunStopRequested& e) {
  run.phase = RunPhase::stopping;
  run.stop_mode = std::max(run.stop_mode, e.mode());
  run.stop_reason = str(e.reason());
}

void Fold::operator()(const RunPaused& e) {
  run.phase = RunPhase::paused;
  run.reason = str(e.reason());
}

void Fold::operator()(const RunResumed&) {
  run.phase = RunPhase::running;
  run.ending = RunEnding::unknown;
  run.finished_ns = 0;
  run.stop_mode = StopMode::unknown;
  run.stop_reason.clear();
  run.limit = LimitKind::unknown;
  run.reason.clear();
}

void Fold::operator()(const RunRecovered& e) {
  ++run.recoveries;
  run.supervisor = native(e.supervisor());
  if (!str(e.pi_version()).empty()) run.pi_version = str(e.pi_version());
}

void Fold::operator()(const RunFinished& e) {
  run.phase = RunPhase::finished;
  run.ending = e.ending();
  run.reason = str(e.reason());
  run.finished_ns = event.time_ns();
}

void Fold::operator()(const HookRequested&) {
  ++run.hooks;
}

void Fold::operator()(const ThrottleChanged& e) {
  run.concurrency_now = e.to();
  ++run.throttle_changes;
}

void Fold::operator()(const AdmissionDeferred& e) {
  run.waiting = e.reason();
  run.waiting_since_ns = event.time_ns();
}

void Fold::operator()(const AdmissionGranted&) {
  run.waiting = WaitReason::unknown;
  run.waiting_since_ns = 0;
}

void Fold::operator()(const LimitReached& e) {
  if (job != nullptr) {
    job->limit = e.limit();
  } else {
    run.limit = e.limit();
  }
}

}  // namespace pievt
