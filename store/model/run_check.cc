// The decision: which event may follow. One rule an event, so that "nothing runs twice", "nothing
// after the end" and "no act without its intent" are each a line here and not a hope spread over
// the supervisor.
#include <algorithm>

#include <fmt/format.h>

#include "pievt/run_state.h"

namespace pievt {
namespace {

using namespace schema;  // NOLINT(google-build-using-namespace): every name below is an event
using state::AttemptPhase;
using state::JobPhase;
using state::RunPhase;

bool alive(const AttemptState& attempt) {
  return attempt.phase == AttemptPhase::launch_requested ||
         attempt.phase == AttemptPhase::running || attempt.phase == AttemptPhase::stopping;
}

bool unsettled(const AttemptState& attempt) {
  return attempt.phase != AttemptPhase::classified;
}

bool any_unsettled(const std::vector<std::unique_ptr<AttemptState>>& attempts) {
  // Attempts of one job follow each other, but probes of a run are open at the same time.
  return std::ranges::any_of(attempts, [](const auto& attempt) { return unsettled(*attempt); });
}

class Rule {
 public:
  Rule(const RunState& run, const NewEvent& event) : run_(run), event_(event) {
    job_ = find_job(run, event.subject.job);
    attempt_ = find_attempt(run, event.subject.job, event.subject.attempt);
  }

  Status operator()(const RunPlannedT&) const {
    return require(run_.phase == RunPhase::unknown, "the run exists");
  }
  Status operator()(const RunStartedT&) const {
    return require(run_.phase == RunPhase::planned, "it was started");
  }
  Status operator()(const RunStopRequestedT&) const { return open_run(); }
  Status operator()(const RunPausedT&) const {
    return require(run_.phase == RunPhase::running, "it is not running");
  }
  Status operator()(const RunResumedT&) const {
    return require(run_.phase == RunPhase::paused || run_.phase == RunPhase::finished,
                   "it is neither paused nor over");
  }
  Status operator()(const RunRecoveredT&) const { return open_run(); }
  Status operator()(const RunFinishedT&) const {
    PIEVT_TRY(open_run());
    PIEVT_TRY(require(!any_unsettled(run_.attempts), "a probe is still open"));
    for (const auto& job : run_.jobs) {
      PIEVT_TRY(
          require(job->phase == JobPhase::finished, fmt::format("job {} has not ended", job->id)));
    }
    return {};
  }

  Status operator()(const JobDeclaredT&) const {
    PIEVT_TRY(open_run());
    return require(event_.subject.job == run_.jobs.size() + 1, "jobs are numbered in order");
  }
  Status operator()(const JobRetryScheduledT&) const { return settled_job(); }
  Status operator()(const JobJudgedT&) const { return settled_job(); }
  Status operator()(const JobFinishedT&) const { return settled_job(); }
  Status operator()(const JobCancelRequestedT&) const {
    PIEVT_TRY(open_job());
    return require(job_->cancel_requested_revision == 0, "that has been asked for");
  }
  Status operator()(const JobRevisedT&) const { return open_job(); }
  Status operator()(const JobReopenedT&) const {
    PIEVT_TRY(open_run());
    return require(job_ != nullptr && job_->phase == JobPhase::finished, "the job has not ended");
  }

  Status operator()(const AttemptLaunchRequestedT&) const {
    PIEVT_TRY(require(run_.phase == RunPhase::running, "the run is not running"));
    const auto& attempts = job_ != nullptr ? job_->attempts : run_.attempts;
    if (event_.subject.job != 0) {
      PIEVT_TRY(open_job());
      PIEVT_TRY(require(!any_unsettled(attempts), "an attempt of the job is still open"));
      PIEVT_TRY(require(job_->cancel_requested_revision == 0, "the job is being cancelled"));
    }
    return require(event_.subject.attempt == attempts.size() + 1, "attempts are numbered in order");
  }
  Status operator()(const AttemptLaunchedT&) const {
    return phase_is(AttemptPhase::launch_requested);
  }
  Status operator()(const AttemptLaunchFailedT&) const {
    return phase_is(AttemptPhase::launch_requested);
  }
  Status operator()(const AttemptStopRequestedT&) const { return alive_attempt(); }
  Status operator()(const AttemptExitedT&) const { return alive_attempt(); }
  Status operator()(const AttemptAdoptedT&) const { return alive_attempt(); }
  Status operator()(const AttemptLostT&) const { return alive_attempt(); }
  Status operator()(const AttemptClassifiedT&) const { return phase_is(AttemptPhase::exited); }

