#include "store/views/run_clock.h"

#include <algorithm>

#include <fmt/format.h>

#include "pievt/bytes.h"
#include "store/format/keys.h"
#include "store/views/run_view.h"

namespace pievt {
namespace {

// The latest time up to each step, in order.
using Latest = std::vector<std::uint64_t>;

Result<Latest> saved_clock(const Log& log, std::string_view run_id, Revision head) {
  const auto saved = PIEVT_TRY(log.load_checkpoint(run_clock_name(run_id)));
  if (!saved || saved->identity != run_clock_identity || saved->at.value > head.value ||
      saved->state.size() / 8 * clock_step_events != saved->at.value)
    return Latest();
  Latest latest;
  for (std::size_t at = 0; at < saved->state.size(); at += 8)
    latest.push_back(format::get_u64(text_of(saved->state), at).value_or(0));
  return latest;
}

}  // namespace

std::string run_clock_name(std::string_view run_id) {
  return fmt::format("clock/{}", run_id);
}

Status save_run_clock(Log& log, std::string_view run_id) {
  const Revision head = PIEVT_TRY(log.stream_head(run_stream(run_id)));
  if (head.value < milestone_events) return {};
  Latest latest = PIEVT_TRY(saved_clock(log, run_id, head));
  const std::uint64_t begin = latest.size() * clock_step_events;
  const std::uint64_t end = head.value / clock_step_events * clock_step_events;
  if (begin == end) return {};
  std::uint64_t so_far = latest.empty() ? 0 : latest.back();
  // Not every revision must be there: events may have been lost.
  const auto reach = [&](std::uint64_t revision) {
    while ((latest.size() + 1) * clock_step_events <= revision) latest.push_back(so_far);
  };
  auto reader = log.read_stream(run_stream(run_id), {begin + 1}, {end});
  while (reader.next()) {
    const EventView& event = reader.event();
    reach(event.revision().value - 1);
    so_far = std::max(so_far, event.time_ns());
  }
  PIEVT_TRY(reader.status());
  reach(end);
  std::string bytes;
  for (const std::uint64_t time : latest) format::put_u64(bytes, time);
  const auto state = std::as_bytes(std::span(bytes));
  return log.save_checkpoint(run_clock_name(run_id), {std::string(run_clock_identity),
                                                      {latest.size() * clock_step_events},
                                                      {state.begin(), state.end()}});
}

Result<Revision> clock_before(const Log& log, std::string_view run_id, std::uint64_t wall_ns) {
  const Revision head = PIEVT_TRY(log.stream_head(run_stream(run_id)));
  const Latest latest = PIEVT_TRY(saved_clock(log, run_id, head));
  const auto later = std::ranges::upper_bound(latest, wall_ns);
  return Revision{static_cast<std::uint64_t>(later - latest.begin()) * clock_step_events};
}

}  // namespace pievt
