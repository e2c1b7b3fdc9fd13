// Reading what is left of files. Pages are self-describing and carry their checksum, so one that is
// intact can be found wherever it lies: between damaged blocks of a table, or in a write-ahead log
// that no database would open any more.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string_view>

#include "pievt/result.h"

namespace pievt {

using PageSink = std::function<void(std::string_view page)>;

/// Gives every intact page that lies in `bytes`, at any offset, to `sink`.
void find_pages(std::span<const std::byte> bytes, const PageSink& sink);

/// The same for a file of a database's table: also inside its compressed blocks. io where it cannot
/// be read.
Status find_pages_in_table(const std::filesystem::path& file, const PageSink& sink);

struct LogFileSink {
  /// A whole record: one write, as it was made.
  std::function<void(std::string_view record)> record;
  /// What is left of one of which parts are damaged: a run of parts that follow each other.
  std::function<void(std::string_view parts)> fragment;
};

/// What was passed over in a write-ahead log.
struct LogFileDamage {
  std::uint64_t bytes_skipped = 0;
  std::uint64_t first_at = 0;  ///< offset of the first damage
};

/// Reads RocksDB's write-ahead log format (32 KiB blocks of checksummed parts), going on behind
/// damage with the next block. io where it cannot be read.
Result<LogFileDamage> read_log_file(const std::filesystem::path& file, const LogFileSink& sink);

}  // namespace pievt
