#include "supervisor/turn/settle.h"

#include <array>
#include <optional>

#include <fmt/format.h>

#include "pievt/ruleset.h"
#include "supervisor/capture/excerpt.h"
#include "supervisor/check/contract.h"
#include "supervisor/planners/batch.h"
#include "supervisor/record/clock.h"
#include "supervisor/turn/evidence.h"

namespace pievt::supervisor {
namespace {

schema::Ending ending_of(pi::Ending ending) {
  switch (ending) {
    case pi::Ending::ok:
      return schema::Ending::ok;
    case pi::Ending::empty:
      return schema::Ending::empty;
    case pi::Ending::thinking_only:
      return schema::Ending::thinking_only;
    case pi::Ending::tool_only:
      return schema::Ending::tool_only;
    case pi::Ending::truncated:
      return schema::Ending::truncated;
    case pi::Ending::failed:
      return schema::Ending::failed;
    case pi::Ending::aborted:
      return schema::Ending::aborted;
    case pi::Ending::killed:
      return schema::Ending::killed;
    case pi::Ending::failed_to_run:
      return schema::Ending::failed_to_run;
    case pi::Ending::no_run:
      return schema::Ending::no_run;
    case pi::Ending::incomplete:
      return schema::Ending::incomplete;
    case pi::Ending::lost:
      return schema::Ending::lost;
    case pi::Ending::suspect:
      return schema::Ending::suspect;
  }
  return schema::Ending::unknown;
}

schema::ProviderFailure provider_of(pi::ProviderFailure failure) {
  switch (failure) {
    case pi::ProviderFailure::none:
      return schema::ProviderFailure::none;
    case pi::ProviderFailure::rate_limited:
      return schema::ProviderFailure::rate_limited;
    case pi::ProviderFailure::overloaded:
    case pi::ProviderFailure::server_error:
      return schema::ProviderFailure::server_error;
    case pi::ProviderFailure::auth:
      return schema::ProviderFailure::authentication;
    case pi::ProviderFailure::not_found:
      return schema::ProviderFailure::not_found;
    case pi::ProviderFailure::bad_request:
      return schema::ProviderFailure::bad_request;
    case pi::ProviderFailure::context_overflow:
      return schema::ProviderFailure::context_overflow;
    case pi::ProviderFailure::network:
    case pi::ProviderFailure::bad_response:
      return schema::ProviderFailure::network;
    case pi::ProviderFailure::quota:
      return schema::ProviderFailure::quota;
    case pi::ProviderFailure::content_filter:
      return schema::ProviderFailure::content_filter;
    case pi::ProviderFailure::other:
      return schema::ProviderFailure::other;
  }
  return schema::ProviderFailure::unknown;
}

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

// A child that we stopped only because it would not exit after its last word ended by itself, as
// far as the model run is concerned.
pi::ExitFacts exit_facts(const AttemptState& state) {
  if (state.stop_reason == schema::StopReason::lingering) return {.exit_code = 0, .signal = {}};
  if (state.knowledge != schema::ExitKnowledge::observed) return {};
  if (state.signal != 0) return {.exit_code = {}, .signal = static_cast<int>(state.signal)};
  return {.exit_code = state.exit_code, .signal = {}};
}

std::string reason_of(const AttemptState& state, const pi::Outcome& outcome) {
  if (state.stop_reason == schema::StopReason::deadline) {
    return fmt::format("stopped by its timeout of {:g} s",
                       static_cast<double>(state.timeout_ms) / 1000);
  }
  if (state.lost == schema::LostReason::never_started)
    return "the supervisor died before it could be started";
  if (outcome.ending == pi::Ending::killed &&
      state.sender == schema::SignalSender::kernel_out_of_memory) {
    return outcome.reason + ", sent by the kernel, which was out of memory";
  }
  return outcome.reason;
}

schema::AttemptClassifiedT classify(const AttemptState& state, const LiveAttempt& attempt) {
  schema::AttemptClassifiedT event;
  event.ruleset = current_ruleset().name;
  AttemptState judged = state;
  if (!state.launch_error.empty()) {
    event.ending = schema::Ending::failed_to_run;
    event.provider = schema::ProviderFailure::none;
    event.reason = state.launch_error;
  } else if (attempt.output) {
    const pi::StreamFacts& facts = attempt.output->facts();
    const pi::Outcome outcome =
        pi::decide_outcome(facts, exit_facts(state), attempt.output->session());
    event.ending = ending_of(outcome.ending);
    event.provider = provider_of(outcome.failure);
    event.http_status = static_cast<std::uint32_t>(outcome.http_status.value_or(0));
    event.reason = one_line(reason_of(state, outcome));
    event.stdout_bytes = attempt.output->stdout_bytes();
    event.stderr_bytes = attempt.output->stderr_bytes();
    event.provider_retries = static_cast<std::uint32_t>(facts.retries);
    if (facts.final_message) {
      event.stop_reason = facts.final_message->stop_reason_text;
      event.error = one_line(facts.final_message->error_message);
    }
  } else {
    event.ending = schema::Ending::unknown;
    event.provider = schema::ProviderFailure::none;
    event.reason = state.lost == schema::LostReason::never_started
                       ? "the supervisor died before it could be started"
                       : "its output is lost";
  }
  judged.ending = event.ending;
  judged.provider = event.provider;
  event.failure = current_ruleset().classify(judged);
  return event;
}

Status decide_gate(RunRecord& record, Subject subject, schema::GateKind kind,
                   schema::GateDecidedT decided) {
  subject.gate = static_cast<std::uint32_t>(record.state().gates.size() + 1);
  schema::GateOpenedT opened;
  opened.kind = kind;
  opened.name = schema::EnumNameGateKind(kind);
  const Revision question = PIEVT_TRY(record.propose({std::move(opened), subject}));
  decided.ruleset = current_ruleset().name;
  PIEVT_TRY(
      record.propose({std::move(decided), subject, {.causation = question, .correlation = {}}}));
  return {};
}

Result<schema::GateDecidedT> ask_contract(RunRecord& record, const LiveAttempt& attempt,
                                          const schema::AcceptanceT& contract) {
  acceptance::Evidence evidence;
  evidence.cwd = attempt.cwd;
  if (acceptance::needs(contract) == acceptance::Needs::evidence)
    evidence = PIEVT_TRY(gather(record, attempt));
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

Status settle(RunRecord& record, const LiveAttempt& attempt) {
  const Subject subject = attempt.subject;
  const AttemptState* state = find_attempt(record.state(), subject.job, subject.attempt);
  PIEVT_ASSERT(state != nullptr);
  schema::AttemptClassifiedT classified = classify(*state, attempt);
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
  PIEVT_TRY(record.propose({std::move(classified), subject}));
  if (gate) {
    PIEVT_TRY(decide_gate(record, subject, schema::GateKind::acceptance, std::move(*gate)));
  }
  for (NewEvent& event : planners::after_attempt(record.state(), subject.job, wall_now_ns())) {
    PIEVT_TRY(record.propose(std::move(event)));
  }
  return {};
}

}  // namespace pievt::supervisor
