// What the same bytes cost without pievt: a plain file, and RocksDB by itself with the log's own
// options. Printed in the same run as our numbers, because a disk's speed changes from minute to
// minute.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "pievt/ids.h"

namespace pievt::bench {

/// Appends to a file: `write`, and for Durability::fsync `fdatasync`.
class PlainFile {
 public:
  explicit PlainFile(const std::filesystem::path& path);
  ~PlainFile();
  PlainFile(const PlainFile&) = delete;
  PlainFile& operator=(const PlainFile&) = delete;
  void append(std::string_view bytes, Durability durability);

 private:
  int fd_;
};

/// Puts one value under the next number.
class RawRocks {
 public:
  explicit RawRocks(const std::filesystem::path& directory);
  ~RawRocks();
  RawRocks(const RawRocks&) = delete;
  RawRocks& operator=(const RawRocks&) = delete;
  void append(std::string_view bytes, Durability durability);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Iterates over the pages of a closed store's own files and touches every cache line of every
/// value. Returns the bytes seen.
class RawScan {
 public:
  explicit RawScan(const std::filesystem::path& store);
  ~RawScan();
  RawScan(const RawScan&) = delete;
  RawScan& operator=(const RawScan&) = delete;
  std::uint64_t run() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pievt::bench
