// The table of rulesets. A ruleset that has judged real runs is never changed: a better one is a
// new row.
#include <algorithm>
#include <array>

#include "store/model/rules/rules.h"

namespace pievt {

std::span<const Ruleset> rulesets() {
  static const std::array rows = {rules::pievt_1, rules::pi_jobs_05};
  return rows;
}

const Ruleset* find_ruleset(std::string_view name) {
  const auto rows = rulesets();
  const auto found = std::ranges::find(rows, name, &Ruleset::name);
  return found == rows.end() ? nullptr : &*found;
}

const Ruleset& current_ruleset() {
  return rulesets().front();
}

}  // namespace pievt
