// What the file system under a store can do, found out by doing it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "pievt/result.h"

namespace pievt {

enum class Ability : std::uint8_t { works, fails, not_tried };

struct FileSystemFacts {
  std::string
      type;  ///< "ext4", "overlay", "nfs"; a number in hexadecimal where it has no name here
  bool is_network = false;
  bool is_read_only = false;
  std::uint64_t bytes_total = 0;
  std::uint64_t bytes_free = 0;  ///< for this user
  std::uint64_t inodes_free = 0;
  Ability record_locks = Ability::not_tried;  ///< fcntl, which LOCK needs
  Ability flock = Ability::not_tried;         ///< on a directory, which the store needs
  Ability sync = Ability::not_tried;          ///< fsync of a file and of a directory
  Ability holes = Ability::not_tried;         ///< what is in the store leaves the live files
};

/// Looks at the file system of `directory` and, where it can be written, tries locks, sync and
/// holes on a file that has no name and is gone with its descriptor.
Result<FileSystemFacts> examine_file_system(const std::filesystem::path& directory);

}  // namespace pievt
