// The rows of a waterfall in characters, as the report and `pievt timeline` draw them: one
// character a moment, told by its sign first and by its colour second. Both pictures are made of
// these rows, so a sign means the same in both. Nothing is ever drawn over a failed request: what
// happened in the same column stands behind it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "pievt/run_curves.h"
#include "tools/render/terminal.h"
#include "tools/render/text.h"

namespace pievt::audit {

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
  bool stays = false;  ///< a moment: nothing is drawn over it
};

using ChartCells = std::vector<ChartCell>;

struct ChartRow {
  std::string label;
  std::string attempts;  ///< "a1", "a1 a2", "a1-a7"
  ChartCells cells;
  std::string ending;  ///< written behind the bar
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
ChartRow job_row(const RunStory& story, const story::Job& job, const Scale& scale);

/// Where supervisors died: columns that are marked in all rows.
void mark_supervisors(const RunStory& story, const Scale& scale, bool utf8,
                      std::vector<ChartRow>& rows);

/// The most attempts that ran at once while an attempt of this job did; 0 where none ran.
/// `curve` is the run's.
std::uint32_t at_once(const RunStory& story, const story::Job& job,
                      std::span<const story::ConcurrencyStep> curve);

/// Round times above the chart, each behind a mark at its column.
std::string axis_line(const Scale& scale, render::Zone zone, bool utf8);

/// What the signs in these rows mean, in lines that fit `width`. Signs that do not occur are not
/// explained.
std::vector<std::string> chart_legend(std::span<const ChartRow> rows, std::size_t width);

/// A row's bar and how it ended, without its label. Cells of one style are written together; a
/// colour sequence for each would be most of the text. `width`, where it is given, gets the columns
/// that the text takes.
std::string painted(const render::Terminal& terminal, const ChartRow& row,
                    std::size_t* width = nullptr);

}  // namespace pievt::audit
