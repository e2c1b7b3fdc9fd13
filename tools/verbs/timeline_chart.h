// A waterfall of a run in characters: what each column of a row shows, which rows there are, and
// the curves below them. Knows no terminal but its width and whether it shows more than ASCII; a
// phase is told by its character first and by its colour second.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pievt/run_curves.h"
#include "tools/render/terminal.h"
#include "tools/render/text.h"

namespace pievt::tools {

/// Which part of time is shown, and in how many columns.
struct Scale {
  std::uint64_t from_ns = 0;
  std::uint64_t to_ns = 0;
  std::size_t columns = 60;

  /// A column's time, at least one nanosecond.
  double column_ns() const;
  /// The column a moment lies in; the last one for later moments.
  std::size_t column(std::uint64_t at_ns) const;
  std::uint64_t start_of(std::size_t column) const;
};

struct ChartCell {
  std::string glyph = " ";
  render::Style style = render::Style::plain;
};

using ChartCells = std::vector<ChartCell>;

struct ChartRow {
  std::string label;
  ChartCells cells;
  std::string ending;  ///< written behind the bar where there is room
  render::Style ending_style = render::Style::plain;
  std::size_t bar_end = 0;  ///< the first column behind the bar
  std::uint64_t start_ns = 0;
};

/// How a job ended, in a word or two for the end of its bar.
struct EndingWord {
  std::string text;
  render::Style style = render::Style::plain;
};
EndingWord ending_word(const RunStory& story, const story::Job& job);

/// One job's row: its waits and its attempts, with ticks for provider errors and gates.
ChartRow job_row(const RunStory& story, const story::Job& job, const Scale& scale, bool utf8);

/// Many jobs in one row: how many ran in each column, of at most as many as they are.
ChartRow group_row(const RunStory& story, const std::vector<std::uint32_t>& jobs,
                   const std::string& label, const Scale& scale, bool utf8);

/// All jobs, a row each in the order in which they began; or, where that would be more than
/// `rows_max`, groups by how they ended and by the beginning of their names.
std::vector<ChartRow> chart_rows(const RunStory& story, const Scale& scale, std::size_t rows_max,
                                 bool utf8);

/// Running at once, allowed at once, and requests, on the same scale. Empty where nothing ran.
std::vector<ChartRow> chart_curves(const RunStory& story, const Scale& scale, bool utf8);

/// Where supervisors died: columns that are marked in all rows.
void mark_supervisors(const RunStory& story, const Scale& scale, bool utf8,
                      std::vector<ChartRow>& rows);

/// Times above the chart, each behind a mark at its column.
std::string axis_line(const Scale& scale, render::Zone zone, bool utf8);

/// What the characters mean, in lines that fit `width`.
std::vector<std::string> chart_legend(std::size_t width);

}  // namespace pievt::tools
