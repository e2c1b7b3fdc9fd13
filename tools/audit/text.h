// A report as people read it in a terminal. The order is the order of questions in the morning:
// what is now, why, what can I use, what do I do; the rest is for who doubts it.
#pragma once

#include <string>

#include "pievt/run_story.h"
#include "tools/audit/report.h"
#include "tools/render/terminal.h"
#include "tools/render/text.h"

namespace pievt::audit {

enum class Length : std::uint8_t {
  brief,  ///< fits 100 lines for 100 jobs: rows that say nothing new are counted
  full,
};

struct TextStyle {
  render::Terminal terminal;
  render::Zone zone = render::Zone::local;
  Length length = Length::brief;
};

/// `story`: of the same run, for the small timeline.
std::string report_text(const RunReport& report, const RunStory& story, const TextStyle& style);

/// The small waterfall alone: a row a job, at most `rows_max` of them, failed ones first.
std::string timeline_text(const RunReport& report, const RunStory& story, const TextStyle& style,
                          std::size_t rows_max);

/// "#8 - #17", "#29 #52"; "" for none.
std::string events_text(const Events& events, std::size_t most = 6);

/// A sentence with its events, broken at words where it does not fit the terminal; further lines
/// stand two columns deeper. Ends with a line's end.
std::string wrapped(std::string_view text, const Events& events, std::size_t indent,
                    const TextStyle& style);

/// "$0.0301 known", "not reported", ">= $0.01".
std::string money_of(const Spent& spent);
std::string tokens_of(const Spent& spent);

/// The same of work that was tried `attempts` times: what ran and reported nothing is not free.
std::string cost_of_work(const Spent& spent, std::uint32_t attempts);
std::string tokens_of_work(const Spent& spent, std::uint32_t attempts);
/// "16.0 k tokens   >= $0.0301", "tokens and cost not reported".
std::string spent_text(const Spent& spent, std::uint32_t attempts);

}  // namespace pievt::audit
