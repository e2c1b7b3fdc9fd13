// Whether a writer could begin in a store as its files lie there: what it opens, makes and replaces
// first. Nothing is opened or made for it; LOCK in particular must not be, since closing a second
// descriptor of it would drop a lock of this process (store/log/writer_lock.h).
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "pievt/upkeep.h"
#include "store/log/owner.h"

namespace pievt {

/// What would keep a writer of this user out, a finding each; one line where nothing would.
std::vector<Diagnosis> examine_access(const std::filesystem::path& store);

/// Whether the process is one of ours to see, and stopped by a signal: it keeps its locks then.
bool is_stopped(const Owner& owner);

}  // namespace pievt
