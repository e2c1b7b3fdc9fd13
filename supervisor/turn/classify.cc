#include "supervisor/turn/classify.h"

#include <fmt/format.h>

#include "pievt/ruleset.h"
#include "supervisor/capture/excerpt.h"
#include "supervisor/capture/provider_word.h"
#include "supervisor/pi/retry_after.h"

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
  if (state.stop_reason == schema::StopReason::silent) {
    return state.tools_open > 0 ? "stopped because nothing came of a tool for too long"
                                : "stopped because nothing came of the model for too long";
  }
  if (state.stop_reason == schema::StopReason::budget) return "stopped because its budget is spent";
  if (state.lost == schema::LostReason::never_started)
    return "the supervisor died before it could be started";
  if (outcome.ending == pi::Ending::killed &&
      state.sender == schema::SignalSender::kernel_out_of_memory) {
    return outcome.reason + ", sent by the kernel, which was out of memory";
  }
  return outcome.reason;
}

}  // namespace

schema::AttemptClassifiedT classify(const AttemptState& state, const std::optional<Said>& said) {
  schema::AttemptClassifiedT event;
  event.ruleset = current_ruleset().name;
  AttemptState judged = state;
  if (!state.launch_error.empty()) {
    event.ending = schema::Ending::failed_to_run;
    event.provider = schema::ProviderFailure::none;
    event.reason = state.launch_error;
  } else if (said) {
    const pi::StreamFacts& facts = said->facts;
    const pi::Outcome outcome = pi::decide_outcome(facts, exit_facts(state), said->session);
    event.ending = ending_of(outcome.ending);
    event.provider = provider_word(outcome.failure);
    event.http_status = static_cast<std::uint32_t>(outcome.http_status.value_or(0));
    event.reason = one_line(reason_of(state, outcome));
    event.stdout_bytes = said->stdout_bytes;
    event.stderr_bytes = said->stderr_bytes;
    event.provider_retries = static_cast<std::uint32_t>(facts.retries);
    if (facts.final_message) {
      event.stop_reason = facts.final_message->stop_reason_text;
      event.error = one_line(facts.final_message->error_message);
      event.retry_after_ms = pi::retry_after_ms(facts.final_message->error_message).value_or(0);
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
  judged.http_status = event.http_status;
  judged.retry_after_ms = event.retry_after_ms;
  event.failure = current_ruleset().classify(judged);
  return event;
}

}  // namespace pievt::supervisor
