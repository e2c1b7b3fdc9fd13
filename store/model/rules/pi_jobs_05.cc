#include "store/model/rules/pi_jobs_05.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "store/model/rules/rules.h"

namespace pievt::rules {
namespace pi_jobs {
namespace {

using schema::BlockingGate;
using schema::FailureKind;
using schema::JobStatus;

constexpr std::array<std::string_view, 8> permanent_words = {
    "invalid api key", "authentication",  "unauthorized", "permission denied",
    "forbidden",       "model not found", "unsupported",  "invalid request"};

constexpr std::array<std::string_view, 9> transient_words = {
    "overloaded", "internal server error", "connection reset", "econnreset", "etimedout", "timeout",
    "temporary",  "temporarily",           "terminated"};

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// /\b429\b/ and /\b5\d\d\b/.
bool has_transient_status(std::string_view text) {
  for (std::size_t i = 0; i + 3 <= text.size(); ++i) {
    if (i > 0 && is_word(text[i - 1])) continue;
    if (i + 3 < text.size() && is_word(text[i + 3])) continue;
    const std::string_view three = text.substr(i, 3);
    if (three == "429" || (three[0] == '5' && is_digit(three[1]) && is_digit(three[2])))
      return true;
  }
  return false;
}

// /rate\s*limit/
bool has_rate_limit(std::string_view text) {
  for (std::size_t at = text.find("rate"); at != std::string_view::npos;
       at = text.find("rate", at + 1)) {
    std::size_t next = at + 4;
    while (next < text.size() && std::isspace(static_cast<unsigned char>(text[next])) != 0) ++next;
    if (text.substr(next).starts_with("limit")) return true;
  }
  return false;
}

template <class Words>
bool has_any(std::string_view text, const Words& words) {
  return std::ranges::any_of(
      words, [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

Retry retry_of(FailureKind kind) {
  const bool again = retryable(kind);
  return {kind, again, fmt::format("{} is {}parent-retryable", word_of(kind), again ? "" : "not ")};
}

std::string_view gate_word(BlockingGate gate) {
  switch (gate) {
    case BlockingGate::runtime:
      return "runtime";
    case BlockingGate::acceptance:
      return "acceptance";
    case BlockingGate::audit:
      return "audit";
    default:
      return "protocol";
  }
}

bool unmet(Acceptance acceptance) {
  return acceptance == Acceptance::failed || acceptance == Acceptance::pending;
}

BlockingGate blocking_gate(const Question& q) {
  if (q.runtime.status != RuntimeStatus::success) return BlockingGate::runtime;
  if (unmet(q.acceptance)) return BlockingGate::acceptance;
  if (q.report == Report::blocked || q.report == Report::error) return BlockingGate::report;
  if (!q.runtime.saw_terminal) return BlockingGate::final_message;
  if (q.audit == Audit::degraded) return BlockingGate::audit;
  return BlockingGate::none;
}

FailureKind kind_at(BlockingGate gate, const Question& q, FailureKind classified) {
  switch (gate) {
    case BlockingGate::none:
      return FailureKind::none;
    case BlockingGate::runtime:
      return classified == FailureKind::none ? FailureKind::unknown : classified;
    case BlockingGate::acceptance:
      return FailureKind::acceptance_failed;
    case BlockingGate::audit:
      return FailureKind::audit_failed;
    default:
      return q.protocol_error ? FailureKind::protocol_error : FailureKind::worker_incomplete;
  }
}

}  // namespace

std::string_view word_of(FailureKind kind) {
  return kind == FailureKind::cancelled ? "aborted" : schema::EnumNameFailureKind(kind);
}

bool retryable(FailureKind kind) {
  return kind == FailureKind::launch_error || kind == FailureKind::provider_transient ||
         kind == FailureKind::provider_stalled || kind == FailureKind::worker_stalled ||
         kind == FailureKind::worker_incomplete;
}

Retry classify(const Runtime& runtime) {
  if (runtime.status == RuntimeStatus::aborted) return retry_of(FailureKind::cancelled);
  if (runtime.status == RuntimeStatus::success) return retry_of(FailureKind::none);
  switch (runtime.raw) {
    case FailureKind::worker_stalled:
    case FailureKind::provider_stalled:
    case FailureKind::launch_error:
    case FailureKind::worker_incomplete:
      return retry_of(runtime.raw);
    default:
      break;
  }
  if (runtime.stop_reason == "thinking_only_stop") return retry_of(FailureKind::worker_incomplete);
  std::string text =
      fmt::format("{}\n{}\n{}", runtime.stderr_tail, runtime.error, runtime.stop_reason);
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (has_any(text, permanent_words)) return retry_of(FailureKind::provider_permanent);
  if (has_transient_status(text) || has_rate_limit(text) || has_any(text, transient_words))
    return retry_of(FailureKind::provider_transient);
  if (runtime.stop_reason == "error") return retry_of(FailureKind::provider_permanent);
  return {FailureKind::unknown, false,
          "Unknown runtime errors are not retried without a transient signal"};
}

Decision decide(const Question& q) {
  const Retry classified = classify(q.runtime);
  Decision decision;
  decision.blocking = blocking_gate(q);
  const FailureKind kind = kind_at(decision.blocking, q, classified.failure);
  decision.retry = kind == classified.failure ? classified : retry_of(kind);
  if (decision.blocking == BlockingGate::none) {
    decision.reason = "All blocking gates passed.";
    return decision;
  }
  decision.status =
      q.runtime.status == RuntimeStatus::aborted ? JobStatus::cancelled : JobStatus::failed;
  decision.reason = fmt::format("{} gate blocked final success ({}).", gate_word(decision.blocking),
                                word_of(kind));
  return decision;
}

}  // namespace pi_jobs

namespace {

using namespace schema;  // NOLINT(google-build-using-namespace): every name below is a word of the
                         // schemas
using pi_jobs::RuntimeStatus;

// A recorded attempt as pi-jobs would have seen it. It did not know who sent a signal: a child that
// one ended had failed with exit code 1. A child that lingered and obeyed had failed as well.
pi_jobs::Runtime runtime_of(const AttemptState& attempt) {
  pi_jobs::Runtime seen;
  const auto failed = [&](FailureKind raw, std::string_view stop_reason = "") {
    seen.status = RuntimeStatus::error;
    seen.raw = raw;
    seen.stop_reason = stop_reason;
    seen.error = attempt.last_error;
  };
  if (!attempt.launch_error.empty()) {
    failed(FailureKind::launch_error);
    return seen;
  }
  if (attempt.stop_reason == StopReason::deadline || attempt.stop_reason == StopReason::silent) {
    failed(FailureKind::worker_stalled);
    return seen;
  }
  const bool asked = attempt.stop_reason == StopReason::run_stopped ||
                     attempt.stop_reason == StopReason::cancelled ||
                     attempt.stop_reason == StopReason::budget ||
                     attempt.stop_reason == StopReason::caller_gone;
  if (asked || attempt.ending == Ending::aborted) {
    seen.status = RuntimeStatus::aborted;
    return seen;
  }
  switch (attempt.ending) {
    case Ending::ok:
    case Ending::empty:
    case Ending::truncated:
    case Ending::tool_only:
    case Ending::suspect:
      seen.saw_terminal = true;
      if (attempt.exit_code != 0 || attempt.signal != 0) failed(FailureKind::unknown);
      break;
    case Ending::thinking_only:
      failed(FailureKind::worker_incomplete, "thinking_only_stop");
      break;
    case Ending::failed:
      failed(FailureKind::unknown, "error");
      break;
    case Ending::no_run:
    case Ending::incomplete:
      if (attempt.exit_code != 0 || attempt.signal != 0) failed(FailureKind::unknown);
      break;
    default:
      failed(FailureKind::unknown);
      if (seen.error.empty()) seen.error = attempt.reason;
  }
  return seen;
}

pi_jobs::Report report_of(const AttemptState& attempt) {
  switch (attempt.report_status) {
    case ReportStatus::success:
      return pi_jobs::Report::completed;
    case ReportStatus::partial:
      return pi_jobs::Report::partial;
    case ReportStatus::blocked:
      return pi_jobs::Report::blocked;
    case ReportStatus::error:
      return pi_jobs::Report::error;
    default:
      return pi_jobs::Report::not_submitted;
  }
}

pi_jobs::Acceptance acceptance_of(const GateState* gate) {
  if (gate == nullptr) return pi_jobs::Acceptance::skipped;
  switch (gate->decision) {
    case GateDecision::passed:
      return pi_jobs::Acceptance::passed;
    case GateDecision::warned:
      return pi_jobs::Acceptance::warning;
    case GateDecision::failed:
      return pi_jobs::Acceptance::failed;
    default:
      return pi_jobs::Acceptance::skipped;
  }
}

FailureKind classify_attempt(const AttemptState& attempt) {
  return pi_jobs::classify(runtime_of(attempt)).failure;
}

Judgement judge_attempt(const AttemptState& attempt, const GateState* gate) {
  const pi_jobs::Decision decision = pi_jobs::decide({.runtime = runtime_of(attempt),
                                                      .report = report_of(attempt),
                                                      .acceptance = acceptance_of(gate)});
  return {decision.status,
          decision.retry.failure,
          decision.retry.retryable,
          decision.blocking,
          decision.reason,
          work_ending(attempt),
          {}};
}

}  // namespace

const Ruleset pi_jobs_05{"pi-jobs-0.5", classify_attempt, judge_attempt};

}  // namespace pievt::rules
