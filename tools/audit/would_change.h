// Which rule decided, and what would have changed the verdict. The second is not a guess where it
// can be asked: the facts are changed in one point and judged again.
#pragma once

#include <string>
#include <vector>

#include "tools/audit/why.h"

namespace pievt::audit {

/// In words, what the rules asked at this point.
std::string rule_of(const WhyVerdict& verdict, const AttemptState* attempt, const GateState* gate);

std::vector<std::string> would_change(const RunState& run, const JobState& job,
                                      const AttemptState* attempt, const WhyVerdict& verdict);

}  // namespace pievt::audit
