// RocksDB by itself: what the log's own library costs without the log.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "pievt/result.h"

namespace pievt::bench {

/// Iterates over the pages of a closed store's own files and touches every cache line of every
/// value.
class RawScan {
 public:
  static Result<RawScan> open(const std::filesystem::path& store);
  RawScan(RawScan&&) noexcept;
  RawScan& operator=(RawScan&&) = delete;
  ~RawScan();
  /// The bytes seen.
  Result<std::uint64_t> run() const;

 private:
  struct Impl;
  explicit RawScan(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pievt::bench
