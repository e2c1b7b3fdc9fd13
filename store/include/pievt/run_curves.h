// What a story adds up to over time: how many attempts ran at once, what the provider answered,
// what was spent, and what each attempt was doing. Pure functions of a story, made once for the
// pictures of all tools, so that a waterfall in the terminal and one in a page show the same.
#pragma once

#include <cstdint>
#include <vector>

#include "pievt/run_story.h"

namespace pievt::story {

/// From `from_ns` on, and until the next step.
struct ConcurrencyStep {
  std::uint64_t from_ns = 0;
  std::uint64_t revision = 0;  ///< the event that made the difference
  std::uint32_t running = 0;   ///< processes of jobs' attempts; probes do not count
  std::uint32_t allowed = 0;   ///< 0: not known
  friend bool operator==(const ConcurrencyStep&, const ConcurrencyStep&) = default;
};

/// In order of time, from the run's beginning; one step for each moment at which something changed.
std::vector<ConcurrencyStep> concurrency_curve(const Run& run);

/// What the provider answered within one interval, and what had been spent at its end.
struct RequestBucket {
  std::uint64_t from_ns = 0;
  std::uint32_t ok = 0;
  std::uint32_t failed = 0;
  std::uint64_t tokens = 0;
  std::int64_t cost_nanodollars = 0;
  std::int64_t cost_so_far_nanodollars = 0;
  std::uint32_t unreported = 0;  ///< requests of unknown cost, of `ok` and `failed`
  friend bool operator==(const RequestBucket&, const RequestBucket&) = default;
};

/// Intervals of `width_ns` (at least 1) from the run's beginning to its last event, without holes.
/// At most `buckets_max` of them: a smaller width is made larger.
inline constexpr std::size_t buckets_max = 100'000;
std::vector<RequestBucket> request_buckets(const Run& run, std::uint64_t width_ns);

/// What an attempt was doing, as far as its record tells: between two things that were seen it
/// waited for the model.
enum class Phase : std::uint8_t {
  starting,  ///< from its request to pi's first line
  model,     ///< a request is out, or an answer is being read
  tool,      ///< at least one tool runs
  /// pi waits before it asks a provider again that answered with an error. Where the record has no
  /// word of its waits: until the next answer.
  provider_wait,
  compaction,
  stopping,  ///< it was told to end
};

/// "starting", "model", "tool", "provider wait", "compaction", "stopping".
std::string_view name_of(Phase phase);

struct PhaseSpan {
  Phase phase{};
  std::uint64_t from_ns = 0;
  std::uint64_t to_ns = 0;
  std::uint64_t revision = 0;  ///< the event it begins with
  friend bool operator==(const PhaseSpan&, const PhaseSpan&) = default;
};

/// The attempt's phases in order, without holes and overlaps, from its request to its end, or to
/// `now_ns` where it goes on. Empty for an attempt that never ran.
std::vector<PhaseSpan> phases(const Attempt& attempt, std::uint64_t now_ns);

}  // namespace pievt::story
