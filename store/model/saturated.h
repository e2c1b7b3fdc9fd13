// Sums of numbers that others reported. What a stream claims may be absurd, and a fold cannot
// refuse it, so a signed sum stays at the end of its range where it would otherwise be undefined.
#pragma once

#include <cstdint>
#include <limits>

namespace pievt {

/// `a` + `b`, or the nearest number there is.
constexpr std::int64_t saturated_sum(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b < 0 ? std::numeric_limits<std::int64_t>::min()
               : std::numeric_limits<std::int64_t>::max();
}

}  // namespace pievt
