// One complete look at all processes of a machine that goes on living meanwhile.
//
// A list of processes is old as soon as it was read. One that forks and ends in a loop has always
// moved on when its number in the list is looked at; one that is just executing a program has no
// environment for a moment. So a scan also looks at every number that was given since it began,
// until nothing new has come, and looks again at those that had no environment yet. Where it
// cannot come to rest it says so.
//
// A template over where the answers come from, so that a test can play a machine that forks at the
// worst moment.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <set>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "pievt/result.h"
#include "supervisor/process/limits.h"
#include "supervisor/process/proc_files.h"

namespace pievt::process {

/// What a scan asks. `look` says whether a process bears the marker; `pause` waits for
/// limits::exec_step_ms.
template <class T>
concept ProcessSource = requires(T source, pid_t pid) {
  { source.self() } -> std::same_as<pid_t>;
  { source.last_pid() } -> std::same_as<Result<pid_t>>;
  { source.processes() } -> std::same_as<Result<std::vector<pid_t>>>;
  { source.look(pid) } -> std::same_as<EnvironmentLook>;
  { source.may_be_ours(pid) } -> std::same_as<bool>;
  { source.pause() } -> std::same_as<void>;
};

struct ScanResult {
  std::size_t hidden = 0;  ///< processes of our user that could not be looked at
  bool complete = false;   ///< false: there may be processes that were not looked at
};

/// Calls `visit(pid)` for each process that bears the marker, save this one and process 1. A number
/// may be a thread's, and may be visited twice. When `visit` returns EnvironmentLook::not_yet it is
/// called again later. Errors are those of the source.
template <ProcessSource Source, class Visit>
Result<ScanResult> scan_processes(Source& source, Visit&& visit) {
  std::vector<pid_t> executing;
  std::set<pid_t> hidden;
  const auto look_at = [&](pid_t pid) {
    if (pid == source.self() || pid == 1) return;
    EnvironmentLook look = source.look(pid);
    if (look == EnvironmentLook::has) look = visit(pid);
    if (look == EnvironmentLook::hidden && source.may_be_ours(pid)) hidden.insert(pid);
    if (look == EnvironmentLook::not_yet) executing.push_back(pid);
  };

  ScanResult result;
  pid_t newest = PIEVT_TRY(source.last_pid());
  for (const pid_t pid : PIEVT_TRY(source.processes())) look_at(pid);
  for (std::size_t round = 0; round < limits::chase_rounds_max && !result.complete; ++round) {
    const pid_t last = PIEVT_TRY(source.last_pid());
    if (last < newest) break;  // the numbers began anew
    result.complete = last == newest;
    while (newest < last) look_at(++newest);
  }
  for (auto left = limits::exec_wait_ms; !executing.empty() && left > left.zero();
       left -= limits::exec_step_ms) {
    source.pause();
    for (const pid_t pid : std::exchange(executing, {})) look_at(pid);
  }
  hidden.insert(executing.begin(), executing.end());
  result.hidden = hidden.size();
  return result;
}

}  // namespace pievt::process
