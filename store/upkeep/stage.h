// A directory in which something is made until it is whole, and in which one process at a time is
// at work.
//
// Who is there is the kernel's word: the stage is held by the writer's lock (store/log/
// writer_lock.h) in the directory itself, which goes with its process, also by SIGKILL, and which a
// stopped process keeps. So what lies in a stage that could be taken belongs to nobody any more,
// and may be gone on with or removed.
//
// A stage changes its name when it is published, and goes when its maker gives up. Whoever waited
// for it then holds the lock of a directory that is something else by now; take() looks whether the
// name still means what was locked.
#pragma once

#include <filesystem>
#include <string_view>

#include "pievt/result.h"
#include "store/log/writer_lock.h"

namespace pievt {

class Stage {
 public:
  /// Makes the directory where it is not there, and takes it for `program`. busy: somebody else
  /// works in it; the sentence says who. invalid: a symbolic link, which would lead elsewhere.
  static Result<Stage> take(const std::filesystem::path& directory, std::string_view program);

  const std::filesystem::path& path() const { return path_; }

  /// Whether nothing but its lock is in it.
  Result<bool> is_new() const;

  /// Removes what is in it, but its lock.
  Status clear() const;

  /// Removes it with all that is in it.
  Status remove() const;

  /// Gives it the name `to`, at once and durably. invalid: something else has that name by now.
  Status publish(const std::filesystem::path& to) const;

 private:
  Stage(std::filesystem::path path, WriterLock lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  std::filesystem::path path_;
  WriterLock lock_;
};

/// What of a directory is no content: the lock of whoever works or worked there.
bool is_lock_file(const std::filesystem::path& file);

}  // namespace pievt
