// From JSON values to the written form of a plan: each key by itself.
#pragma once

#include <cstddef>
#include <string>

#include "supervisor/plan/document.h"
#include "supervisor/plan/json_tree.h"

namespace pievt::plan {

/// Reads the keys of a whole plan. Whatever is wrong goes to `problems`; the document then lacks
/// it.
Document parse_document(JsonView root, Problems& problems);

/// Reads one job that stands alone.
Written parse_job(JsonView job, Problems& problems);

/// Reads one row of a matrix, its position counted from 0.
Written parse_row(JsonView row, std::size_t position, Problems& problems);

}  // namespace pievt::plan
