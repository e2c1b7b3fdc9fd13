#include "supervisor/planners/silence.h"

#include <algorithm>

namespace pievt::planners {
namespace {

using schema::Activity;

// Usual silences are shorter; pi 1.x itself gives a provider five minutes.
std::uint64_t noted_after_ms(Activity activity) {
  switch (activity) {
    case Activity::starting:
      return 60'000;
    case Activity::thinking:
      return 180'000;
    case Activity::tool:
      return 600'000;
    case Activity::provider:
      return 360'000;
    default:
      return 0;
  }
}

// After its last word, pi has files to write and nothing to think about.
constexpr std::uint64_t lingering_ms_default = 30'000;

std::uint64_t stopped_after_ms(const schema::SilencePolicyT* policy, Activity activity) {
  if (policy == nullptr) return activity == Activity::ended ? lingering_ms_default : 0;
  switch (activity) {
    case Activity::starting:
      return policy->starting_ms;
    case Activity::thinking:
      return policy->thinking_ms;
    case Activity::tool:
      return policy->tool_ms;
    case Activity::provider:
      return policy->provider_ms;
    case Activity::ended:
      return policy->lingering_ms != 0 ? policy->lingering_ms : lingering_ms_default;
    case Activity::unknown:
      break;
  }
  return 0;
}

}  // namespace

SilenceStep silence_step(const schema::SilencePolicyT* policy, const Quiet& quiet) {
  if (quiet.announced) return {};
  const std::uint64_t stop = stopped_after_ms(policy, quiet.activity);
  if (stop != 0 && quiet.silent_ms >= stop)
    return {quiet.activity == Activity::ended ? SilenceMove::end_lingering : SilenceMove::stop, {}};
  const std::uint64_t note = quiet.noted ? 0 : noted_after_ms(quiet.activity);
  SilenceStep step;
  if (note != 0 && quiet.silent_ms >= note) step.move = SilenceMove::note;
  for (const std::uint64_t threshold : {stop, note}) {
    if (threshold > quiet.silent_ms)
      step.again_at_ms = std::min(step.again_at_ms.value_or(threshold), threshold);
  }
  return step;
}

}  // namespace pievt::planners
