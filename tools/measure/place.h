// Where things are measured, and what is measured against: a directory that is gone afterwards, a
// plain file, and the facts of the machine that a number means nothing without.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "pievt/ids.h"
#include "pievt/result.h"

namespace pievt::measure {

/// A directory that is removed with everything in it when this goes out of scope. Movable.
class ScratchDirectory {
 public:
  /// Makes one below `parent`, which must exist. io, where that is not possible.
  static Result<ScratchDirectory> make(const std::filesystem::path& parent);
  ScratchDirectory(ScratchDirectory&&) noexcept;
  ScratchDirectory& operator=(ScratchDirectory&&) = delete;
  ~ScratchDirectory();
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit ScratchDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

/// While it lives, Ctrl-C and TERM wait: measuring ends at the next step, what was made is removed,
/// and then the signal does what it always does. Made before any thread, which would get it.
class HeldSignals {
 public:
  HeldSignals();
  ~HeldSignals();
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;
  /// One is waiting.
  static bool waiting();
};

/// Appends `appends` events to the store, one at a time and as far as the kernel, and copies it to
/// `image` while the writer still lives: what a killed writer leaves behind is what its files are
/// then. The writer is closed.
Status image_of_killed_writer(const std::filesystem::path& store,
                              const std::filesystem::path& image, std::size_t appends);

/// Appends to a file: `write`, and for Durability::fsync `fdatasync`: the least that being durable
/// can cost.
class PlainFile {
 public:
  static Result<PlainFile> create(const std::filesystem::path& path);
  PlainFile(PlainFile&& other) noexcept;
  PlainFile& operator=(PlainFile&&) = delete;
  ~PlainFile();
  Status append(std::string_view bytes, Durability durability) const;

 private:
  explicit PlainFile(int fd) : fd_(fd) {}
  int fd_;
};

struct Machine {
  std::string processor;
  unsigned processors = 0;
  std::uint64_t memory_bytes = 0;
  std::string kernel;
  std::string file_system;  ///< "ext4 on /dev/vda"
  double load = 0;          ///< how many others wanted a processor in the last minute
};

/// What /proc says of this machine and of the file system of `directory`; unknown facts are empty.
Machine this_machine(const std::filesystem::path& directory);

}  // namespace pievt::measure
