// Reads a file to which a child appends, and gives its disk space back behind the reader.
//
// Children write to files and not to pipes: a child never waits for us, and nothing is lost when we
// die, because the next supervisor goes on at the offset the log knows. The file is the child's to
// write, so it is not trusted: a worker may cut it, replace it or link it elsewhere. That is found
// at the next look and is an error of the attempt, not of ours. It is not found when the file grew
// past our offset again meanwhile, or when bytes behind our offset were rewritten: those were read
// before. A write in the middle of what was not read yet is read as it stands.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include <sys/types.h>

#include "pievt/result.h"
#include "supervisor/process/fd.h"
#include "supervisor/process/limits.h"

namespace pievt::process {

/// Memory for reading, shared by all files of a loop: a thousand children do not need a thousand.
class ReadBuffer {
 public:
  // Not cleared: memory that no read reaches is never touched.
  ReadBuffer() : bytes_(std::make_unique_for_overwrite<Bytes>()) {}
  std::span<std::byte> bytes() { return *bytes_; }

 private:
  using Bytes = std::array<std::byte, limits::read_bytes_max>;
  std::unique_ptr<Bytes> bytes_;
};

enum class Release : std::uint8_t {
  released,     ///< disk space was given back
  deferred,     ///< too little to be worth a call, or known to be impossible
  unsupported,  ///< the file system cannot; told once, later calls say `deferred`
};

/// Owns the descriptor. Moves. Not for several threads at once.
class FollowFile {
 public:
  /// Opens `path` to be read from `offset` on. It must be a plain file of our user with one name,
  /// at least `offset` long, and not behind a symbolic link: Errc::not_found when it is absent,
  /// Errc::invalid for another kind or owner, Errc::corrupt when it is shorter than `offset`.
  static Result<FollowFile> open(const std::filesystem::path& path, std::uint64_t offset = 0);

  /// How many bytes are there and were not read yet. Fails as read_new does.
  Result<std::uint64_t> unread() const;

  /// The next bytes, at most `bytes_max` and at most what `buffer` holds; empty when there is
  /// nothing new. They are in `buffer`, valid until its next use. Errc::corrupt, with the offset,
  /// when the file was cut, replaced, removed or given a second name since it was opened; the
  /// error stays, and what was read before stands.
  Result<std::span<const std::byte>> read_new(ReadBuffer& buffer,
                                              std::size_t bytes_max = limits::read_bytes_max);

  /// The bytes from `offset` to where the next read begins, once more, or as many as `buffer`
  /// holds; they were read and not released. Errc::corrupt when they are gone.
  Result<std::span<const std::byte>> read_again(ReadBuffer& buffer, std::uint64_t offset) const;

  /// Bytes before `offset` are stored elsewhere, durably, and their disk space may go. Whole
  /// blocks go, a MiB or more at a time; the file keeps its size and its other bytes. Errc::invalid
  /// when `offset` was not read yet, Errc::io when the kernel fails.
  Result<Release> release_before(std::uint64_t offset);

  /// To arm a watch on.
  int fd() const { return fd_.get(); }
  const std::filesystem::path& path() const { return path_; }

  /// Where the next read begins.
  std::uint64_t offset() const { return offset_; }

  /// Whether the file system was found unable to give space back.
  bool keeps_space() const { return keeps_space_; }

 private:
  FollowFile(Fd fd, std::filesystem::path path, std::uint64_t offset)
      : fd_(std::move(fd)), path_(std::move(path)), offset_(offset) {}
  Result<std::uint64_t> checked_size() const;
  Result<std::size_t> read_at(std::span<std::byte> into, std::uint64_t offset) const;

  Fd fd_;
  std::filesystem::path path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  std::uint64_t offset_ = 0;
  std::uint64_t released_ = 0;
  bool keeps_space_ = false;
};

}  // namespace pievt::process
