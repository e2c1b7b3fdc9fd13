// From the written form of a plan to its jobs: templates, defaults, ids, files, dependencies. Pure
// but for the files it reads, and those come through an interface.
#pragma once

#include <string>

#include "supervisor/plan/document.h"
#include "supervisor/plan/matrix_source.h"

namespace pievt::plan {

/// The jobs of `document`. When `problems` has grown, what is returned is of no use.
/// `plan_name`: the plan's name where it has none itself; not blank.
Plan expand(Document document, const std::string& plan_name, PlanFiles& files, Problems& problems);

}  // namespace pievt::plan
