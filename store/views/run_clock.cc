#include "store/views/run_clock.h"

#include <algorithm>

#include <fmt/format.h>

#include "pievt/bytes.h"
#include "store/format/keys.h"
#include "store/views/run_view.h"

namespace pievt {
namespace {

Result<RunClock> saved_clock(const Log& log, std::string_view run_id, Revision head) {
  const auto saved = PIEVT_TRY(log.load_checkpoint(run_clock_name(run_id)));
  if (!saved || saved->identity != run_clock_identity || saved->at.value > head.value)
    return RunClock();
  RunClock clock = RunClock::from(saved->state);
  return clock.at() == Revision{saved->at.value} ? clock : RunClock();
}

}  // namespace

RunClock RunClock::from(std::span<const std::byte> state) {
  RunClock clock;
  if (state.size() % sizeof(std::uint64_t) != 0) return clock;
  for (std::size_t at = 0; at < state.size(); at += sizeof(std::uint64_t))
    clock.latest_.push_back(format::get_u64(text_of(state), at).value_or(0));
  if (!clock.latest_.empty()) clock.so_far_ = clock.latest_.back();
  return clock;
}

std::vector<std::byte> RunClock::to_bytes() const {
  std::string bytes;
  for (const std::uint64_t time : latest_) format::put_u64(bytes, time);
  const auto state = bytes_of(bytes);
  return {state.begin(), state.end()};
}

void RunClock::event(Revision revision, std::uint64_t time_ns) {
  reach({revision.value - 1});
  so_far_ = std::max(so_far_, time_ns);
  reach(revision);
}

void RunClock::reach(Revision revision) {
  while (at().value + clock_step_events <= revision.value) latest_.push_back(so_far_);
}

std::string run_clock_name(std::string_view run_id) {
  return fmt::format("clock/{}", run_id);
}

Status save_run_clock(Log& log, std::string_view run_id) {
  const Revision head = PIEVT_TRY(log.stream_head(run_stream(run_id)));
  if (head.value < milestone_events) return {};
  RunClock clock = PIEVT_TRY(saved_clock(log, run_id, head));
  const Revision end{head.value / clock_step_events * clock_step_events};
  if (clock.at() == end) return {};
  auto reader = log.read_stream(run_stream(run_id), {clock.at().value + 1}, end);
  while (reader.next()) clock.event(reader.event().revision(), reader.event().time_ns());
  PIEVT_TRY(reader.status());
  clock.reach(end);
  return log.save_checkpoint(
      run_clock_name(run_id),
      {std::string(run_clock_identity), {clock.at().value}, clock.to_bytes()});
}

Result<Revision> clock_before(const Log& log, std::string_view run_id, std::uint64_t wall_ns) {
  const Revision head = PIEVT_TRY(log.stream_head(run_stream(run_id)));
  const RunClock clock = PIEVT_TRY(saved_clock(log, run_id, head));
  const std::vector<std::uint64_t>& latest = clock.latest();
  const auto later = std::ranges::upper_bound(latest, wall_ns);
  return Revision{static_cast<std::uint64_t>(later - latest.begin()) * clock_step_events};
}

}  // namespace pievt
