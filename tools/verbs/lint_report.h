// What lint finds, for the verbs that show it.
#pragma once

#include "supervisor/lint/lint.h"
#include "supervisor/plan/read_plan.h"
#include "tools/frame/context.h"

namespace pievt::tools {

/// Lints the plan as it would run in the current directory. With `pi`, models are compared with
/// those that this program lists; that it could not be asked is said.
std::vector<lint::Finding> find_lint(const Context& context, const plan::PlanFile& file,
                                     const std::string& path, const std::string& pi);

/// `plan.json:12:7: error: sentence [rule]`
std::string to_line(const std::string& path, const lint::Finding& finding);

/// Whether anything but notes was found.
bool is_bad(const std::vector<lint::Finding>& findings);

}  // namespace pievt::tools