  Status operator()(const GateOpenedT&) const {
    PIEVT_TRY(open_run());
    return require(event_.subject.gate == run_.gates.size() + 1, "gates are numbered in order");
  }
  Status operator()(const GateDecidedT&) const {
    const std::uint32_t gate = event_.subject.gate;
    PIEVT_TRY(require(gate != 0 && gate <= run_.gates.size(), "there is no such gate"));
    return require(run_.gates[gate - 1]->decided_revision == 0, "the gate is decided");
  }

  Status operator()(const ThrottleChangedT& event) const {
    PIEVT_TRY(open_run());
    return require(event.to > 0, "with none at once it would never end");
  }

  // People are told of the end after it.
  Status operator()(const HookRequestedT& event) const {
    PIEVT_TRY(require(run_.phase != RunPhase::unknown, "it was never planned"));
    return require(event.number == run_.hooks + 1, "hooks are numbered in order");
  }
  Status operator()(const HookFinishedT& event) const {
    return require(event.number != 0 && event.number <= run_.hooks, "there is no such hook");
  }

  // What a later reading of a foreign record finds may concern a run that has ended.
  Status operator()(const ImportAnomalyFoundT&) const {
    return require(run_.phase != RunPhase::unknown, "it was never planned");
  }

  // Everything else is an observation: it belongs to an attempt that was at least requested.
  template <class Observation>
  Status operator()(const Observation&) const {
    if (event_.subject.attempt == 0) return open_run();
    return require(attempt_ != nullptr, "there is no such attempt");
  }

 private:
  Status require(bool holds, std::string_view otherwise) const {
    if (holds) return {};
    return Error{Errc::invalid_transition,
                 fmt::format("{} cannot happen to run {}{}: {}", type_name(event_.payload.type()),
                             run_.run_id, job_ == nullptr ? "" : fmt::format(", job {}", job_->id),
                             otherwise)};
  }
  Status open_run() const {
    return require(run_.phase != RunPhase::unknown && run_.phase != RunPhase::finished,
                   run_.phase == RunPhase::finished ? "it has ended" : "it was never planned");
  }
  Status open_job() const {
    PIEVT_TRY(open_run());
    PIEVT_TRY(require(job_ != nullptr, "there is no such job"));
    return require(job_->phase != JobPhase::finished, "the job has ended");
  }
  Status settled_job() const {
    PIEVT_TRY(open_job());
    return require(!any_unsettled(job_->attempts), "an attempt of the job is still open");
  }
  Status phase_is(AttemptPhase phase) const {
    PIEVT_TRY(require(attempt_ != nullptr, "there is no such attempt"));
    return require(attempt_->phase == phase,
                   fmt::format("the attempt is {}", state::EnumNameAttemptPhase(attempt_->phase)));
  }
  Status alive_attempt() const {
    PIEVT_TRY(require(attempt_ != nullptr, "there is no such attempt"));
    return require(alive(*attempt_),
                   fmt::format("the attempt is {}", state::EnumNameAttemptPhase(attempt_->phase)));
  }

  const RunState& run_;
  const NewEvent& event_;
  const JobState* job_ = nullptr;
  const AttemptState* attempt_ = nullptr;
};

}  // namespace

Status check(const RunState& run, const NewEvent& event) {
  return visit(event.payload, Rule(run, event));
}

}  // namespace pievt
