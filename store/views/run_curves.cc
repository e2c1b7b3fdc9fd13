#include "pievt/run_curves.h"

#include <algorithm>

#include "store/model/saturated.h"

namespace pievt::story {
namespace {

struct Change {
  Mark at;
  std::int32_t running = 0;
  std::uint32_t allowed = 0;
  bool throttles = false;
};

std::vector<Change> changes_of(const Run& run) {
  std::vector<Change> changes;
  for (const Attempt& attempt : run.attempts) {
    const Span span = attempt.running();
    if (attempt.job == 0 || !span.begin.known()) continue;
    changes.push_back({span.begin, 1, 0, false});
    if (span.end.known()) {
      Mark end = span.end;
      end.at_ns = std::max(end.at_ns, span.begin.at_ns);
      changes.push_back({end, -1, 0, false});
    }
  }
  for (const Throttle& throttle : run.throttles)
    changes.push_back({throttle.at, 0, throttle.to, true});
  std::ranges::sort(changes, [](const Change& a, const Change& b) {
    return std::pair(a.at.at_ns, a.at.revision) < std::pair(b.at.at_ns, b.at.revision);
  });
  return changes;
}

// What interrupts waiting for the model, each with its bounds.
struct Piece {
  std::uint64_t from_ns, to_ns;
  Phase phase;
  std::uint64_t begin_revision, end_revision;
};

constexpr std::uint64_t ms = 1'000'000;
constexpr std::uint64_t day_ms = 86'400'000;

std::vector<Piece> pieces_of(const Attempt& attempt, std::uint64_t until_ns) {
  std::vector<Piece> pieces;
  const auto add = [&](const Span& span, Phase phase) {
    if (!span.begin.known()) return;
    const std::uint64_t to = span.end.known() ? span.end.at_ns : until_ns;
    if (to > span.begin.at_ns) {
      pieces.push_back({span.begin.at_ns, to, phase, span.begin.revision,
                        span.end.known() ? span.end.revision : span.begin.revision});
    }
  };
  for (const ToolCall& call : attempt.tools) add(call.span, Phase::tool);
  for (const Compaction& compaction : attempt.compactions) add(compaction.span, Phase::compaction);
  for (const ProviderRetry& retry : attempt.retries) {
    std::uint64_t to = retry.began.at_ns + std::min(retry.delay_ms, day_ms) * ms;
    if (retry.heard.known()) to = std::min(to, retry.heard.at_ns);
    add({retry.began, {retry.began.revision, to}}, Phase::provider_wait);
  }
  // A record without a word of pi's own waits, as an imported one: whoever was answered with an
  // error asked again, and the wait and the request after it lie before the next answer.
  for (std::size_t i = 0; attempt.retries.empty() && i + 1 < attempt.requests.size(); ++i) {
    if (attempt.requests[i].failed)
      add({attempt.requests[i].answered, attempt.requests[i + 1].answered}, Phase::provider_wait);
  }
  if (!attempt.stops.empty()) add({attempt.stops.front().at, {}}, Phase::stopping);
  std::ranges::stable_sort(pieces, {}, &Piece::from_ns);
  return pieces;
}

}  // namespace

std::vector<ConcurrencyStep> concurrency_curve(const Run& run) {
  std::vector<ConcurrencyStep> curve;
  curve.push_back({run.planned.at_ns, run.planned.revision, 0, run.concurrency});
  for (const Change& change : changes_of(run)) {
    ConcurrencyStep step = curve.back();
    step.from_ns = std::max(change.at.at_ns, step.from_ns);
    step.revision = change.at.revision;
    if (change.throttles) {
      step.allowed = change.allowed;
    } else if (change.running > 0) {
      ++step.running;
    } else if (step.running > 0) {
      --step.running;
    }
    if (curve.back().from_ns == step.from_ns && curve.size() > 1) {
      curve.back() = step;
    } else {
      curve.push_back(step);
    }
  }
  return curve;
}

std::vector<RequestBucket> request_buckets(const Run& run, std::uint64_t width_ns) {
  const std::uint64_t begin = run.planned.at_ns;
  std::uint64_t end = std::max(begin, run.last.at_ns);
  for (const Attempt& attempt : run.attempts)
    for (const Request& request : attempt.requests) end = std::max(end, request.answered.at_ns);
  width_ns = std::max<std::uint64_t>({width_ns, 1, (end - begin) / (buckets_max - 1) + 1});
  std::vector<RequestBucket> buckets((end - begin) / width_ns + 1);
  for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i].from_ns = begin + i * width_ns;
  for (const Attempt& attempt : run.attempts) {
    for (const Request& request : attempt.requests) {
      const std::uint64_t at = std::max(begin, request.answered.at_ns);
      RequestBucket& bucket = buckets[(at - begin) / width_ns];
      ++(request.failed ? bucket.failed : bucket.ok);
      if (!request.spent.reported) {
        ++bucket.unreported;
        continue;
      }
      bucket.tokens += request.spent.total_tokens;
      bucket.cost_nanodollars =
          saturated_sum(bucket.cost_nanodollars, request.spent.cost_nanodollars);
    }
  }
  std::int64_t so_far = 0;
  for (RequestBucket& bucket : buckets)
    bucket.cost_so_far_nanodollars = so_far = saturated_sum(so_far, bucket.cost_nanodollars);
  return buckets;
}

std::string_view name_of(Phase phase) {
  switch (phase) {
    case Phase::starting:
      return "starting";
    case Phase::model:
      return "model";
    case Phase::tool:
      return "tool";
    case Phase::provider_wait:
      return "provider wait";
    case Phase::compaction:
      return "compaction";
    case Phase::stopping:
      return "stopping";
  }
  return "?";
}

std::vector<PhaseSpan> phases(const Attempt& attempt, std::uint64_t now_ns) {
  if (!attempt.launched.known()) return {};
  const Span running = attempt.running();
  const std::uint64_t begin = std::min(attempt.requested.at_ns, running.begin.at_ns);
  const std::uint64_t end = std::max(begin, running.end.known() ? running.end.at_ns : now_ns);
  std::vector<PhaseSpan> spans;
  std::uint64_t cursor = begin;
  std::uint64_t revision = attempt.requested.revision;
  const auto until = [&](Phase phase, std::uint64_t to) {
    to = std::min(to, end);
    if (to <= cursor) return;
    if (!spans.empty() && spans.back().phase == phase) {
      spans.back().to_ns = to;
    } else {
      spans.push_back({phase, cursor, to, revision});
    }
    cursor = to;
  };
  // Without pi's first line it was starting until something else was seen of it, or it ended.
  std::uint64_t started = attempt.session.known() ? attempt.session.at_ns : end;
  if (!attempt.session.known() && !attempt.turns.empty())
    started = std::min(started, attempt.turns.front().after.at_ns);
  const std::vector<Piece> pieces = pieces_of(attempt, end);
  if (!pieces.empty()) started = std::min(started, pieces.front().from_ns);
  until(Phase::starting, started);
  if (attempt.session.known()) revision = attempt.session.revision;
  for (const Piece& piece : pieces) {
    until(Phase::model, piece.from_ns);
    revision = piece.begin_revision;
    until(piece.phase, piece.to_ns);
    revision = piece.end_revision;
  }
  until(Phase::model, end);
  return spans;
}

}  // namespace pievt::story
