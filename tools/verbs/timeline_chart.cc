#include "tools/verbs/timeline_chart.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "tools/render/sanitise.h"
#include "tools/verbs/timeline_bars.h"

namespace pievt::tools {

using render::Style;

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
      const std::string ending = audit::ending_word(story, story.jobs[i]).text;
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
      rows.push_back(job_row(story, job, scale));
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
    ChartRow made;
    made.label = label;
    made.cells.resize(scale.columns);
    made.bar_end = scale.columns;
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

}  // namespace pievt::tools
