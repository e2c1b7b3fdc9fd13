// A waterfall of a run in characters: which rows there are, groups of jobs as rows, and the curves
// below them. How a job's row is drawn is tools/audit/bars.h, so that a report shows the same
// signs. Knows no terminal but its width and whether it shows more than ASCII.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/audit/bars.h"

namespace pievt::tools {

using audit::ChartCell;
using audit::ChartCells;
using audit::ChartRow;
using audit::EndingWord;
using audit::Scale;

/// Many jobs in one row: how many ran in each column, of at most as many as they are.
ChartRow group_row(const RunStory& story, const std::vector<std::uint32_t>& jobs,
                   const std::string& label, const Scale& scale, bool utf8);

/// All jobs, a row each in the order in which they began; or, where that would be more than
/// `rows_max`, groups by how they ended and by the beginning of their names.
std::vector<ChartRow> chart_rows(const RunStory& story, const Scale& scale, std::size_t rows_max,
                                 bool utf8);

/// Running at once, allowed at once, and requests, on the same scale. Empty where nothing ran.
std::vector<ChartRow> chart_curves(const RunStory& story, const Scale& scale, bool utf8);

}  // namespace pievt::tools
