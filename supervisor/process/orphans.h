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
Result<std::vector<pid_t>> reap_orphans(std::span<const pid_t> tracked);

/// Living children that are not in `tracked`: what some attempt left behind, also when it cleared
/// its environment and a sweep cannot know it. Errors are those of reading /proc.
Result<std::vector<pid_t>> living_orphans(std::span<const pid_t> tracked);

}  // namespace pievt::process
