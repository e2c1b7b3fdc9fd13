#include "store/log/writer_lock.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "store/log/fd.h"
#include "store/log/lock_file.h"

namespace pievt {

namespace {

using Path = std::filesystem::path;
using Clock = std::chrono::steady_clock;

std::int64_t wall_ns() {
  struct timespec now {};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

struct Directory {
  Fd fd;
  FileId id;
};

Result<Directory> open_directory(const Path& store) {
  Fd fd(::open(store.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0) {
    return os_error(fmt::format("cannot open the store directory {}", store.string()), errno);
  }
  return Directory{std::move(fd), {status.st_dev, status.st_ino}};
}

// RocksDB knows its files by their path, so a store that was moved would be written to in two
// places.
Status check_not_moved(const FileId& directory, const Path& store) {
  struct stat named {};
  if (::stat(store.c_str(), &named) == 0 && FileId(named.st_dev, named.st_ino) == directory)
    return {};
  return Error{Errc::fenced,
               fmt::format("the store was taken away from {} while this process wrote to it; put "
                           "it back, or close it and open it where it is",
                           store.string())};
}

Error already_ours(const Path& store, const Owner& owner) {
  return {Errc::busy, busy_sentence(store, owner, wall_ns()) +
                          ". That is this very process: use the log it has open"};
}

}  // namespace

struct WriterLock::Held {
  Path store;  // absolute: the process may change its directory
  Path lock_path;
  FileId directory_id;
  pid_t pid = 0;
  Owner owner;
  Fd directory;      // with the flock
  std::mutex mutex;  // of `lock`; the table's, where both are taken, is taken after it
  LockFile lock;
};

/// The locks of this process. One a process, because that is what the kernel's record locks are
/// per.
struct LockTable {
  std::mutex mutex;
  std::map<FileId, std::shared_ptr<WriterLock::Held>> locks;

  /// Never destroyed, since locks may live as long as the process.
  static LockTable& of_this_process() {
    static LockTable& table = *make();
    return table;
  }

  /// With `mutex` held: one try. Empty when somebody else has either lock.
  Result<std::shared_ptr<WriterLock::Held>> try_acquire(const Path& store, const Owner& self) const;

  /// With `mutex` held: the lock of this process that is on LOCK in `directory`, or null. Found
  /// without opening LOCK, and also where a copy of the store made of hard links has the same file.
  const WriterLock::Held* find(const Directory& directory) const;

  /// With `mutex` held: both locks are let go and every descriptor closed before another thread can
  /// open LOCK; closing it later would drop that thread's new lock.
  void release(WriterLock::Held& held) {
    held.lock = LockFile();
    held.directory = Fd();
    locks.erase(held.directory_id);
  }

 private:
  static LockTable* make() {
    // Around fork the mutex is held, so that the child finds the table whole. The child's copies of
    // the descriptors are closed; that releases nothing in the parent.
    ::pthread_atfork([] { of_this_process().mutex.lock(); },
                     [] { of_this_process().mutex.unlock(); },
                     [] {
                       LockTable& table = of_this_process();
                       while (!table.locks.empty()) table.release(*table.locks.begin()->second);
                       table.mutex.unlock();
                     });
    return new LockTable;
  }
};

const WriterLock::Held* LockTable::find(const Directory& directory) const {
  struct stat named {};
  const bool exists = ::fstatat(directory.fd.get(), lock_name, &named, AT_SYMLINK_NOFOLLOW) == 0;
  for (const auto& [id, held] : locks) {
    if (id == directory.id || (exists && held->lock.id == FileId(named.st_dev, named.st_ino)))
      return held.get();
  }
  return nullptr;
}

Result<std::shared_ptr<WriterLock::Held>> LockTable::try_acquire(const Path& store,
                                                                 const Owner& self) const {
  const std::shared_ptr<WriterLock::Held> busy;
  Directory directory = PIEVT_TRY(open_directory(store));
  if (const WriterLock::Held* mine = find(directory)) return already_ours(store, mine->owner);
  if (::flock(directory.fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return busy;
    return os_error(Errc::unsupported,
                    fmt::format("the file system of {} cannot lock a directory; keep the store on "
                                "a local file system",
                                store.string()),
                    errno);
  }
  std::optional<LockFile> lock = PIEVT_TRY(LockFile::take(directory.fd.get(), store));
  if (!lock) return busy;

  auto held = std::make_shared<WriterLock::Held>();
  held->store = std::filesystem::absolute(store);
  held->lock_path = held->store / lock_name;
  held->directory_id = directory.id;
  held->pid = ::getpid();
  held->owner = self;
  held->owner.acquired_wall_ns = wall_ns();
  PIEVT_TRY(lock->sign(held->owner, store));
  held->directory = std::move(directory.fd);
  held->lock = *std::move(lock);
  return held;
}

namespace {

// 1.5 to 2.5 ms. Processes that were woken by the same death differ in pid and in their clocks.
std::chrono::microseconds retry_delay() {
  const auto now_ns = static_cast<std::uint64_t>(Clock::now().time_since_epoch().count());
  const std::uint64_t mixed =
      (now_ns ^ static_cast<std::uint64_t>(::getpid()) << 20) * 0x9e3779b97f4a7c15u;
  return std::chrono::microseconds(1500 + (mixed >> 32) % 1000);
}

}  // namespace

Result<WriterLock> WriterLock::acquire(const Path& store, const Owner& self,
                                       std::chrono::milliseconds wait) {
  const Clock::time_point deadline = Clock::now() + wait;
  LockTable& table = LockTable::of_this_process();
  while (true) {
    {
      const std::lock_guard guard(table.mutex);
      std::shared_ptr<Held> held = PIEVT_TRY(table.try_acquire(store, self));
      if (held != nullptr) {
        table.locks.emplace(held->directory_id, held);
        return WriterLock(std::move(held));
      }
    }
    if (Clock::now() >= deadline) break;
    std::this_thread::sleep_for(retry_delay());
  }
  return Error{Errc::busy, busy_sentence(store, current_owner(store), wall_ns())};
}

WriterLock::WriterLock(std::shared_ptr<Held> held) : held_(std::move(held)) {}
WriterLock::WriterLock(WriterLock&&) noexcept = default;

WriterLock& WriterLock::operator=(WriterLock&& other) noexcept {
  std::swap(held_, other.held_);
  return *this;
}

WriterLock::~WriterLock() {
  release();
}

void WriterLock::release() {
  if (held_ == nullptr || held_->pid != ::getpid()) return;
  LockTable& table = LockTable::of_this_process();
  const std::lock_guard guard(table.mutex);
  // By name, not only by closing: a child forked this instant may still have a copy.
  ::flock(held_->directory.get(), LOCK_UN);
  table.release(*held_);
}

const Owner& WriterLock::owner() const {
  return held_->owner;
}

Status WriterLock::keep() const {
  if (held_->pid != ::getpid()) {
    return Error{Errc::fenced,
                 fmt::format("the lock of {} belongs to process {}; a forked child does not have "
                             "it and must open the store itself",
                             held_->store.string(), held_->pid)};
  }
  const std::lock_guard guard(held_->mutex);
  // One call of the kernel for each commit: where the store's path still leads to our LOCK, neither
  // was moved. With another name it may be a copy of the store made of links.
  if (held_->lock.is_only_at(held_->lock_path)) return {};
  PIEVT_TRY(check_not_moved(held_->directory_id, held_->store));
  if (PIEVT_TRY(held_->lock.is_in_place(held_->directory.get(), held_->store))) return {};
  return take_again();
}

// With the directory locked nobody else of us can lock the LOCK that is there now.
Status WriterLock::take_again() const {
  const std::lock_guard guard(LockTable::of_this_process().mutex);
  std::optional<LockFile> lock = PIEVT_TRY(LockFile::take(held_->directory.get(), held_->store));
  if (!lock) {
    return Error{Errc::fenced,
                 fmt::format("{}/LOCK was replaced while this process held it, and another program "
                             "has locked the new one (see `lslocks`); nothing is written before it "
                             "lets go",
                             held_->store.string())};
  }
  PIEVT_TRY(lock->sign(held_->owner, held_->store));
  // The old file is closed here. Were it the same (moved away and back), that would drop the lock.
  held_->lock = *std::move(lock);
  [[maybe_unused]] const bool again = held_->lock.record.try_lock();
  return {};
}

namespace {

std::optional<Owner> find_owner(const Path& store, LockSought sought) {
  LockTable& table = LockTable::of_this_process();
  const std::lock_guard guard(table.mutex);
  const Result<Directory> directory = open_directory(store);
  if (!directory.ok()) {
    if (directory.error().code == Errc::not_found) return std::nullopt;
    return Owner{};
  }
  if (const auto* mine = table.find(*directory)) return mine->owner;
  return holder_of_lock(directory->fd.get(), directory->id, sought);
}

}  // namespace

std::optional<Owner> WriterLock::current_owner(const Path& store) {
  return find_owner(store, LockSought::or_directory);
}

std::optional<Owner> WriterLock::current_owner_by_lock(const Path& store) {
  return find_owner(store, LockSought::lock_file);
}

}  // namespace pievt
