// Descendants whose parents have died come to us instead of to init, so that none becomes a zombie
// for ever and none is forgotten.
#pragma once

#include <span>
#include <vector>

#include <sys/types.h>

#include "pievt/result.h"

namespace pievt::process {

/// Makes this process the parent of its orphaned descendants, for its lifetime.
Status become_subreaper();

/// Frees ended children that are not in `tracked` and returns their numbers. `tracked` names every
/// child whose end somebody else will ask for; those are left as they are. The kernel shows ended
/// children one at a time in its own order, so an orphan behind an ended tracked child waits until
/// that one was reaped: call this once a turn, after the tracked ones.
///
/// `starters` are threads whose children are all tracked, also those nobody has heard of yet
/// (Starter::threads). An orphan never becomes theirs: it goes to the first thread of the process.
Result<std::vector<pid_t>> reap_orphans(std::span<const pid_t> tracked,
                                        std::span<const pid_t> starters = {});

/// The first thread's children that are not in `tracked`, ended ones that nobody reaped yet among
/// them: what a child left behind when it ended, also what cleared its environment, for its orphans
/// become ours, and that thread's. None means that nothing is left of the children that have ended,
/// without a look at every process there is.
///
/// To be called by the thread that reaps: the kernel's list is whole as long as nobody takes
/// children off it meanwhile. Errc::not_found where the kernel keeps no such list
/// (CONFIG_PROC_CHILDREN), and then nothing is known; otherwise the errors of reading /proc.
Result<std::vector<pid_t>> other_children(std::span<const pid_t> tracked);

}  // namespace pievt::process
