// The way in: a plan file becomes a Plan, or every reason why it cannot.
#pragma once

#include <string>

#include "pievt/result.h"
#include "supervisor/plan/document.h"
#include "supervisor/plan/files.h"
#include "supervisor/plan/plan.h"

namespace pievt::plan {

/// What a plan takes where it says nothing itself: its user's settings. Weaker than "defaults".
struct PlanDefaults {
  std::optional<std::uint32_t> concurrency;
  std::optional<std::uint64_t> timeout_ms;
  WrittenRetry retry;  ///< field by field
  std::optional<Throttle> throttle;
  std::optional<WrittenBudget> budget;
  WrittenSilence silence;  ///< field by field
};

/// Checks and expands the text of a plan.
///
/// `name` is how messages call the file, usually its path as the user gave it; without directory
/// and ending it is also the plan's name if the plan has none. Files that the plan names are read
/// through `files`. Errc::invalid with up to limits::problems_max lines `file:line:column:
/// sentence`, of the plan or of files it names. Reads nothing but `files`; the same input gives the
/// same result.
Result<Plan> read_plan(const std::string& name, std::string text, FileSource& files,
                       const PlanDefaults& weaker = {});

/// What read_plan_file found: the plan, and the bytes it was read from, for the record.
struct PlanFile {
  Plan plan;
  std::string text;
};

/// The same for a file on disk; the files it names are looked for beside it. Besides,
/// Errc::not_found and Errc::io if it cannot be read.
Result<PlanFile> read_plan_file(const std::string& path, const PlanDefaults& weaker = {});

}  // namespace pievt::plan
