// What a store does to the disk, one operation after the other, and the place where a test decides
// that one of them goes wrong.
//
// Two sources write here: RocksDB by way of FaultFs (fault_fs.h), and our own code, whose calls of
// open, write, fsync, rename and so on the linker leads to kernel_calls.cc (`-Wl,--wrap`). So
// STORE, LOCK and HEAD are in the same order as the log, and no line of the store knows of it.
//
// Every operation is carried out on real files, under one mutex, and recorded as it was carried
// out. A disk that forgets is made later, out of the record (disk.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace pievt::faults {

enum class Op : std::uint8_t {
  create,
  write,
  truncate,
  sync,
  sync_directory,
  rename,
  link,
  remove,
  make_directory,
};

/// Paths are relative to the journal's root; the root itself is ".".
struct Operation {
  Op op;
  std::string path;
  std::string target;        ///< rename and link: the new name
  std::uint64_t offset = 0;  ///< write: where; truncate: the new size
  std::string bytes;         ///< write: what

  // How far the scenario was when it happened; set by note().
  std::size_t attempted = 0;
  std::size_t acknowledged = 0;
  bool created = false;
};

std::string describe(const Operation& operation);

enum class Outcome : std::uint8_t {
  fails,  ///< nothing happens, and an error is returned
  lies,   ///< nothing happens, and success is returned
  tears,  ///< half of a write happens, and an error is returned
  flips,  ///< a bit of a write is another one, and success is returned
};

struct Fault {
  std::size_t at;  ///< which operation, counted from 0 and from arm()
  Outcome outcome;
  int error_number;  ///< fails, tears
};

/// How far a scenario is, for the judgement of a cut.
struct Progress {
  std::size_t attempted = 0;     ///< appends that were begun
  std::size_t acknowledged = 0;  ///< of those, from the first on, that were promised to be on disk
  bool created = false;          ///< the store was promised to exist
};

class Journal {
 public:
  /// Records what happens below `root`. One at a time in a process.
  explicit Journal(std::filesystem::path root);
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  ~Journal();

  /// The one that records now, or null.
  static Journal* current();

  /// The path as the journal knows it; nothing when it is not below the root, and nothing for what
  /// this thread calls while it performs an operation: where RocksDB is linked as an archive, its
  /// calls of the kernel come by a second time.
  std::optional<std::string> relative(const std::filesystem::path& path) const;

  /// Carries the operation out with `act`, which gets it as it shall be (torn, with a bit flipped)
  /// and returns an errno or 0, and records it. Returns what the caller shall believe. For paths
  /// below an earlier root nothing happens any more and EIO is returned.
  int perform(Operation operation, const std::function<int(const Operation&)>& act);

  /// The next operation that `fault` names goes wrong.
  void arm(const Fault& fault);
  void disarm();
  /// Whether it did, and which one it was.
  std::optional<std::string> struck() const;
  /// From now on every read of RocksDB but the first `after` comes back with one bit flipped, once.
  void arm_read_flip(std::size_t after);
  /// For FaultFs: whether the bytes just read are to be damaged, and what was read.
  bool flip_this_read(const std::string& what);
  std::size_t reads() const;

  void note(const Progress& progress);

  /// The process is dead: what it had open goes nowhere. The files are as they are at `root` now,
  /// a copy of those before.
  void move_to(std::filesystem::path root);

  /// The present moment, for machines that ask when they were started: a name that changes with
  /// each power cut.
  void set_boot(std::uint64_t number);
  std::string boot_text() const;

  std::vector<Operation> operations() const;
  std::size_t size() const;

 private:
  mutable std::mutex mutex_;
  std::filesystem::path root_;
  std::vector<std::filesystem::path> dead_roots_;
  std::vector<Operation> operations_;
  Progress progress_;
  std::optional<Fault> fault_;
  std::size_t since_armed_ = 0;
  std::optional<std::string> struck_;
  std::optional<std::size_t> read_flip_;
  std::size_t reads_ = 0;
  std::uint64_t boot_ = 1;
};

}  // namespace pievt::faults
