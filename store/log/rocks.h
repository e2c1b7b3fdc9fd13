// RocksDB, seen through the few things the log needs of it. No other file includes its headers.
//
// Two ways to open: as the writer, or as a secondary that follows a writer's files and never
// writes. Never "read-only" on a live store: measured, 9 % of such opens end in a false corruption.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/ids.h"
#include "pievt/result.h"

namespace pievt {

enum class Family : std::uint8_t { log, streams, ids, index, projections, blobs, schemas, meta };
inline constexpr std::size_t family_count = 8;

class Rocks;

/// Puts and deletes that become visible together. Made for one Rocks and valid as long as it.
class WriteSet {
 public:
  explicit WriteSet(const Rocks& rocks);
  WriteSet(WriteSet&&) noexcept;
  WriteSet& operator=(WriteSet&&) noexcept;
  ~WriteSet();

  void put(Family family, std::string_view key, std::string_view value);
  void remove(Family family, std::string_view key);

 private:
  friend class Rocks;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class Rocks {
 public:
  /// A place in one family. Sees the state of the moment it was made. Keys and values are valid
  /// until it moves.
  class Cursor {
   public:
    Cursor(Cursor&&) noexcept;
    Cursor& operator=(Cursor&&) noexcept;
    ~Cursor();

    void seek(std::string_view key);           ///< to the first key >= `key`
    void seek_for_prev(std::string_view key);  ///< to the last key <= `key`
    void seek_to_last();
    void next();
    void prev();
    bool valid() const;
    std::string_view key() const;
    std::string_view value() const;
    /// Why it is not valid: ok at the end, corrupt or io otherwise.
    Status status() const;

    struct Impl;
    explicit Cursor(std::unique_ptr<Impl> impl);

   private:
    std::unique_ptr<Impl> impl_;
  };

  enum class Create : std::uint8_t { never, if_missing };
  /// What becomes of tables and write-ahead logs that RocksDB has no more use for: they go, as soon
  /// as it has opened, or stay until settle().
  enum class Superfluous : std::uint8_t { goes, stays };
  /// corrupt: what is there is not what was written, and none of it was removed or changed for the
  /// worse.
  static Result<Rocks> open_writer(const std::filesystem::path& directory, Create create,
                                   Superfluous superfluous = Superfluous::goes);
  static Result<Rocks> open_reader(const std::filesystem::path& directory);
  /// An empty one without any file, for what can be made again.
  static Result<Rocks> open_in_memory();

  Rocks(Rocks&&) noexcept;
  Rocks& operator=(Rocks&&) noexcept;
  ~Rocks();

  /// Writes atomically, at least as durable as asked. After an error nothing more can be written.
  Status write(WriteSet&& set, Durability durability);

  /// Hands everything written so far to the kernel, or to the disk.
  Status flush_wal(Durability durability);

  /// Empties the write-ahead log into tables in the background.
  Status start_flush();

  Result<std::optional<std::string>> get(Family family, std::string_view key) const;

  enum class Fill : std::uint8_t { cache, scan };
  /// `scan`: the blocks read are not kept, and are read ahead.
  Cursor cursor(Family family, Fill fill = Fill::cache) const;

  /// Reader: applies what the writer has written since.
  Status catch_up();

  /// Reads every block of every table file and compares its checksum, also where no query leads.
  Status verify_files() const;

  /// Merges the files of one family, which gives the room of what was removed back.
  Status compact(Family family);

  /// Where it lies; empty for one without files.
  std::filesystem::path directory() const;

  /// The store it is the log of, for what is said of it.
  std::filesystem::path store() const { return directory().parent_path(); }

  /// What the files of one family take on the disk, as far as they have been written.
  std::uint64_t bytes_of(Family family) const;

  /// Flushes and closes; for a writer in good order.
  Status close();

  /// Whoever has opened it as the writer has found in it what should be there, and what is
  /// superfluous goes. Until then it may have what is missing; close() settles too.
  void settle();

  struct Impl;

 private:
  friend class WriteSet;
  explicit Rocks(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Entries of single files, for those who read what is left of a damaged database. Opens the files
/// for reading and needs nothing else of the database.
using EntrySink = std::function<void(Family family, std::string_view key, std::string_view value)>;

/// Gives every entry of a table file (`*.sst`) to `sink`, in order. An error ends it, and
/// everything before it has been given.
Status read_table(const std::filesystem::path& file, const EntrySink& sink);

/// Gives the puts of one record of a write-ahead log to `sink`. Deletions are passed over.
Status read_log_record(std::string_view record, const EntrySink& sink);

/// Name and version, for `pievt version -v`.
std::string rocks_version();

}  // namespace pievt
