#include "tools/verbs/timeline_chart.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "tools/render/sanitise.h"
#include "tools/verbs/timeline_bars.h"

namespace pievt::tools {

using render::Style;

double Scale::column_ns() const {
  return std::max(1.0, static_cast<double>(to_ns - from_ns) / static_cast<double>(columns));
}

std::size_t Scale::column(std::uint64_t at_ns) const {
  if (at_ns <= from_ns) return 0;
  const auto at = static_cast<std::size_t>(static_cast<double>(at_ns - from_ns) / column_ns());
  return std::min(at, columns - 1);
}

std::uint64_t Scale::start_of(std::size_t column) const {
  return from_ns + static_cast<std::uint64_t>(static_cast<double>(column) * column_ns());
}

EndingWord ending_word(const RunStory& story, const story::Job& job) {
  const story::JobEnd* end = job.end();
  if (end == nullptr)
    return {job.attempts.empty() ? "waiting" : "open",
            job.attempts.empty() ? Style::dim : Style::bold};
  if (end->status == schema::JobStatus::succeeded) return {"ok", Style::good};
  if (end->status != schema::JobStatus::failed)
    return {schema::EnumNameJobStatus(end->status), Style::warn};
  std::string text = "FAILED";
  if (end->failure == schema::FailureKind::acceptance_failed) text += " contract";
  if (!job.attempts.empty()) {
    const story::Attempt& last = story.attempts[job.attempts.back()];
    if (last.http_status != 0) text += fmt::format(" {}", last.http_status);
  }
  return {text, Style::bad};
}

namespace {

std::string name_prefix(std::string_view id) {
  std::string_view prefix = id;
  while (!prefix.empty() && prefix.back() >= '0' && prefix.back() <= '9') prefix.remove_suffix(1);
  if (prefix.size() == id.size())
    if (const std::size_t cut = id.find_last_of("-_./"); cut != std::string_view::npos)
      prefix = id.substr(0, cut + 1);
  return std::string(prefix.empty() ? id.substr(0, 1) : prefix);
}

std::uint64_t start_of(const RunStory& story, const story::Job& job) {
  if (!job.attempts.empty()) return story.attempts[job.attempts.front()].requested.at_ns;
  return job.end() != nullptr ? job.end()->at.at_ns : UINT64_MAX;
}

struct JobGroup {
  std::vector<std::uint32_t> jobs;
  std::string ending, prefix;
};

// By ending and prefix; where that is still too many, by ending alone.
std::vector<JobGroup> groups_of(const RunStory& story, std::size_t rows_max) {
  for (const bool with_prefix : {true, false}) {
    std::map<std::pair<std::string, std::string>, JobGroup> groups;
    for (std::uint32_t i = 0; i < story.jobs.size(); ++i) {
      const std::string ending = ending_word(story, story.jobs[i]).text;
      const std::string prefix = with_prefix ? name_prefix(story.jobs[i].id) : std::string();
      JobGroup& group = groups[{ending, prefix}];
      group.jobs.push_back(i);
      group.ending = ending;
      group.prefix = prefix;
    }
    if (with_prefix && groups.size() > rows_max) continue;
    std::vector<JobGroup> list;
    for (auto& [key, group] : groups) list.push_back(std::move(group));
    return list;
  }
  return {};
}

}  // namespace

std::vector<ChartRow> chart_rows(const RunStory& story, const Scale& scale, std::size_t rows_max,
                                 bool utf8) {
  std::vector<ChartRow> rows;
  if (story.jobs.size() <= rows_max) {
    for (const story::Job& job : story.jobs) {
      rows.push_back(job_row(story, job, scale, utf8));
      rows.back().start_ns = start_of(story, job);
    }
  } else {
    for (const JobGroup& group : groups_of(story, rows_max)) {
      const std::string label = fmt::format("{}{} {}", group.prefix,
                                            group.prefix.empty() ? "jobs" : "*", group.jobs.size());
      rows.push_back(group_row(story, group.jobs, label, scale, utf8));
      for (const std::uint32_t job : group.jobs)
        rows.back().start_ns = std::min(rows.back().start_ns, start_of(story, story.jobs[job]));
    }
  }
  std::ranges::stable_sort(rows, {}, &ChartRow::start_ns);
  return rows;
}

std::vector<ChartRow> chart_curves(const RunStory& story, const Scale& scale, bool utf8) {
  const auto curve = concurrency_curve(story);
  std::vector<std::uint32_t> running(scale.columns), allowed(scale.columns);
  std::uint32_t most = 0;
  for (std::size_t i = 0; i < curve.size(); ++i) {
    const std::uint64_t to = i + 1 < curve.size() ? curve[i + 1].from_ns : scale.to_ns;
    if (to < scale.from_ns) continue;
    const std::size_t last = scale.column(to > scale.from_ns ? to - 1 : to);
    for (std::size_t at = scale.column(curve[i].from_ns); at <= last; ++at) {
      running[at] = std::max(running[at], curve[i].running);
      allowed[at] = curve[i].allowed;
    }
    most = std::max(most, curve[i].running);
  }
  std::vector<ChartRow> rows;
  if (most == 0) return rows;
  const auto row = [&](const std::string& label, const auto& numbers) {
    ChartRow made{label, ChartCells(scale.columns), {}, Style::plain, scale.columns, 0};
    const std::uint64_t top = *std::ranges::max_element(numbers);
    for (std::size_t i = 0; i < numbers.size(); ++i)
      made.cells[i] = {level_glyph(numbers[i], std::max<std::uint64_t>(top, 1), utf8),
                       Style::plain};
    rows.push_back(std::move(made));
  };
  row(fmt::format("running <= {}", most), running);
  if (*std::ranges::max_element(allowed) != 0 &&
      std::ranges::adjacent_find(allowed, std::not_equal_to<>()) != allowed.end())
    row(fmt::format("allowed <= {}", *std::ranges::max_element(allowed)), allowed);
  std::vector<std::uint64_t> ok(scale.columns), failed(scale.columns);
  for (const story::Attempt& attempt : story.attempts) {
    for (const story::Request& request : attempt.requests) {
      const std::uint64_t at = request.answered.at_ns;
      if (at < scale.from_ns || at > scale.to_ns) continue;
      ++(request.failed ? failed : ok)[scale.column(at)];
    }
  }
  const std::uint64_t most_ok = *std::ranges::max_element(ok);
  const std::uint64_t most_failed = *std::ranges::max_element(failed);
  if (most_ok != 0) row(fmt::format("requests <= {}", most_ok), ok);
  if (most_failed != 0) {
    row(fmt::format("failed <= {}", most_failed), failed);
    for (ChartCell& cell : rows.back().cells) cell.style = Style::bad;
  }
  return rows;
}

void mark_supervisors(const RunStory& story, const Scale& scale, bool utf8,
                      std::vector<ChartRow>& rows) {
  for (const story::Supervision& supervision : story.supervisions) {
    if (!supervision.died()) continue;
    const std::size_t at = scale.column(supervision.last_seen.at_ns);
    for (ChartRow& row : rows)
      if (row.cells[at].glyph == " ") row.cells[at] = {utf8 ? "\u250a" : "'", Style::bad};
  }
}

std::string axis_line(const Scale& scale, render::Zone zone, bool utf8) {
  std::string line;
  std::size_t used = 0;
  const bool fine = scale.to_ns - scale.from_ns < 60'000'000'000;
  const std::size_t step = fine ? 16 : 12;
  for (std::size_t at = 0; at + (fine ? 13 : 9) <= scale.columns; at += step) {
    line += std::string(at - used, ' ');
    const std::string time =
        render::clock_text(static_cast<std::int64_t>(scale.start_of(at)), zone,
                           fine ? render::Precision::milliseconds : render::Precision::seconds);
    line += (utf8 ? "\u2502" : "|") + time;
    used = at + 1 + time.size();
  }
  return line;
}

std::vector<std::string> chart_legend(std::size_t width) {
  constexpr const char* words[] = {
      ": starting",       "= model",       "+ tool",         ". provider wait",
      "~ compaction",     "! told to end", "- backoff",      "_ waits for a slot",
      "x provider error", "* gate met",    "# gate not met", "| end"};
  std::vector<std::string> lines(1);
  for (const std::string_view word : words) {
    if (!lines.back().empty() && lines.back().size() + 3 + word.size() > width)
      lines.emplace_back();
    if (!lines.back().empty()) lines.back() += "   ";
    lines.back() += word;
  }
  return lines;
}

}  // namespace pievt::tools
