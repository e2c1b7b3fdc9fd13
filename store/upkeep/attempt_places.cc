#include "store/upkeep/attempt_places.h"

#include <algorithm>
#include <map>

#include <unistd.h>

#include <fmt/format.h>

#include "store/log/writer_lock.h"

namespace pievt {
namespace {

namespace fs = std::filesystem;

// What attempts that serve the run itself have for a job's name.
constexpr const char* probe_job = "_probe";

// Of one run: `<job>/<n>`, and whether the attempt is over and nothing of it lives.
using KnownAttempts = std::map<std::string, bool>;

KnownAttempts attempts_of(const RunState& run, std::uint64_t& open) {
  KnownAttempts known;
  const auto add = [&](const std::string& job, const auto& attempts) {
    for (const auto& attempt : attempts) {
      const bool classified = attempt->phase == state::AttemptPhase::classified;
      open += classified ? 0u : 1u;
      known[fmt::format("{}/{}", job, attempt->number)] = classified && attempt->survivors == 0;
    }
  };
  add(probe_job, run.attempts);
  for (const auto& job : run.jobs) add(job->id, job->attempts);
  return known;
}

std::vector<fs::path> content_of(const fs::path& directory) {
  std::vector<fs::path> content;
  std::error_code failed;
  for (fs::directory_iterator at(directory, failed), end; !failed && at != end;
       at.increment(failed))
    content.push_back(at->path());
  return content;
}

}  // namespace

AttemptPlaces find_attempt_places(const fs::path& store, const Log& log, const RunList& runs) {
  AttemptPlaces places;
  std::map<std::string, bool> finished;
  for (const auto& summary : runs.runs)
    finished[summary->run_id] = summary->phase == state::RunPhase::finished;
  std::map<std::string, KnownAttempts> known;
  const auto load = [&](const std::string& run) {
    if (auto state = load_run(log, run); state.ok()) known[run] = attempts_of(*state, places.open);
  };
  for (const auto& [run, is_finished] : finished)
    if (!is_finished) load(run);
  for (const fs::path& run : content_of(store / "attempts")) {
    const std::string run_id = run.filename().string();
    if (!finished.contains(run_id)) {
      places.unknown.push_back(run);
      continue;
    }
    if (!known.contains(run_id)) load(run_id);
    for (const fs::path& job : content_of(run)) {
      for (const fs::path& attempt : content_of(job)) {
        ++places.directories;
        // Of a run that cannot be read nothing is said to be unknown.
        if (!known.contains(run_id)) continue;
        const auto found = known[run_id].find(
            fmt::format("{}/{}", job.filename().string(), attempt.filename().string()));
        if (found == known[run_id].end()) {
          places.unknown.push_back(attempt);
        } else if (found->second) {
          ++places.judged;
        }
      }
    }
  }
  return places;
}

std::vector<SupervisedRun> find_supervised(const fs::path& store) {
  const Owner self = this_process("");
  std::vector<SupervisedRun> found;
  for (const fs::path& run : content_of(store / "attempts")) {
    const auto owner = WriterLock::current_owner(run);
    if (!owner) continue;
    const bool is_self = owner->pid == self.pid && owner->pid_namespace == self.pid_namespace &&
                         owner->start_ticks == self.start_ticks;
    if (!is_self) found.push_back({run.filename().string(), *owner});
  }
  std::ranges::sort(found, {}, &SupervisedRun::run);
  return found;
}

}  // namespace pievt
