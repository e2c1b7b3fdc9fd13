// The files of a store directory and the text file STORE, which says what it is.
//
//   STORE      "pievt store", then `id:` and `format:` lines; written once, before anything else
//   LOCK       writer lock and owner record
//   HEAD       last committed sequence, a hint
//   log/       RocksDB
//   attempts/  live files of running attempts
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "pievt/result.h"

namespace pievt {

inline constexpr std::uint32_t store_format_version = 1;

struct StoreIdentity {
  std::string id;  ///< a UUID, as text
  std::uint32_t format_version = store_format_version;

  /// The id's 16 bytes, and the first 8 of them as pages carry them.
  std::array<std::byte, 16> bytes() const;
  std::uint64_t short_id() const;
};

inline std::filesystem::path log_directory(const std::filesystem::path& store) {
  return store / "log";
}

/// What to do with a file that is there already.
enum class Existing : std::uint8_t { replace, keep };

/// Reads STORE. not_found: no store there. too_new: a later format. corrupt: not a STORE file.
Result<StoreIdentity> read_identity(const std::filesystem::path& store);

/// Makes the directory (0700) with its STORE file (0600), durably, unless there is one already.
Result<StoreIdentity> create_store(const std::filesystem::path& store);

/// Writes the STORE file of `identity` into the directory `store`, durably.
Status write_identity(const std::filesystem::path& store, const StoreIdentity& identity,
                      Existing existing = Existing::replace);

/// The file that makes a store a backup: only `pievt backup` adds to it.
inline constexpr const char* backup_marker = "BACKUP";

/// Errc::invalid where `store` is a backup: whoever wrote to it would part it from what it is a
/// copy of.
Status refuse_backup(const std::filesystem::path& store);

/// What a writer leaves when it found an index damaged in the middle of its work: the reason, for
/// people. The next one makes the indexes anew before it begins.
inline constexpr const char* damage_marker = "DAMAGED";

/// Finds a store from `start` upwards, like .git: the nearest directory that has `.pievt/STORE`.
Result<std::filesystem::path> find_store(const std::filesystem::path& start);

/// Makes the directory for its owner alone (0700), or makes one that is there so: a store holds
/// prompts and outputs. One of somebody else stays as it is, for opening it to fail or not.
Status make_private_directory(const std::filesystem::path& directory);

/// Makes the names in `directory` durable: what was created, renamed or removed there.
Status sync_directory(const std::filesystem::path& directory);

/// Makes the write-ahead logs in `log` durable, and their names. For a writer that takes over: what
/// the one before it had given to the kernel only, it is about to build on, and RocksDB never syncs
/// a write-ahead log that it has recovered from.
Status sync_write_ahead_logs(const std::filesystem::path& log);

/// How many files of the log in `log` may hold events: tables, and write-ahead logs that are not
/// empty. RocksDB makes the first of them when the log is complete.
std::size_t files_with_events(const std::filesystem::path& log);

/// Writes a file so that after a crash it is either absent or whole: temporary file, fsync, rename,
/// fsync of the directory. `keep`: a file that is there already stays as it is, also when it came
/// at the same moment.
Status write_file_atomically(const std::filesystem::path& path, std::string_view content,
                             unsigned mode, Existing existing = Existing::replace);

}  // namespace pievt
