// The small waterfall of a report: one row a job, one character a moment, and beside each row how
// many attempts ran at once while it did.
#include <algorithm>

#include <fmt/format.h>

#include "tools/audit/bars.h"
#include "tools/audit/text.h"
#include "tools/audit/words.h"
#include "tools/render/sanitise.h"
#include "tools/render/width.h"

namespace pievt::audit {
namespace {

constexpr std::size_t columns_most = 60, columns_least = 10;

// Steps that people can count with.
std::uint64_t step_for(std::uint64_t duration_ns, std::size_t columns) {
  constexpr std::uint64_t ms = 1'000'000, second = 1'000 * ms, minute = 60 * second;
  constexpr std::uint64_t steps[] = {
      ms,          2 * ms,      5 * ms,       10 * ms,      20 * ms,      50 * ms,
      100 * ms,    200 * ms,    500 * ms,     second,       2 * second,   5 * second,
      10 * second, 30 * second, minute,       2 * minute,   5 * minute,   10 * minute,
      30 * minute, 60 * minute, 120 * minute, 360 * minute, 1440 * minute};
  for (const std::uint64_t step : steps) {
    if (duration_ns / step < columns) return step;
  }
  return duration_ns / columns + 1;
}

std::string throttle_row(const RunStory& story, const Scale& scale) {
  std::string row;
  for (const story::Throttle& step : story.throttles) {
    const std::string text = fmt::format("#{} {}->{}", step.at.revision, step.from, step.to);
    const std::size_t at = scale.column(step.at.at_ns);
    // Two steps at one moment stand one behind the other.
    row.resize(std::max(at, row.empty() ? 0 : row.size() + 1), ' ');
    row += text;
    if (row.size() > scale.columns + 24) break;
  }
  return row;
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

// Where the bars begin: behind the longest id and the attempts.
struct Labels {
  std::size_t id = 8, attempts = 0;
  std::string text(std::string_view name, std::string_view tries, std::string_view mark) const {
    const auto width = static_cast<int>(id);
    return fmt::format(
        "  {}  {:<{}}  ",
        render::fill_to_width(render::cut_to_width(name, width, mark), width, render::Align::left),
        tries, attempts);
  }
  std::size_t width() const { return id + attempts + 6; }
};

class Picture {
 public:
  Picture(const RunReport& report, const RunStory& story, const TextStyle& style)
      : report_(report), story_(story), style_(style) {}

  std::string draw(const std::vector<const JobRow*>& chosen, std::uint64_t end_ns) {
    for (const JobRow* row : chosen) {
      const story::Job& job = story_.jobs[row->job - 1];
      labels_.id = std::max(
          labels_.id,
          std::min<std::size_t>(
              24, static_cast<std::size_t>(render::display_width(render::one_line(job.id)))));
      labels_.attempts = std::max<std::size_t>(labels_.attempts, job.attempts.size() < 2    ? 2
                                                                 : job.attempts.size() == 2 ? 5
                                                                                            : 7);
    }
    set_scale(end_ns);
    std::vector<ChartRow> rows;
    for (const JobRow* row : chosen)
      rows.push_back(job_row(story_, story_.jobs[row->job - 1], scale_));
    const bool utf8 = style_.terminal.utf8;
    mark_supervisors(story_, scale_, utf8, rows);
    std::string text = headed(axis_line(scale_, style_.zone, utf8));
    const auto curve = concurrency_curve(story_);
    for (std::size_t i = 0; i < rows.size(); ++i) add_row(text, rows[i], *chosen[i], curve);
    if (!story_.throttles.empty())
      text += labels_.text("throttle", "", "") + throttle_row(story_, scale_) + "\n";
    legend_ = chart_legend(rows, 98);
    return text;
  }

  std::string legend() const {
    std::string text;
    for (const std::string& line : legend_) text += "  " + line + "\n";
    return text + fmt::format("  1 column = {}   {} - {}\n",
                              span_text(static_cast<std::uint64_t>(scale_.column_ns())),
                              clock(scale_.from_ns), clock(end_ns_));
  }

 private:
  std::string clock(std::uint64_t at_ns) const {
    return render::clock_text(static_cast<std::int64_t>(at_ns), style_.zone);
  }

  void set_scale(std::uint64_t end_ns) {
    end_ns_ = end_ns;
    constexpr std::size_t behind = 26;  // the ending and how many ran at once
    std::size_t most = columns_most;
    if (style_.terminal.is_tty) {
      const auto width = static_cast<std::size_t>(std::max(style_.terminal.width, 20));
      most = std::clamp(width - std::min(width, labels_.width() + behind), columns_least, most);
    }
    const std::uint64_t duration = end_ns - report_.begin_ns;
    const std::uint64_t step = step_for(duration, most);
    scale_.from_ns = report_.begin_ns;
    scale_.columns = static_cast<std::size_t>(duration / step) + 1;
    scale_.to_ns = scale_.from_ns + scale_.columns * step;
    // Behind the longest bar with the longest word for its ending.
    at_once_at_ = labels_.width() + scale_.columns + 18;
  }

  std::string headed(const std::string& axis) const {
    const std::size_t before = std::max<std::size_t>(labels_.width(), 10);
    std::string line = render::styled(style_.terminal, render::Style::bold, "TIMELINE") +
                       std::string(before - 8, ' ') + axis;
    const auto used = before + static_cast<std::size_t>(render::display_width(axis));
    return line + std::string(at_once_at_ > used + 7 ? at_once_at_ - used - 7 : 2, ' ') +
           "at once\n";
  }

  void add_row(std::string& text, const ChartRow& row, const JobRow& job,
               std::span<const story::ConcurrencyStep> curve) const {
    std::size_t used = 0;
    text += labels_.text(row.label, row.attempts, style_.terminal.cut_mark());
    text += painted(style_.terminal, row, &used);
    used += labels_.width();
    text += fmt::format("{:>{}}\n", at_once(story_, story_.jobs[job.job - 1], curve),
                        at_once_at_ > used + 2 ? at_once_at_ - used : 2);
  }

  const RunReport& report_;
  const RunStory& story_;
  const TextStyle& style_;
  Labels labels_;
  Scale scale_;
  std::uint64_t end_ns_ = 0;
  std::size_t at_once_at_ = 0;
  std::vector<std::string> legend_;
};

}  // namespace

std::string timeline_text(const RunReport& report, const RunStory& story, const TextStyle& style,
                          std::size_t rows_max) {
  const std::uint64_t end = std::max(report.end_ns, story.last.at_ns);
  const auto rows = chosen_rows(report, rows_max);
  if (rows.empty() || end <= report.begin_ns) return "";
  Picture picture(report, story, style);
  std::string text = picture.draw(rows, end);
  std::size_t begun = 0;
  for (const JobRow& row : report.jobs) begun += row.attempts > 0 ? 1u : 0u;
  if (rows.size() < begun) {
    text += fmt::format("  and {} more jobs; pievt timeline {} draws all\n", begun - rows.size(),
                        report.short_id);
  }
  return text + picture.legend();
}

}  // namespace pievt::audit
