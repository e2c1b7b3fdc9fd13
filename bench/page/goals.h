// What was set out to be reached, and whether a run of the benches has reached it.
#pragma once

#include <string>
#include <vector>

#include "bench/page/measured.h"

namespace pievt::bench {

struct GoalResult {
  std::string work, goal, measured;
  enum class Verdict : std::uint8_t { reached, missed, not_measured } verdict;
  std::string why;  ///< where it was not reached: what is known about it
};

/// Every goal, in the order of the page.
std::vector<GoalResult> judge(const Documents& all);

}  // namespace pievt::bench
