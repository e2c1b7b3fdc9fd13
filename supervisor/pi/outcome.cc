// See outcome.h. The questions are asked in this order, and the first answer counts: how did the
// process end; did its stream come to an end; how did the last message end.
#include "supervisor/pi/outcome.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

namespace pievt::pi {

namespace {

// pi turns SIGHUP, SIGKILL of itself by a wrapper, and SIGTERM into these exit codes.
constexpr std::array<int, 3> killed_exit_codes = {129, 137, 143};

constexpr std::array<std::string_view, 13> ending_names = {
    "ok",     "empty",         "thinking_only", "tool_only",  "truncated", "failed", "aborted",
    "killed", "failed_to_run", "no_run",        "incomplete", "lost",      "suspect"};
static_assert(ending_names.size() == static_cast<std::size_t>(Ending::suspect) + 1);

std::string_view signal_name(int signal) {
  switch (signal) {
    case 1:
      return "SIGHUP";
    case 2:
      return "SIGINT";
    case 3:
      return "SIGQUIT";
    case 6:
      return "SIGABRT";
    case 9:
      return "SIGKILL";
    case 11:
      return "SIGSEGV";
    case 13:
      return "SIGPIPE";
    case 15:
      return "SIGTERM";
    default:
      return "";
  }
}

Retryable retryable_by(Ending ending) {
  switch (ending) {
    case Ending::empty:
    case Ending::thinking_only:
    case Ending::tool_only:
    case Ending::killed:
    case Ending::incomplete:
    case Ending::suspect:
      return Retryable::yes;
    case Ending::lost:
      return Retryable::not_in_this_session;
    case Ending::ok:
    case Ending::truncated:
    case Ending::failed:
    case Ending::aborted:
    case Ending::failed_to_run:
    case Ending::no_run:
      return Retryable::no;
  }
  return Retryable::no;
}

Outcome ending(Ending kind, std::string reason) {
  return {kind, std::move(reason), ProviderFailure::none, std::nullopt, retryable_by(kind)};
}

// The provider's part in an ending, from the message of the last attempt.
Outcome with_failure(Outcome outcome, const std::optional<FinalMessage>& message) {
  if (!message || message->stop_reason != StopReason::error) return outcome;
  outcome.failure = classify_provider_failure(message->error_message);
  if (outcome.failure == ProviderFailure::none) outcome.failure = ProviderFailure::other;
  outcome.http_status = http_status_in(message->error_message);
  if (outcome.ending == Ending::failed) outcome.retryable = retryable(outcome.failure);
  return outcome;
}

std::optional<Outcome> by_exit(const StreamFacts& stream, const ExitFacts& exit) {
  if (exit.signal) {
    const std::string_view name = signal_name(*exit.signal);
    return ending(Ending::killed, name.empty() ? fmt::format("signal {}", *exit.signal)
                                               : fmt::format("killed by {}", name));
  }
  if (!exit.exit_code || *exit.exit_code == 0) return std::nullopt;
  const int code = *exit.exit_code;
  if (std::ranges::find(killed_exit_codes, code) != killed_exit_codes.end()) {
    return ending(Ending::killed,
                  fmt::format("exit code {}: stopped by {}", code, signal_name(code - 128)));
  }
  const bool began = stream.header_seen || exit.interface == Interface::rpc;
  if (began && stream.final_message) {
    return with_failure(
        ending(Ending::failed, fmt::format("exit code {} in the middle of the run", code)),
        stream.final_message);
  }
  return ending(
      Ending::failed_to_run,
      fmt::format("exit code {} {}; stderr has the reason", code,
                  stream.header_seen ? "before any answer" : "before anything was printed"));
}

Outcome by_message(const FinalMessage& message) {
  switch (message.stop_reason) {
    case StopReason::error:
      return with_failure(ending(Ending::failed, fmt::format("error: {}", message.error_message)),
                          message);
    case StopReason::aborted:
      return ending(Ending::aborted,
                    message.error_message.empty() ? "the run was aborted" : message.error_message);
    case StopReason::length:
      return ending(Ending::truncated, "the answer ran into the output token limit");
    case StopReason::tool_use:
      return ending(Ending::incomplete, "the run ends on a tool call");
    case StopReason::none:
    case StopReason::other:
      return ending(Ending::failed,
                    fmt::format("unknown stop reason \"{}\"", message.stop_reason_text));
    case StopReason::stop:
      break;
  }
  if (message.visible_characters == 0) {
    if (message.tool_calls > 0) {
      return ending(Ending::tool_only, "stopped on tool calls without any text");
    }
    if (message.thinking_bytes > 0) {
      return ending(Ending::thinking_only, "stopped after thinking, without any text");
    }
    return ending(Ending::empty, "stopped without any text");
  }
  if (may_be_cut(message)) {
    return ending(
        Ending::suspect,
        "stopped, but its usage is all zero: the connection may have been cut, and this pi "
        "cannot tell");
  }
  return ending(Ending::ok, fmt::format("{} characters", message.visible_characters));
}

// What the end of a stream says when its last run did not come to its end: nothing that can be
// trusted. With exit code 0 the session file knows (0.73 with slow extension handlers).
Outcome by_session(const StreamFacts& stream, const ExitFacts& exit, const SessionTail& session) {
  if (!exit.exit_code) {
    return ending(Ending::incomplete, "the stream stops before its end, and nobody saw the exit");
  }
  if (session.last_assistant) {
    Outcome outcome = by_message(*session.last_assistant);
    outcome.reason = "stream incomplete, decided from the session file; " + outcome.reason;
    return outcome;
  }
  if (stream.agent_runs > 0) {
    return ending(Ending::incomplete,
                  "exit code 0, but neither the stream nor the session file has an end of the run");
  }
  return ending(Ending::no_run, "exit code 0 without any assistant message: was the prompt empty?");
}

// What may still contradict the last message although the stream has an agent_end.
std::optional<Outcome> by_open_ends(const StreamFacts& stream, bool from_session) {
  if (stream.final_message_lost) {
    return ending(Ending::incomplete, "the last message was too long to be read");
  }
  if (stream.announces_settling && !stream.settled && !from_session) {
    return ending(Ending::incomplete, "agent_end without agent_settled");
  }
  if (stream.retry_pending) return ending(Ending::incomplete, "exit during the wait for a retry");
  if (stream.compaction_open == CompactionReason::overflow) {
    return ending(
        Ending::lost,
        "context overflow: pi went on unseen after its stream had ended, work may have been "
        "done");
  }
  return std::nullopt;
}

Outcome with_doubts(Outcome outcome, const StreamFacts& stream) {
  if (stream.doubtful_tools > 0) {
    outcome.reason += fmt::format("; {} tool call(s) ran from a message that may have been cut",
                                  stream.doubtful_tools);
  }
  if (stream.earlier_failures > 0) {
    outcome.reason += fmt::format("; {} earlier prompt(s) failed", stream.earlier_failures);
  }
  return outcome;
}

}  // namespace

std::string_view name_of(Ending ending) {
  return ending_names[std::min(static_cast<std::size_t>(ending), ending_names.size() - 1)];
}

Outcome decide_outcome(const StreamFacts& stream, const ExitFacts& exit,
                       const SessionTail& session) {
  if (auto outcome = by_exit(stream, exit)) return with_doubts(std::move(*outcome), stream);
  const bool from_session = !stream.final_message || !stream.agent_end_seen;
  if (auto outcome = by_open_ends(stream, from_session)) {
    return with_doubts(with_failure(std::move(*outcome), stream.final_message), stream);
  }
  if (from_session) return with_doubts(by_session(stream, exit, session), stream);
  return with_doubts(by_message(*stream.final_message), stream);
}

}  // namespace pievt::pi
