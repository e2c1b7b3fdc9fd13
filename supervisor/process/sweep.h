// Finds and ends what an attempt left running.
//
// pi's tools run in sessions of their own, and what they put into the background survives them:
// neither a process group nor a session holds an attempt together. Its environment does. Each
// child is started with PIEVT_ATTEMPT=<id>, every process hands its environment on, and /proc
// shows it. What a process changes in its own environment later is not seen there, which is what
// we want; what was *started* with a cleared one is not found (orphans.h finds that).
//
// Nothing is signalled but what bears the marker, and never this process or process 1. A process
// is opened as a pidfd before it is looked at for the last time, so a reused number cannot be hit.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "pievt/result.h"
#include "supervisor/process/fd.h"
#include "supervisor/process/limits.h"

namespace pievt::process {

/// The environment variable that names the attempt a process belongs to.
inline constexpr std::string_view marker_name = "PIEVT_ATTEMPT";

/// A process that bears the marker, as it was when it was found.
struct MarkedProcess {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;
  pid_t parent_pid = 0;
  std::string comm;     ///< the kernel's short name for it
  std::string command;  ///< the start of its command line; printable ASCII

  friend bool operator==(const MarkedProcess&, const MarkedProcess&) = default;
};

struct MarkedProcesses {
  std::vector<MarkedProcess> found;  ///< ascending by number

  /// Processes of our user whose environment we may not read or that did not get one in time, this
  /// one and process 1 excepted. They may or may not belong to the attempt.
  std::size_t hidden = 0;

  /// False: new processes appeared as fast as they were looked at, or their numbers began anew
  /// meanwhile. There may be more than were found.
  bool complete = false;
};

/// Looks once through all processes. Errc::invalid when `attempt` is empty or holds a NUL.
Result<MarkedProcesses> find_marked(std::string_view attempt);

/// A process that was sent SIGKILL, and the descriptor that tells of its end.
struct KilledProcess {
  MarkedProcess process;
  Fd pidfd;
};

struct KillRound {
  std::vector<KilledProcess> killed;
  std::vector<MarkedProcess> refused;  ///< the kernel did not let us signal them
  std::size_t hidden = 0;              ///< as of MarkedProcesses
  bool complete = false;
};

/// Looks once through all processes and kills each marked one as soon as it is found: that is the
/// only way to catch up with one that forks. (It is stopped first, so that it can be described
/// before it is gone.) Does not wait for their ends.
Result<KillRound> kill_marked(std::string_view attempt);

struct SweepLimits {
  std::size_t rounds_max = limits::sweep_rounds_max;
  std::chrono::milliseconds deadline_ms = limits::sweep_deadline_ms;
};

struct SweepReport {
  std::vector<MarkedProcess> killed;     ///< have ended
  std::vector<MarkedProcess> survivors;  ///< still there: hang in the kernel, took other rights,
                                         ///< or forked faster than we could follow
  std::size_t hidden = 0;                ///< of the last look
  bool complete = false;                 ///< of the last look: false, there may be more survivors
  std::size_t rounds = 0;
};

/// Kills until two complete looks in a row find nothing, or the limits are reached. Blocks,
/// normally for some milliseconds; kill_marked() is its parts for who would rather wait in a loop
/// of his own. What was killed and was our descendant becomes an orphan to reap (reap_orphans).
Result<SweepReport> sweep(std::string_view attempt, const SweepLimits& bounds = {});

}  // namespace pievt::process
