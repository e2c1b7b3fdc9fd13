#include "tools/measure/latencies.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <numeric>

namespace pievt::measure {

double Latencies::seconds() const {
  return static_cast<double>(std::accumulate(ns_.begin(), ns_.end(), std::int64_t{0})) / 1e9;
}

Percentiles Latencies::percentiles() const {
  if (ns_.empty()) return {};
  std::vector<std::int64_t> sorted = ns_;
  std::ranges::sort(sorted);
  // The nearest rank: the smallest of them that is not exceeded by so great a part.
  const auto at = [&](double part) {
    const auto rank =
        static_cast<std::size_t>(std::ceil(part * static_cast<double>(sorted.size())));
    return static_cast<double>(sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1]) / 1e3;
  };
  return {at(0.5), at(0.95), at(0.99), at(0.999)};
}

double cpu_seconds() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

}  // namespace pievt::measure
