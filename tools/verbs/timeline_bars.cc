#include "tools/verbs/timeline_bars.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "tools/render/sanitise.h"
#include "tools/verbs/timeline_chart.h"

namespace pievt::tools {

using render::Style;
using story::Phase;

std::string level_glyph(std::uint64_t value, std::uint64_t top, bool utf8) {
  if (value == 0) return " ";
  if (!utf8) return value > 9 ? "+" : std::string(1, static_cast<char>('0' + value));
  constexpr std::array blocks = {"\u2581", "\u2582", "\u2583", "\u2584",
                                 "\u2585", "\u2586", "\u2587", "\u2588"};
  const std::uint64_t level = (std::min(value, top) * blocks.size() + top - 1) / top;
  return blocks[level - 1];
}

namespace {

ChartCell cell_of(Phase phase) {
  switch (phase) {
    case Phase::starting:
      return {":", Style::dim};
    case Phase::model:
      return {"=", Style::plain};
    case Phase::tool:
      return {"+", Style::good};
    case Phase::provider_wait:
      return {".", Style::warn};
    case Phase::compaction:
      return {"~", Style::dim};
    case Phase::stopping:
      return {"!", Style::bad};
  }
  return {};
}

void fill(ChartCells& cells, const Scale& scale, std::uint64_t from_ns, std::uint64_t to_ns,
          const ChartCell& with) {
  if (to_ns < scale.from_ns || from_ns > scale.to_ns || to_ns <= from_ns) return;
  const std::size_t last = scale.column(to_ns - 1);
  for (std::size_t at = scale.column(from_ns); at <= last; ++at) cells[at] = with;
}

// A column shows the phase that took most of it, so that a scale of minutes does not make a flood
// of short calls look like one long one.
void add_phases(ChartCells& cells, const Scale& scale, const story::Attempt& attempt,
                std::uint64_t now_ns) {
  std::size_t current = SIZE_MAX;
  std::array<std::uint64_t, 6> share{};
  const auto settle = [&] {
    if (current == SIZE_MAX) return;
    const auto most = std::ranges::max_element(share);
    if (*most > 0) cells[current] = cell_of(static_cast<Phase>(most - share.begin()));
    share.fill(0);
  };
  for (const story::PhaseSpan& span : phases(attempt, now_ns)) {
    std::uint64_t at = std::max(span.from_ns, scale.from_ns);
    const std::uint64_t to = std::min(span.to_ns, scale.to_ns);
    while (at < to) {
      const std::size_t column = scale.column(at);
      if (column != current) {
        settle();
        current = column;
      }
      std::uint64_t end = column + 1 < scale.columns ? scale.start_of(column + 1) : to;
      end = std::min(to, std::max(end, at + 1));
      share[static_cast<std::size_t>(span.phase)] += end - at;
      // What lies wholly inside the next columns needs no counting.
      at = end;
    }
  }
  settle();
}

void tick(ChartCells& cells, const Scale& scale, std::uint64_t at_ns, const ChartCell& with) {
  if (at_ns >= scale.from_ns && at_ns <= scale.to_ns) cells[scale.column(at_ns)] = with;
}

void add_attempt(ChartCells& cells, const RunStory& story, const story::Attempt& attempt,
                 const Scale& scale) {
  add_phases(cells, scale, attempt, story.last.at_ns);
  // Calls shorter than a column would be invisible on a scale where each of them matters.
  if (scale.column_ns() <= 1e9)
    for (const story::ToolCall& call : attempt.tools)
      if (call.span.begin.known()) tick(cells, scale, call.span.begin.at_ns, cell_of(Phase::tool));
  for (const story::Request& request : attempt.requests)
    if (request.failed) tick(cells, scale, request.answered.at_ns, {"x", Style::bad});
}

std::uint64_t end_of(const RunStory& story, const story::Job& job) {
  if (job.end() != nullptr) return job.end()->at.at_ns;
  return story.last.at_ns;
}

}  // namespace

ChartRow job_row(const RunStory& story, const story::Job& job, const Scale& scale, bool utf8) {
  (void)utf8;
  ChartRow row;
  row.label = render::one_line(job.id);
  if (job.attempts.size() > 1) row.label += fmt::format(" x{}", job.attempts.size());
  row.cells.resize(scale.columns);
  for (const story::Wait& wait : job.waits) {
    const std::uint64_t to = wait.span.end.known() ? wait.span.end.at_ns : story.last.at_ns;
    if (wait.kind == story::WaitKind::slot)
      fill(row.cells, scale, wait.span.begin.at_ns, to, {"_", Style::dim});
    if (wait.kind == story::WaitKind::backoff)
      fill(row.cells, scale, wait.span.begin.at_ns, to, {"-", Style::warn});
  }
  for (const std::uint32_t place : job.attempts)
    add_attempt(row.cells, story, story.attempts[place], scale);
  for (const story::Gate& gate : story.gates) {
    if (gate.job != job.number || !gate.span.end.known()) continue;
    const bool met = gate.decision == schema::GateDecision::passed ||
                     gate.decision == schema::GateDecision::warned ||
                     gate.decision == schema::GateDecision::approved;
    tick(row.cells, scale, gate.span.end.at_ns,
         met ? ChartCell{"*", Style::good} : ChartCell{"#", Style::bad});
  }
  const EndingWord word = ending_word(story, job);
  row.ending = word.text;
  row.ending_style = word.style;
  row.bar_end = scale.column(end_of(story, job)) + 1;
  return row;
}

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
  const EndingWord word = ending_word(story, story.jobs[jobs.front()]);
  row.ending = word.text;
  row.ending_style = word.style;
  row.bar_end = scale.column(end) + 1;
  return row;
}

}  // namespace pievt::tools
