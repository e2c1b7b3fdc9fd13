// LOCK: the file, the kernel's record lock on it, and the record in it of who has that lock.
//
// For writer_lock.cc, which says why opening and closing LOCK is a matter of the whole process.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <utility>

#include <sys/types.h>

#include <boost/interprocess/sync/file_lock.hpp>

#include "pievt/result.h"
#include "store/log/fd.h"
#include "store/log/owner.h"

namespace pievt {

inline constexpr const char* lock_name = "LOCK";

/// Device and inode.
using FileId = std::pair<dev_t, ino_t>;

struct LockFile {
  FileId id{};
  Fd fd;                                  ///< a second one: Boost's cannot be asked for its inode
  boost::interprocess::file_lock record;  ///< goes when any descriptor of the file is closed

  /// Opens LOCK in `directory`, or makes it, and tries once to lock it. Nothing when somebody else
  /// has it or replaced the file meanwhile. `store` is what the sentences call it.
  static Result<std::optional<LockFile>> take(int directory, const std::filesystem::path& store);

  /// Whether `path` is its name, and it has no other. Cheap; false says nothing.
  bool is_only_at(const std::filesystem::path& path) const;

  /// Whether it is what the name LOCK in `directory` means.
  Result<bool> is_in_place(int directory, const std::filesystem::path& store) const;

  /// Writes the record of its owner. no_space, io.
  Status sign(const Owner& owner, const std::filesystem::path& store) const;
};

/// Whom to ask for.
enum class LockSought : std::uint8_t {
  lock_file,     ///< who has LOCK; microseconds
  or_directory,  ///< or else who has the flock on the directory; some milliseconds
};

/// What the kernel and the record say of who has the lock of `directory`, whose id is `id`. Only
/// for a process that has no lock on LOCK: a descriptor is opened and closed.
std::optional<Owner> holder_of_lock(int directory, const FileId& id, LockSought sought);

}  // namespace pievt
