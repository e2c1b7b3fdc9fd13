// At most one writer a store: the lock, and what other processes may know of its holder.
//
// The lock is two locks of the kernel, taken together; RocksDB's own is the third, elsewhere.
//   LOCK           a record lock (Boost.Interprocess file_lock, POSIX fcntl) on the file
//   the directory  a flock on the open store directory
// The file can be deleted or replaced while it is locked, and then two processes would hold locks
// on two files of the same name. The directory cannot be replaced without taking the store away, so
// its lock still keeps the second one out; the first notices by keep(), which locks the file that
// is there now. So whoever removes LOCK stops nobody, and has nothing to clean up.
//
// Both go with their process, also by SIGKILL and before its end can be waited for. Mutexes in
// shared memory would not (a killed owner keeps them for ever), nor would open-file-description
// locks (an inheriting child keeps them).
//
// What POSIX record locks do that surprises, and how it is met:
//  * Closing *any* descriptor of LOCK in the holding process drops the lock. So nothing else in the
//    process may open LOCK: a table of this process's locks answers current_owner() without
//    opening, and every opening and closing here happens under that table's mutex. Code that copies
//    or walks a store must leave LOCK out.
//  * Two locks of one process do not exclude each other. The same table does.
//  * They are not inherited by fork. A forked child's copy of a WriterLock knows that it is none:
//    keep() is Errc::fenced and destroying it releases nothing.
// A flock *is* inherited by fork: a child made by fork() gives up its share at once
// (pthread_atfork), one made by posix_spawn at exec (O_CLOEXEC); one made by a bare clone() would
// keep the directory locked until it execs or ends.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>

#include "pievt/result.h"
#include "store/log/owner.h"

namespace pievt {

/// How long those wait who would rather be refused than wait: longer than a change of owner.
inline constexpr std::chrono::milliseconds brief_lock_wait{50};

class WriterLock {
 public:
  /// Takes the lock of the store directory `store` and writes the owner record into LOCK: `self`
  /// with the present wall time as `acquired_wall_ns`.
  ///
  /// While somebody else has it, tries again about every 2 ms (with jitter, so that those who wait
  /// do not meet) until `wait` is over; 0 tries once. Errc::busy then, with a sentence that names
  /// the owner, since when, and what to do; also when this process has it already, at once.
  /// not_found: no such directory. unsupported: its file system has no such locks. no_space, io.
  /// Any thread.
  static Result<WriterLock> acquire(const std::filesystem::path& store, const Owner& self,
                                    std::chrono::milliseconds wait);

  /// Who holds the lock of `store` now; nothing when nobody does, or there is no LOCK or no store.
  ///
  /// When its record cannot be read (being written, or damaged) only the pid is known. When the
  /// kernel will not say whether there is a holder (no permission), an owner of whom nothing is
  /// known: to take a writer for alive only delays. While LOCK is not the holder's (see keep())
  /// only the pid of who locked the directory is known. A hint: it may change at any moment. Never
  /// disturbs the holder nor those who try to acquire. Any thread.
  static std::optional<Owner> current_owner(const std::filesystem::path& store);

  /// The same by LOCK alone, and nothing while LOCK is not the holder's. Always microseconds;
  /// current_owner() takes some milliseconds where nobody holds it.
  static std::optional<Owner> current_owner_by_lock(const std::filesystem::path& store);

  WriterLock(WriterLock&&) noexcept;
  WriterLock& operator=(WriterLock&&) noexcept;

  /// Releases it, in the process that took it.
  ~WriterLock();

  const Owner& owner() const;

  /// Makes sure that this is still the one who may write, and that others can see who it is. To be
  /// asked before each group of commits; about 2 us. Any thread.
  ///
  /// A LOCK that was deleted or replaced is made, locked and signed again. Further hard links to
  /// LOCK (a backup made of links) do not matter. Errc::fenced: this is a forked child; or the
  /// store was taken away from its path; or another program has locked the new LOCK. io, no_space:
  /// LOCK cannot be made (something else has its name). Then write nothing; the next call may
  /// succeed.
  Status keep() const;

 private:
  struct Held;
  friend struct LockTable;
  explicit WriterLock(std::shared_ptr<Held> held);
  Status take_again() const;
  void release();
  std::shared_ptr<Held> held_;  // empty only after a move
};

}  // namespace pievt
