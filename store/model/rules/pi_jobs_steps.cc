// The decisions of pi-jobs 0.5 while a job ran. JavaScript's numbers are doubles, and so are these.
#include <algorithm>
#include <array>
#include <cmath>

#include "store/model/rules/pi_jobs_05.h"

namespace pievt::rules::pi_jobs {
namespace {

constexpr std::string_view thinking_only_stop = "thinking_only_stop";
constexpr std::string_view thinking_only_text =
    "assistant ended its turn with thinking-only content (no text or tool call)";

constexpr std::array<std::string_view, 5> recoveries = {
    "auto_retry_start", "agent_start", "turn_start", "message_start", "tool_execution_start"};

bool recovers(const Terminal& state, const StreamObject& object) {
  return std::ranges::find(recoveries, object.type) != recoveries.end() &&
         (state.stop_reason == "error" || state.stop_reason == thinking_only_stop);
}

bool is_terminal(const StreamObject& object) {
  return object.type == "message_end" && object.from_assistant && !object.stop_reason.empty() &&
         object.stop_reason != "toolUse";
}

// Math.round: halves go up.
double js_round(double value) {
  return std::floor(value + 0.5);
}

}  // namespace

GuardAction reduce(Terminal& state, const StreamObject& object) {
  if (recovers(state, object)) {
    state = {};
    return GuardAction::cancel_exit_guard;
  }
  if (!is_terminal(object)) return GuardAction::none;
  const auto earlier = state.error;
  if (object.stop_reason == "error") {
    state = {false, "error", object.error ? object.error : earlier};
    return GuardAction::none;
  }
  if (object.content == Content::thinking_only) {
    state = {false, std::string(thinking_only_stop),
             object.error ? object.error
                          : std::optional(earlier.value_or(std::string(thinking_only_text)))};
    return GuardAction::schedule_exit_guard;
  }
  state = {true, object.stop_reason, object.error ? object.error : earlier};
  return GuardAction::schedule_exit_guard;
}

std::uint64_t backoff_ms(const Backoff& policy, std::uint32_t attempt, double chance) {
  const double ideal =
      js_round(policy.initial_ms * std::pow(policy.multiplier, std::max(attempt, 1u) - 1));
  double delay = std::min(policy.max_ms, ideal);
  if (policy.jitter) delay = std::min(policy.max_ms, js_round(delay * (0.75 + 0.5 * chance)));
  return static_cast<std::uint64_t>(std::max(delay, 0.0));
}

ThrottlePolicy normalised(const ThrottlePolicy& given, double requested) {
  const double cap = std::max(1.0, requested);
  ThrottlePolicy policy = given;
  policy.max = std::clamp(given.max == 0 ? cap : given.max, 1.0, cap);
  policy.min = std::clamp(given.min == 0 ? 1.0 : given.min, 1.0, policy.max);
  if (given.threshold == 0) policy.threshold = 0.2;
  policy.window = std::max(1.0, given.window);
  return policy;
}

Throttle::Throttle(const ThrottlePolicy& policy, double requested)
    : policy_(policy), current_(std::clamp(requested, policy.min, policy.max)) {}

std::optional<ThrottleStep> Throttle::record(schema::FailureKind kind) {
  using schema::FailureKind;
  if (!policy_.enabled) return std::nullopt;
  seen_.push_back(kind == FailureKind::provider_transient ||
                  kind == FailureKind::provider_stalled || kind == FailureKind::launch_error);
  while (static_cast<double>(seen_.size()) > policy_.window) seen_.pop_front();
  if (static_cast<double>(seen_.size()) < policy_.window) return std::nullopt;
  const double rate =
      static_cast<double>(std::ranges::count(seen_, true)) / static_cast<double>(seen_.size());
  const double previous = current_;
  if (rate >= policy_.threshold && current_ > policy_.min) {
    current_ = std::max(policy_.min, std::floor(current_ / 2));
    stable_ = 0;
    return ThrottleStep{previous, current_, rate, "transient failure threshold exceeded"};
  }
  stable_ = rate == 0 ? stable_ + 1 : 0;
  if (stable_ < 2 || current_ >= policy_.max) return std::nullopt;
  ++current_;
  stable_ = 0;
  return ThrottleStep{previous, current_, rate, "stable windows recovered concurrency"};
}

std::uint64_t timeout_ms(std::optional<double> given) {
  if (!given || !std::isfinite(*given)) return 600'000;
  return static_cast<std::uint64_t>(std::clamp(std::floor(*given), 15'000.0, 86'400'000.0));
}

}  // namespace pievt::rules::pi_jobs
