// How long operations took, one by one. Rare slow ones are what people remember, so nothing is
// averaged away: every duration is kept (8 bytes each) and percentiles are exact.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace pievt::measure {

using Clock = std::chrono::steady_clock;

/// So many of a hundred operations took at most so long. Zeros where nothing was measured.
struct Percentiles {
  double p50_us = 0, p95_us = 0, p99_us = 0, p999_us = 0;
};

class Latencies {
 public:
  void add(std::int64_t ns) { ns_.push_back(ns); }
  void add(const Latencies& others) { ns_.insert(ns_.end(), others.ns_.begin(), others.ns_.end()); }
  std::size_t count() const { return ns_.size(); }
  const std::vector<std::int64_t>& all_ns() const { return ns_; }
  /// The sum of all, in seconds.
  double seconds() const;
  Percentiles percentiles() const;

 private:
  std::vector<std::int64_t> ns_;
};

/// Does `act` and returns what it returns with how long it took, in nanoseconds.
template <class F>
auto timed(F&& act) {
  const auto begin = Clock::now();
  auto result = act();
  const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin);
  return std::pair(std::move(result), ns.count());
}

/// What the calling thread has used of a processor, in seconds.
double cpu_seconds();

}  // namespace pievt::measure
