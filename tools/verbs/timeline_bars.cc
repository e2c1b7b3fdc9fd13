#include "tools/verbs/timeline_bars.h"

#include <algorithm>
#include <array>

#include "tools/render/sanitise.h"
#include "tools/verbs/timeline_chart.h"

namespace pievt::tools {

using render::Style;

std::string level_glyph(std::uint64_t value, std::uint64_t top, bool utf8) {
  if (value == 0) return " ";
  if (!utf8) return value > 9 ? "+" : std::string(1, static_cast<char>('0' + value));
  constexpr std::array blocks = {"\u2581", "\u2582", "\u2583", "\u2584",
                                 "\u2585", "\u2586", "\u2587", "\u2588"};
  const std::uint64_t level = (std::min(value, top) * blocks.size() + top - 1) / top;
  return blocks[level - 1];
}

namespace {

std::uint64_t end_of(const RunStory& story, const story::Job& job) {
  if (job.end() != nullptr) return job.end()->at.at_ns;
  return story.last.at_ns;
}

}  // namespace

ChartRow group_row(const RunStory& story, const std::vector<std::uint32_t>& jobs,
                   const std::string& label, const Scale& scale, bool utf8) {
  ChartRow row;
  row.label = render::one_line(label);
  row.cells.resize(scale.columns);
  row.start_ns = UINT64_MAX;
  std::vector<std::int64_t> change(scale.columns + 1);
  std::vector<bool> errors(scale.columns);
  std::uint64_t end = scale.from_ns;
  for (const std::uint32_t number : jobs) {
    const story::Job& job = story.jobs[number];
    end = std::max(end, end_of(story, job));
    for (const std::uint32_t place : job.attempts) {
      const story::Attempt& attempt = story.attempts[place];
      const story::Span ran = attempt.running();
      if (!ran.begin.known()) continue;
      const std::uint64_t to = ran.end.known() ? ran.end.at_ns : story.last.at_ns;
      if (to < scale.from_ns || ran.begin.at_ns > scale.to_ns) continue;
      ++change[scale.column(ran.begin.at_ns)];
      --change[scale.column(to) + 1];
      for (const story::Request& request : attempt.requests)
        if (request.failed && request.answered.at_ns >= scale.from_ns)
          errors[scale.column(request.answered.at_ns)] = true;
    }
  }
  std::vector<std::uint64_t> running(scale.columns);
  std::int64_t now = 0;
  for (std::size_t i = 0; i < scale.columns; ++i) {
    now += change[i];
    running[i] = static_cast<std::uint64_t>(std::max<std::int64_t>(now, 0));
  }
  const std::uint64_t top = std::max<std::uint64_t>(1, *std::ranges::max_element(running));
  for (std::size_t i = 0; i < scale.columns; ++i) {
    row.cells[i] = errors[i] ? ChartCell{"x", Style::bad}
                             : ChartCell{level_glyph(running[i], top, utf8), Style::plain};
  }
  const EndingWord word = audit::ending_word(story, story.jobs[jobs.front()]);
  row.ending = word.text;
  row.ending_style = word.style;
  row.bar_end = scale.column(end) + 1;
  return row;
}

}  // namespace pievt::tools
