#include "supervisor/turn/settle.h"

#include <optional>

#include <fmt/format.h>

#include "supervisor/check/contract.h"
#include "supervisor/turn/classify.h"
#include "supervisor/turn/conclude.h"
#include "supervisor/turn/evidence.h"

namespace pievt::supervisor {
namespace {

schema::SignalSender sender_of(process::SignalSender sender) {
  switch (sender) {
    case process::SignalSender::unknown:
      return schema::SignalSender::unknown;
    case process::SignalSender::nobody:
      return schema::SignalSender::nobody;
    case process::SignalSender::ours:
      return schema::SignalSender::supervisor;
    case process::SignalSender::kernel_out_of_memory:
      return schema::SignalSender::kernel_out_of_memory;
    case process::SignalSender::somebody_else:
      return schema::SignalSender::somebody_else;
  }
  return schema::SignalSender::unknown;
}

Result<schema::GateDecidedT> ask_contract(RunRecord& record, const LiveAttempt& attempt,
                                          const schema::AcceptanceT& contract) {
  acceptance::Evidence evidence;
  evidence.cwd = attempt.cwd;
  if (acceptance::needs(contract) == acceptance::Needs::evidence)
    evidence = PIEVT_TRY(gather(record, attempt));
  if (attempt.commands) evidence.commands = attempt.commands->outcomes;
  return acceptance::evaluate(contract, evidence);
}

Status settle_probe(RunRecord& record, Subject subject) {
  const AttemptState& probe = *find_attempt(record.state(), subject.job, subject.attempt);
  // That a supervisor died says nothing about the model.
  const bool unseen = probe.failure == schema::FailureKind::supervisor_lost;
  const bool answered = probe.failure == schema::FailureKind::none;
  schema::GateDecidedT decided;
  decided.decision = answered ? schema::GateDecision::passed
                     : unseen ? schema::GateDecision::inconclusive
                              : schema::GateDecision::failed;
  decided.decided_by = "supervisor";
  decided.reason = fmt::format("{}: {}", probe.model.empty() ? "default model" : probe.model,
                               answered ? "answered" : probe.reason);
  const std::string reason = decided.reason;
  PIEVT_TRY(decide_gate(record, subject, schema::GateKind::provider_probe, std::move(decided)));
  if (answered || unseen || record.state().phase != state::RunPhase::running) return {};
  schema::RunStopRequestedT stop;
  stop.mode = schema::StopMode::now;
  stop.reason = fmt::format("a model does not answer, so nothing was started: {}", reason);
  PIEVT_TRY(record.propose({std::move(stop)}));
  return {};
}

}  // namespace

schema::AttemptExitedT exit_event(const process::ExitStatus& status, const LiveAttempt& attempt) {
  schema::AttemptExitedT event;
  event.knowledge = status.knowledge == process::ExitKnowledge::observed
                        ? schema::ExitKnowledge::observed
                        : schema::ExitKnowledge::ended_unobserved;
  event.exit_code = status.exit_code.value_or(0);
  event.signal = static_cast<std::uint32_t>(status.signal.value_or(0));
  event.sender = sender_of(process::exit_cause(status, attempt.sent, attempt.memory_kills).sender);
  event.core_dumped = status.core == process::CoreDump::dumped;
  event.resources = std::make_unique<schema::ResourceUseT>();
  event.resources->user_us = status.resources.user_us;
  event.resources->system_us = status.resources.system_us;
  event.resources->peak_kib = status.resources.peak_kib.value_or(0);
  return event;
}

namespace {

schema::AttemptClassifiedT classify_as_it_is(const AttemptState& state,
                                             const LiveAttempt& attempt) {
  std::optional<Said> said;
  if (attempt.output) {
    said.emplace(Said{attempt.output->facts(), attempt.output->session(),
                      attempt.output->stdout_bytes(), attempt.output->stderr_bytes()});
  }
  return classify(state, said);
}

}  // namespace

bool claims_to_be_done(const RunRecord& record, const LiveAttempt& attempt) {
  const AttemptState* state =
      find_attempt(record.state(), attempt.subject.job, attempt.subject.attempt);
  return state != nullptr &&
         classify_as_it_is(*state, attempt).failure == schema::FailureKind::none;
}

Status settle(RunRecord& record, const LiveAttempt& attempt) {
  const Subject subject = attempt.subject;
  const AttemptState* state = find_attempt(record.state(), subject.job, subject.attempt);
  PIEVT_ASSERT(state != nullptr);
  schema::AttemptClassifiedT classified = classify_as_it_is(*state, attempt);
  if (subject.job == 0) {
    PIEVT_TRY(record.propose({std::move(classified), subject}));
    return settle_probe(record, subject);
  }

  // The contract is asked only of work that claims to be done: asking after a provider's failure
  // only adds noise. It may read the log, and so commits; from the classification on everything is
  // one commit again, because a new supervisor takes a classified attempt for a settled one.
  const JobState& job = *find_job(record.state(), subject.job);
  std::optional<schema::GateDecidedT> gate;
  if (classified.failure == schema::FailureKind::none && job.declared != nullptr &&
      job.declared->acceptance != nullptr) {
    gate = PIEVT_TRY(ask_contract(record, attempt, *job.declared->acceptance));
  }
  return conclude(record, subject, std::move(classified), std::move(gate));
}

}  // namespace pievt::supervisor
