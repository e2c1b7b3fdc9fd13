#include "supervisor/planners/throttle.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace pievt::planners {
namespace {

using schema::FailureKind;

enum class Weather { fine, strained, failed };

struct Seen {
  std::uint64_t revision;
  Weather weather;
};

// What an attempt says about the provider; nothing where it was ended or lost for reasons of ours.
std::optional<Weather> weather_of(const AttemptState& attempt) {
  switch (attempt.failure) {
    case FailureKind::provider_transient:
    case FailureKind::provider_stalled:
      return Weather::failed;
    case FailureKind::cancelled:
    case FailureKind::supervisor_lost:
    case FailureKind::launch_error:
    case FailureKind::configuration:
      return std::nullopt;
    default:
      // pi mended it by itself: no failure, and no sign that there is room for more.
      return attempt.provider_retries > 0 ? Weather::strained : Weather::fine;
  }
}

std::vector<Seen> since_last_change(const RunState& run, const Marks& marks) {
  std::vector<Seen> seen;
  for (const auto& job : run.jobs) {
    for (const auto& attempt : job->attempts) {
      if (attempt->phase != state::AttemptPhase::classified) continue;
      if (attempt->first_revision <= marks.throttle_revision) continue;
      if (const auto weather = weather_of(*attempt))
        seen.push_back({attempt->last_revision, *weather});
    }
  }
  std::ranges::sort(seen, {}, &Seen::revision);
  return seen;
}

NewEvent change(const RunState& run, std::uint32_t to, schema::ThrottleReason reason,
                std::uint32_t failures, std::uint32_t window, std::string detail) {
  schema::ThrottleChangedT event;
  event.from = run.concurrency_now;
  event.to = to;
  event.reason = reason;
  event.detail = std::move(detail);
  event.failures = failures;
  event.window = window;
  return {std::move(event)};
}

}  // namespace

std::optional<NewEvent> throttle_step(const RunState& run, const Marks& marks) {
  if (run.throttle == nullptr || !run.throttle->enabled) return std::nullopt;
  if (run.phase != state::RunPhase::running) return std::nullopt;
  const schema::ThrottlePolicyT& policy = *run.throttle;
  const std::uint32_t now = run.concurrency_now;
  const auto left = static_cast<std::uint32_t>(std::ranges::count_if(
      run.jobs, [](const auto& job) { return job->phase != state::JobPhase::finished; }));
  const std::vector<Seen> seen = since_last_change(run, marks);
  const std::uint32_t window = std::max(1u, policy.window);

  if (seen.size() >= window && left > 1) {
    const auto failures = static_cast<std::uint32_t>(
        std::count_if(seen.end() - window, seen.end(),
                      [](const Seen& each) { return each.weather == Weather::failed; }));
    // More than are left to run make no difference: what counts is how many do.
    const std::uint32_t to = std::max(std::max(1u, policy.min), std::min(now, left) / 2);
    if (failures > 0 && failures >= policy.threshold * window && to < now) {
      return change(
          run, to, schema::ThrottleReason::failures, failures, window,
          fmt::format("{} of the last {} attempts failed at the provider", failures, window));
    }
  }
  const auto fine = std::find_if(seen.rbegin(), seen.rend(),
                                 [](const Seen& each) { return each.weather != Weather::fine; }) -
                    seen.rbegin();
  const std::uint32_t round = std::max(2u, now);
  if (now >= policy.max || left <= now || fine < static_cast<std::ptrdiff_t>(round))
    return std::nullopt;
  const std::uint32_t to = std::min(policy.max, now + std::max(1u, now / 2));
  return change(run, to, schema::ThrottleReason::recovered, 0, round,
                fmt::format("{} attempts in a row had no trouble", fine));
}

}  // namespace pievt::planners
