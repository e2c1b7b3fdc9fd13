#include "tools/audit/bars.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "tools/render/sanitise.h"
#include "tools/render/width.h"

namespace pievt::audit {

using render::Style;
using story::Phase;

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
  if (end->failure == schema::FailureKind::empty_final) text += " empty";
  if (!job.attempts.empty()) {
    const story::Attempt& last = story.attempts[job.attempts.back()];
    if (last.http_status != 0) text += fmt::format(" {}", last.http_status);
  }
  return {text, Style::bad};
}

namespace {

constexpr const char* failed_request = "x";
constexpr const char* failed_requests = "X";

ChartCell cell_of(Phase phase) {
  switch (phase) {
    case Phase::starting:
      return {"=", Style::dim};
    case Phase::model:
      return {"-", Style::plain};
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

bool shown(const Scale& scale, std::uint64_t at_ns) {
  return at_ns >= scale.from_ns && at_ns <= scale.to_ns;
}

void add_errors(ChartCells& cells, const Scale& scale, const story::Attempt& attempt) {
  for (const story::Request& request : attempt.requests) {
    if (!request.failed || !shown(scale, request.answered.at_ns)) continue;
    ChartCell& cell = cells[scale.column(request.answered.at_ns)];
    cell = {cell.stays ? failed_requests : failed_request, Style::bad, true};
  }
}

void add_gates(ChartCells& cells, const RunStory& story, const story::Job& job,
               const Scale& scale) {
  for (const story::Gate& gate : story.gates) {
    if (gate.job != job.number || !gate.span.end.known() || !shown(scale, gate.span.end.at_ns))
      continue;
    using schema::GateDecision;
    const bool met = gate.decision == GateDecision::passed ||
                     gate.decision == GateDecision::warned ||
                     gate.decision == GateDecision::approved;
    const bool unmet =
        gate.decision == GateDecision::failed || gate.decision == GateDecision::rejected ||
        gate.decision == GateDecision::expired || gate.decision == GateDecision::inconclusive;
    if (!met && !unmet) continue;  // nothing was asked: there was no contract, or no time for it
    std::size_t at = scale.column(gate.span.end.at_ns);
    while (at < cells.size() && cells[at].stays) ++at;
    if (at == cells.size()) cells.emplace_back();
    cells[at] = met ? ChartCell{"*", Style::good, true} : ChartCell{"#", Style::bad, true};
  }
}

std::string attempts_text(const story::Job& job) {
  const std::size_t count = job.attempts.size();
  if (count < 2) return count == 0 ? "" : "a1";
  return count == 2 ? "a1 a2" : fmt::format("a1-a{}", count);
}

}  // namespace

ChartRow job_row(const RunStory& story, const story::Job& job, const Scale& scale) {
  ChartRow row;
  row.label = render::one_line(job.id);
  row.attempts = attempts_text(job);
  row.cells.resize(scale.columns);
  for (const story::Wait& wait : job.waits) {
    const std::uint64_t to = wait.span.end.known() ? wait.span.end.at_ns : story.last.at_ns;
    if (wait.kind == story::WaitKind::slot)
      fill(row.cells, scale, wait.span.begin.at_ns, to, {"_", Style::dim});
    if (wait.kind == story::WaitKind::backoff)
      fill(row.cells, scale, wait.span.begin.at_ns, to, {":", Style::warn});
  }
  for (const std::uint32_t place : job.attempts) {
    const story::Attempt& attempt = story.attempts[place];
    add_phases(row.cells, scale, attempt, story.last.at_ns);
    // Calls shorter than a column would be invisible on a scale where each of them matters.
    if (scale.column_ns() > 1e9) continue;
    for (const story::ToolCall& call : attempt.tools)
      if (call.span.begin.known() && shown(scale, call.span.begin.at_ns))
        row.cells[scale.column(call.span.begin.at_ns)] = cell_of(Phase::tool);
  }
  for (const std::uint32_t place : job.attempts)
    add_errors(row.cells, scale, story.attempts[place]);
  add_gates(row.cells, story, job, scale);
  const EndingWord word = ending_word(story, job);
  row.ending = word.text;
  row.ending_style = word.style;
  row.bar_end = scale.column(job.end() != nullptr ? job.end()->at.at_ns : story.last.at_ns) + 1;
  for (std::size_t at = row.bar_end; at < row.cells.size(); ++at)
    if (row.cells[at].glyph != " ") row.bar_end = at + 1;
  return row;
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

std::uint32_t at_once(const RunStory& story, const story::Job& job,
                      std::span<const story::ConcurrencyStep> curve) {
  std::uint32_t most = 0;
  for (const std::uint32_t place : job.attempts) {
    const story::Span ran = story.attempts[place].running();
    if (!ran.begin.known()) continue;
    const std::uint64_t to = ran.end.known() ? ran.end.at_ns : story.last.at_ns;
    auto step =
        std::ranges::upper_bound(curve, ran.begin.at_ns, {}, &story::ConcurrencyStep::from_ns);
    if (step != curve.begin()) --step;
    for (; step != curve.end() && (step->from_ns < to || step->from_ns <= ran.begin.at_ns); ++step)
      most = std::max(most, step->running);
  }
  return most;
}

std::string painted(const render::Terminal& terminal, const ChartRow& row, std::size_t* width) {
  std::string line, piece;
  Style style = Style::plain;
  const auto flush = [&] {
    if (!piece.empty()) line += render::styled(terminal, style, piece);
    piece.clear();
  };
  std::size_t end = row.cells.size();
  while (end > 0 && row.cells[end - 1].glyph == " ") --end;
  if (!row.ending.empty()) end = std::max(end, row.bar_end);
  for (std::size_t i = 0; i < end; ++i) {
    if (i < row.cells.size() && row.cells[i].style != style) {
      flush();
      style = row.cells[i].style;
    }
    piece += i < row.cells.size() ? row.cells[i].glyph : " ";
  }
  flush();
  if (width != nullptr)
    *width =
        end +
        (row.ending.empty() ? 0 : 1 + static_cast<std::size_t>(render::display_width(row.ending)));
  if (row.ending.empty()) return line;
  return line + "|" + render::styled(terminal, row.ending_style, row.ending);
}

}  // namespace pievt::audit
