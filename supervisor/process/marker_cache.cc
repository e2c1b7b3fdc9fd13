// See marker_cache.h.
#include "supervisor/process/marker_cache.h"

#include <optional>
#include <utility>

#include "supervisor/process/limits.h"
#include "supervisor/process/proc_files.h"
#include "supervisor/process/sweep.h"

namespace pievt::process {
namespace {

// On its way out a process loses its memory, and its environment with it, before it is a zombie.
bool has_ended(const ProcStat& stat) {
  return stat.state == 'Z' || stat.state == 'X' || stat.memory_bytes == 0;
}

// One that has ended belongs to where its parent does.
std::optional<std::string> marker_of(pid_t pid, const ProcStat& stat) {
  if (!has_ended(stat)) {
    if (auto marker = environment_value(pid, marker_name)) return marker;
    // Perhaps it has ended since.
    const Result<ProcStat> now = read_stat(pid);
    if (!now.ok() || !has_ended(*now)) return std::nullopt;
  }
  return environment_value(stat.parent_pid, marker_name);
}

}  // namespace

const MarkerCache::Bearer* MarkerCache::find(pid_t pid, Moment now) {
  const auto found = known_.find(pid);
  if (found != known_.end() && now - found->second.looked_at < limits::pid_trust_ms)
    return &found->second.bearer;
  Result<ProcStat> stat = read_stat(pid);
  if (!stat.ok()) {
    if (found != known_.end()) known_.erase(found);
    return nullptr;
  }
  const bool same = found != known_.end() && found->second.start_ticks == stat->start_ticks;
  // A marker stays; a process without one may since have executed a program that was given one.
  if (same && !found->second.bearer.attempt.empty()) {
    found->second.looked_at = now;
    return &found->second.bearer;
  }
  const std::optional<std::string> marker = marker_of(pid, *stat);
  if (!marker) return nullptr;
  if (known_.size() >= limits::known_processes_max) make_room(now);
  Known& known = known_[pid];
  known = {{*marker, std::move(stat->comm)}, stat->start_ticks, now};
  return &known.bearer;
}

void MarkerCache::make_room(Moment now) {
  std::erase_if(known_, [&](const auto& item) {
    return now - item.second.looked_at >= limits::pid_trust_ms;
  });
  if (known_.size() >= limits::known_processes_max) known_.clear();
}

}  // namespace pievt::process
