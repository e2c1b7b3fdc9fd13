// See orphans.h.
#include "supervisor/process/orphans.h"

#include <algorithm>
#include <cerrno>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/process/proc_files.h"

namespace pievt::process {
namespace {

bool contains(std::span<const pid_t> pids, pid_t pid) {
  return std::ranges::find(pids, pid) != pids.end();
}

/// waitid() that is not interrupted. The ended child's number, 0 for none, -1 with errno.
pid_t ended_child(idtype_t kind, pid_t pid, int options) {
  siginfo_t info{};
  int done = 0;
  do {
    done = ::waitid(kind, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | options);
  } while (done != 0 && errno == EINTR);
  return done == 0 ? info.si_pid : -1;
}

// Whether a starter's; also where the kernel does not tell whose it is.
bool may_be_of(std::span<const pid_t> starters, pid_t pid) {
  return std::ranges::any_of(starters, [&](pid_t starter) {
    const Result<std::vector<pid_t>> children = list_children_of(starter);
    return !children.ok() || contains(*children, pid);
  });
}

}  // namespace

Status become_subreaper() {
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0) return {};
  return os_error("cannot become the parent of orphaned descendants", errno);
}

Result<std::vector<pid_t>> reap_orphans(std::span<const pid_t> tracked,
                                        std::span<const pid_t> starters) {
  std::vector<pid_t> reaped;
  for (;;) {
    const pid_t pid = ended_child(P_ALL, 0, WNOWAIT);  // looks, and leaves the zombie
    if (pid < 0 && errno != ECHILD) return os_error("cannot wait for orphans", errno);
    if (pid <= 0 || contains(tracked, pid) || may_be_of(starters, pid)) return reaped;
    // A starter may have taken it meanwhile: a child that could not become its program.
    if (ended_child(P_PID, pid, 0) >= 0)
      reaped.push_back(pid);
    else if (errno != ECHILD)
      return os_error("cannot wait for orphan " + std::to_string(pid), errno);
  }
}

Result<std::vector<pid_t>> other_children(std::span<const pid_t> tracked) {
  std::vector<pid_t> others = PIEVT_TRY(list_children_of(::getpid()));
  std::erase_if(others, [&](pid_t pid) { return contains(tracked, pid); });
  return others;
}

}  // namespace pievt::process
