// What can be known to be wrong with a plan before anything is spent on it.
//
// A plan that cannot be read is refused by read_plan; this looks at one that can, and finds what
// would only be noticed when the agent has been paid: contracts that can never be met, patterns
// that match nothing, jobs that write into each other's zones.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "supervisor/plan/read_plan.h"

namespace pievt::lint {

enum class Severity : std::uint8_t {
  error,    ///< it cannot work
  warning,  ///< it is hardly meant so
  note      ///< worth knowing; does not count
};
std::string_view name_of(Severity severity);

struct Finding {
  Severity severity = Severity::warning;
  std::string rule;  ///< one word, e.g. `bad-regex`
  std::size_t line = 1, column = 1;
  std::string job;  ///< empty: of the plan
  std::string sentence;
};

struct Options {
  std::string name;           ///< of the plan file
  std::filesystem::path cwd;  ///< where the run would work
  /// Why a model is not known; nothing: it is, or that cannot be told.
  std::function<std::optional<std::string>(const std::string& model)> unknown_model;
};

/// Everything found, by place. At most 1,000; the same thing in many jobs of a matrix is said once
/// for each place in the file.
std::vector<Finding> lint(const plan::PlanFile& file, const Options& options);

}  // namespace pievt::lint
