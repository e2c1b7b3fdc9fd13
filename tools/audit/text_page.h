// A report's page in the making: one function a section, in text.cc what leads and in
// text_tables.cc what backs it up.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "tools/audit/text.h"
#include "tools/audit/words.h"

namespace pievt::audit {

/// Rows of a brief report, so that 100 jobs fit 100 lines.
inline constexpr std::size_t jobs_brief = 16;
inline constexpr std::size_t usable_brief = 10;
inline constexpr std::size_t rows_brief = 12;
inline constexpr std::size_t few = 6;

class Page {
 public:
  Page(const RunReport& report, const RunStory& story, const TextStyle& style)
      : report_(report), story_(story), style_(style) {}

  std::string write() {
    head();
    now();
    causes();
    usable();
    actions();
    timeline();
    jobs();
    cost();
    secrets();
    writes();
    again();
    verdicts();
    violations();
    record();
    unknown();
    foot();
    return std::move(out_);
  }

 private:
  bool brief() const { return style_.length == Length::brief; }
  std::string bold(std::string_view text) const {
    return render::styled(style_.terminal, render::Style::bold, text);
  }
  std::string clock(std::uint64_t ns) const {
    return render::clock_text(static_cast<std::int64_t>(ns), style_.zone);
  }
  void title(std::string_view text, std::string_view behind = {}) {
    out_ += fmt::format("\n{}{}{}\n", bold(text), behind.empty() ? "" : "  ", behind);
  }
  void line(std::string_view text) { out_ += fmt::format("  {}\n", text); }
  void sentence(std::string_view text, const Events& events, std::size_t indent = 2) {
    out_ += wrapped(text, events, indent, style_);
  }
  std::string ids(const std::vector<std::uint32_t>& jobs, std::size_t most) const {
    std::string text;
    const std::size_t shown = brief() ? std::min(most, jobs.size()) : jobs.size();
    for (std::size_t i = 0; i < shown; ++i)
      text += fmt::format("{}{}", text.empty() ? "" : " ", job_id(report_, jobs[i]));
    if (shown < jobs.size()) text += fmt::format(" and {} more", jobs.size() - shown);
    return text;
  }

  void head();
  void now();
  void causes();
  void usable();
  void actions();
  void timeline();
  void jobs();
  void job(const JobRow& row, std::size_t id_width, std::size_t why_width);
  void cost();
  void secrets();
  void writes();
  void again();
  void verdicts();
  void violations();
  void record();
  void unknown();
  void foot();

  const RunReport& report_;
  const RunStory& story_;
  const TextStyle& style_;
  std::string out_;
};

}  // namespace pievt::audit
