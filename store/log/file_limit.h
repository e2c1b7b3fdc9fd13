// Room for the files of a large log. RocksDB keeps each of them open, and a reader must: what the
// writer compacts away is gone from the directory while it is still read.
#pragma once

#include <filesystem>

#include "pievt/result.h"

namespace pievt {

/// Raises the process's soft limit of open files, up to the hard one, where the log in `directory`
/// needs it; a small log leaves it alone. Errc::io, with what to raise, where the hard limit is too
/// low. A directory that is not there needs nothing. Opening a large log takes half the time when
/// this is called before the process has threads.
Status make_room_for_files(const std::filesystem::path& directory);

}  // namespace pievt
