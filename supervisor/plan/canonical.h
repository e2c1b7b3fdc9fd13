// A plan as JSON that is always the same for the same plan: for digests and for the record of what
// was planned.
#pragma once

#include <string>
#include <string_view>

#include "supervisor/plan/plan.h"

namespace pievt::plan {

/// One line without spaces, keys in byte order, every value as it will be used (defaults filled
/// in). Context files are given by path, size and, when the caller has filled it in, sha256. A
/// variable taken from the environment is given by name; one whose value stands in the plan by
/// value, as in the plan.
std::string canonical_json(const Plan& plan);

/// A text as a JSON string in its quotes. It must be UTF-8.
std::string json_text(std::string_view text);

}  // namespace pievt::plan
