// Seeds of tests that roll dice. A failure names its seed; PIEVT_SEED=<n> repeats that one alone,
// and PIEVT_SEEDS=<count> tries more of them.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace pievt::test {

/// As many seeds as asked for, unless the environment says otherwise.
inline std::vector<std::uint64_t> seeds(std::uint64_t count) {
  if (const char* one = std::getenv("PIEVT_SEED")) return {std::strtoull(one, nullptr, 10)};
  if (const char* more = std::getenv("PIEVT_SEEDS")) count = std::strtoull(more, nullptr, 10);
  std::vector<std::uint64_t> all;
  for (std::uint64_t i = 0; i < count; ++i) all.push_back(20240601 + i);
  return all;
}

inline std::string how_to_repeat(std::uint64_t seed) {
  return "repeat with PIEVT_SEED=" + std::to_string(seed);
}

}  // namespace pievt::test
