#include "store/views/run_view.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include <fmt/format.h>

#include "pievt/schema/run_state_bfbs_generated.h"
#include "store/views/identity.h"
#include "store/views/run_clock.h"

namespace pievt {
namespace {

constexpr int view_version = 1;

Result<RunState> fold_on(RunState run, const Log& log, std::string_view run_id, Revision at) {
  auto reader = log.read_stream(run_stream(run_id), {run.revision + 1}, at);
  while (reader.next()) apply(run, reader.event());
  PIEVT_TRY(reader.status());
  return run;
}

}  // namespace

std::string run_stream(std::string_view run_id) {
  return fmt::format("run/{}", run_id);
}
std::string run_view_name(std::string_view run_id) {
  return fmt::format("run/{}", run_id);
}

std::string run_view_identity() {
  static const std::string identity =
      view_identity("run", view_version,
                    {state::RunStateBinarySchema::data(), state::RunStateBinarySchema::size()});
  return identity;
}

Result<RunState> fold_run(const Log& log, std::string_view run_id, Revision at) {
  RunState run = PIEVT_TRY(fold_on({}, log, run_id, at));
  if (run.revision == 0)
    return Error{Errc::not_found, fmt::format("no run {} in this store; see: pievt runs", run_id)};
  return run;
}

std::string run_milestone_prefix(std::string_view run_id) {
  return fmt::format("moment/{}", run_id);
}

std::string run_milestone_name(std::string_view run_id, Revision revision) {
  return fmt::format("{}@{}", run_milestone_prefix(run_id), revision.value);
}

namespace {

// A saved state where it may be used: made by this fold, and of events that are in the log.
Result<std::optional<RunState>> saved_run(const Log& log, const std::string& name, Revision at,
                                          Revision head) {
  const auto saved = PIEVT_TRY(log.load_checkpoint(name));
  // For a run the checkpoint's position is a revision of its own stream.
  if (!saved || saved->identity != run_view_identity() || saved->at.value > head.value ||
      (at.value != 0 && saved->at.value > at.value))
    return std::optional<RunState>();
  Result<RunState> run = run_state_from_bytes(saved->state);
  if (!run.ok() || run->revision != saved->at.value) return std::optional<RunState>();
  return std::optional(std::move(*run));
}

// The last state on the way that is kept of a moment in (after, at].
Result<std::optional<RunState>> nearest_milestone(const Log& log, std::string_view run_id,
                                                  Revision after, Revision at, Revision head) {
  for (std::uint64_t revision = at.value / milestone_events * milestone_events;
       revision > after.value; revision -= milestone_events) {
    auto run = PIEVT_TRY(saved_run(log, run_milestone_name(run_id, {revision}), {revision}, head));
    if (run) return run;
  }
  return std::optional<RunState>();
}

}  // namespace

Result<RunState> load_run(const Log& log, std::string_view run_id, Revision at) {
  const Revision head = PIEVT_TRY(log.stream_head(run_stream(run_id)));
  const Revision to = at.value == 0 ? head : std::min(at, head);
  auto saved = PIEVT_TRY(saved_run(log, run_view_name(run_id), at, head));
  // The newest state that was saved may be too new, or old: of a writer that died long since.
  const Revision reached{saved ? saved->revision : 0};
  if (to.value - reached.value >= milestone_events) {
    auto nearer = PIEVT_TRY(nearest_milestone(log, run_id, reached, to, head));
    if (nearer) saved = std::move(nearer);
  }
  return saved ? fold_on(std::move(*saved), log, run_id, at) : fold_run(log, run_id, at);
}

Status save_run_milestones(Log& log, std::string_view run_id) {
  const Revision head = PIEVT_TRY(log.stream_head(run_stream(run_id)));
  if (head.value < milestone_events) return {};
  RunState run = PIEVT_TRY(nearest_milestone(log, run_id, {}, head, head)).value_or(RunState());
  Revision kept{run.revision};
  const std::uint64_t first = (run.revision / milestone_events + 1) * milestone_events;
  for (Revision next{first}; next <= head; next.value += milestone_events) {
    run = PIEVT_TRY(fold_on(std::move(run), log, run_id, next));
    // Its event may have been lost to damage. A state is known by its own last event.
    if (run.revision != next.value) continue;
    std::vector<std::byte> bytes = to_bytes(run);
    if (bytes.size() > (next.value - kept.value) * milestone_bytes_per_event) continue;
    PIEVT_TRY(log.save_checkpoint(run_milestone_name(run_id, next),
                                  {run_view_identity(), {next.value}, std::move(bytes)}));
    kept = next;
  }
  return {};
}

Status save_run(Log& log, std::string_view run_id) {
  // The last of the states on the way is where the newest one is folded on from.
  PIEVT_TRY(save_run_milestones(log, run_id));
  PIEVT_TRY(save_run_clock(log, run_id));
  const RunState run = PIEVT_TRY(load_run(log, run_id));
  return log.save_checkpoint(run_view_name(run_id),
                             {run_view_identity(), {run.revision}, to_bytes(run)});
}

schema::Digest digest_of(const RunState& run) {
  const Digest digest = sha256(to_bytes(run));
  schema::Digest bytes;
  static_assert(sizeof(bytes) == sizeof(digest));
  std::memcpy(&bytes, digest.data(), sizeof(bytes));
  return bytes;
}

Result<Revision> revision_at(const Log& log, std::string_view run_id, Sequence at) {
  // Sequences grow with revisions, so halving finds it without reading the run.
  Revision low{}, high = PIEVT_TRY(log.stream_head(run_stream(run_id)));
  while (low.value < high.value) {
    const Revision middle{low.value + (high.value - low.value + 1) / 2};
    auto reader = log.read_stream(run_stream(run_id), middle, middle);
    const bool there = reader.next();
    PIEVT_TRY(reader.status());
    if (there && reader.event().sequence <= at) {
      low = middle;
    } else {
      high = {middle.value - 1};
    }
  }
  return low;
}

Result<Revision> revision_at(const Log& log, std::string_view run_id, std::uint64_t wall_ns) {
  Revision found = PIEVT_TRY(clock_before(log, run_id, wall_ns));
  auto reader = log.read_stream(run_stream(run_id), {found.value + 1});
  while (reader.next() && reader.event().time_ns() <= wall_ns) found = reader.event().revision();
  PIEVT_TRY(reader.status());
  return found;
}

}  // namespace pievt
