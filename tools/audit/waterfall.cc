// The small waterfall of a report: one row a job, one character a moment.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "pievt/run_curves.h"
#include "tools/audit/text.h"
#include "tools/audit/words.h"

namespace pievt::audit {
namespace {

constexpr std::uint64_t columns_max = 60;

char letter_of(story::Phase phase) {
  switch (phase) {
    case story::Phase::starting:
      return '=';
    case story::Phase::tool:
      return '+';
    case story::Phase::provider_wait:
      return '.';
    case story::Phase::stopping:
      return '!';
    case story::Phase::compaction:
      return 'c';
    default:
      return '-';
  }
}

// Steps that people can count with.
std::uint64_t step_for(std::uint64_t duration_ns) {
  constexpr std::uint64_t ms = 1'000'000, second = 1'000 * ms, minute = 60 * second;
  constexpr std::uint64_t steps[] = {
      ms,         5 * ms,      10 * ms,     50 * ms,     100 * ms,     200 * ms,     500 * ms,
      second,     2 * second,  5 * second,  10 * second, 30 * second,  minute,       2 * minute,
      5 * minute, 10 * minute, 30 * minute, 60 * minute, 120 * minute, 360 * minute, 1440 * minute};
  for (const std::uint64_t step : steps) {
    if (duration_ns / step < columns_max) return step;
  }
  return duration_ns / columns_max + 1;
}

struct Scale {
  std::uint64_t from_ns = 0, step_ns = 1;
  std::size_t columns = 1;

  std::size_t column(std::uint64_t ns) const {
    const std::uint64_t at = ns > from_ns ? (ns - from_ns) / step_ns : 0;
    return std::min<std::size_t>(at, columns - 1);
  }
};

std::string row_of(const RunStory& story, const story::Job& job, const Scale& scale,
                   std::uint64_t now_ns) {
  std::string row(scale.columns, ' ');
  for (const std::uint32_t place : job.attempts) {
    const story::Attempt& attempt = story.attempts[place];
    for (const story::PhaseSpan& span : story::phases(attempt, now_ns)) {
      const std::size_t end = scale.column(span.to_ns > 0 ? span.to_ns - 1 : 0);
      for (std::size_t at = scale.column(span.from_ns); at <= end; ++at)
        row[at] = letter_of(span.phase);
    }
    for (const story::Request& request : attempt.requests) {
      if (request.failed) row[scale.column(request.answered.at_ns)] = 'x';
    }
    if (attempt.classified.known()) row[scale.column(attempt.classified.at_ns)] = '|';
  }
  return row;
}

std::string throttle_row(const RunStory& story, const Scale& scale) {
  std::string row(scale.columns + 24, ' ');
  for (const story::Throttle& step : story.throttles) {
    const std::string text = fmt::format("#{} {}->{}", step.at.revision, step.from, step.to);
    const std::size_t at = scale.column(step.at.at_ns);
    for (std::size_t i = 0; i < text.size() && at + i < row.size(); ++i) row[at + i] = text[i];
  }
  while (!row.empty() && row.back() == ' ') row.pop_back();
  return row;
}

std::string_view ending_word(const JobRow& row) {
  if (!row.ended) return "";
  if (row.status == schema::JobStatus::succeeded) return "ok";
  return row.status == schema::JobStatus::failed ? "FAILED" : schema::EnumNameJobStatus(row.status);
}

std::vector<const JobRow*> chosen_rows(const RunReport& report, std::size_t rows_max) {
  std::vector<const JobRow*> rows;
  for (const JobRow& row : report.jobs) {
    if (row.attempts > 0) rows.push_back(&row);
  }
  if (rows.size() <= rows_max) return rows;
  std::ranges::stable_partition(
      rows, [](const JobRow* row) { return row->status != schema::JobStatus::succeeded; });
  rows.resize(rows_max);
  std::ranges::sort(rows, {}, &JobRow::job);
  return rows;
}

}  // namespace

std::string timeline_text(const RunReport& report, const RunStory& story, const TextStyle& style,
                          std::size_t rows_max) {
  const std::uint64_t end = std::max(report.end_ns, story.last.at_ns);
  const auto rows = chosen_rows(report, rows_max);
  if (rows.empty() || end <= report.begin_ns) return "";
  Scale scale{report.begin_ns, step_for(end - report.begin_ns), 1};
  scale.columns = static_cast<std::size_t>((end - report.begin_ns) / scale.step_ns) + 1;
  std::size_t width = 8;
  for (const JobRow* row : rows) width = std::max(width, std::min<std::size_t>(row->id.size(), 24));
  std::string text = fmt::format(
      "{}  {:<{}}{} - {}, 1 column = {}\n",
      render::styled(style.terminal, render::Style::bold, "TIMELINE"), "",
      width > 8 ? width - 8 : 0,
      render::clock_text(static_cast<std::int64_t>(report.begin_ns), style.zone),
      render::clock_text(static_cast<std::int64_t>(end), style.zone), span_text(scale.step_ns));
  for (const JobRow* row : rows) {
    text += fmt::format("  {:<{}}  {}{}\n", row->id, width - 2,
                        row_of(story, story.jobs[row->job - 1], scale, end), ending_word(*row));
  }
  if (!story.throttles.empty())
    text += fmt::format("  {:<{}}  {}\n", "throttle", width - 2, throttle_row(story, scale));
  std::size_t begun = 0;
  for (const JobRow& row : report.jobs) begun += row.attempts > 0 ? 1u : 0u;
  if (rows.size() < begun) {
    text += fmt::format("  and {} more jobs; pievt timeline {} draws all\n", begun - rows.size(),
                        report.short_id);
  }
  text += "  = starting  - model  + tool  . waiting (pi's own retry)  x provider error  | end\n";
  return text;
}

}  // namespace pievt::audit
