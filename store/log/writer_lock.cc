#include "store/log/writer_lock.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
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

#include <boost/interprocess/exceptions.hpp>
#include <boost/interprocess/sync/file_lock.hpp>
#include <fmt/format.h>

#include "store/log/fd.h"

namespace pievt {

namespace {

using Path = std::filesystem::path;
using Clock = std::chrono::steady_clock;
using FileId = std::pair<dev_t, ino_t>;

constexpr const char* lock_name = "LOCK";
constexpr mode_t lock_mode = 0600;

FileId id_of(const struct stat& status) {
  return {status.st_dev, status.st_ino};
}

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
  return Directory{std::move(fd), id_of(status)};
}

// Whether `lock_file` is what the name LOCK in `directory` means. The reason why not otherwise.
Status check_in_place(int directory, int lock_file, const Path& store) {
  struct stat held {};
  struct stat named {};
  if (::fstat(lock_file, &held) != 0) {
    return os_error(fmt::format("cannot look at {}/LOCK", store.string()), errno);
  }
  const bool exists = ::fstatat(directory, lock_name, &named, AT_SYMLINK_NOFOLLOW) == 0;
  if (!exists && errno != ENOENT) {
    return os_error(fmt::format("cannot look at {}/LOCK", store.string()), errno);
  }
  if (exists && held.st_nlink > 0 && id_of(held) == id_of(named)) return {};
  return Error{Errc::fenced,
               fmt::format("{}/LOCK was {} while this process held it, so another writer may have "
                           "taken over; this one writes nothing more. Leave LOCK alone and open "
                           "the store again",
                           store.string(), exists ? "replaced" : "deleted")};
}

// Boost opens the file without O_CLOEXEC and does not show its descriptor. A child that inherited
// it would hold no lock by it, but has no business with it.
Status set_close_on_exec(const FileId& file) {
  std::error_code error;
  for (std::filesystem::directory_iterator it("/proc/self/fd", error), end; !error && it != end;
       it.increment(error)) {
    // Looked at by its name: the other descriptors belong to other threads, which may close them.
    struct stat status {};
    if (::stat(it->path().c_str(), &status) != 0 || id_of(status) != file) continue;
    const int fd = std::atoi(it->path().filename().c_str());
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) return os_error("cannot set close-on-exec", errno);
  }
  if (error) return os_error(Errc::io, "cannot read /proc/self/fd", error.value());
  return {};
}

// Written over the old record and then cut: the file never gives its block back, so that taking
// over a store on a full disk works.
Status write_record(int lock_file, const Owner& owner, const Path& store) {
  const std::string text = to_record(owner);
  const ssize_t wrote = ::pwrite(lock_file, text.data(), text.size(), 0);
  if (wrote != static_cast<ssize_t>(text.size()) ||
      ::ftruncate(lock_file, static_cast<off_t>(text.size())) != 0) {
    const int error = wrote >= 0 && wrote < static_cast<ssize_t>(text.size()) ? ENOSPC : errno;
    return os_error(fmt::format("cannot write the owner record into {}/LOCK", store.string()),
                    error);
  }
  return {};
}

std::optional<Owner> read_record(int lock_file) {
  std::array<char, owner_record_bytes_max> buffer;
  const ssize_t size = ::pread(lock_file, buffer.data(), buffer.size(), 0);
  if (size <= 0) return std::nullopt;
  return parse_record({buffer.data(), static_cast<std::size_t>(size)});
}

// What the kernel and the record say about the holder of LOCK. Only for a process that holds no
// lock on it: the descriptor opened here is closed here.
std::optional<Owner> look_at_lock(int directory) {
  const Fd file(::openat(directory, lock_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file && errno == ENOENT) return std::nullopt;
  struct flock wanted {};
  wanted.l_type = F_WRLCK;
  wanted.l_whence = SEEK_SET;
  if (!file || ::fcntl(file.get(), F_GETLK, &wanted) != 0) return Owner{};
  if (wanted.l_type == F_UNLCK) return std::nullopt;
  // The pid is 0 for a holder in a pid namespace that is not below ours, -1 for another kind of
  // lock. A record that names another pid of our namespace is the former holder's.
  std::optional<Owner> recorded = read_record(file.get());
  struct stat space {};
  const bool same_space = recorded && ::stat("/proc/self/ns/pid", &space) == 0 &&
                          space.st_ino == recorded->pid_namespace;
  const bool stale = same_space && wanted.l_pid != recorded->pid;
  if (recorded && !stale) return recorded;
  Owner known;
  known.pid = std::max<pid_t>(wanted.l_pid, 0);
  return known;
}

Error already_ours(const Path& store, const Owner& owner) {
  return {Errc::busy, busy_sentence(store, owner, wall_ns()) +
                          ". That is this very process: use the log it has open"};
}

}  // namespace

struct WriterLock::Held {
  Path store;
  FileId directory_id;
  FileId lock_id;
  pid_t pid = 0;
  Owner owner;
  Fd directory;  // with the flock
  Fd lock_file;  // a second descriptor of LOCK, because Boost's cannot be asked for its inode
  boost::interprocess::file_lock record_lock;
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
  void release(WriterLock::Held& lock) {
    lock.record_lock = {};
    lock.lock_file = Fd();
    lock.directory = Fd();
    locks.erase(lock.directory_id);
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
  for (const auto& [id, lock] : locks) {
    if (id == directory.id || (exists && lock->lock_id == id_of(named))) return lock.get();
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
  Fd file(::openat(directory.fd.get(), lock_name,
                   O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, lock_mode));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) {
    return os_error(fmt::format("cannot open {}/LOCK", store.string()), errno);
  }
  if (!S_ISREG(status.st_mode)) {
    return Error{Errc::io, fmt::format("{}/LOCK is not a plain file; remove it", store.string())};
  }
  // One restored with a wider mode is narrowed; where that is not allowed it locks all the same.
  if ((status.st_mode & 0777) != lock_mode) {
    [[maybe_unused]] const int ignored = ::fchmod(file.get(), lock_mode);
  }

  auto held = std::make_shared<WriterLock::Held>();
  try {
    // By way of the descriptor, so that it is this very file whatever the name means by now.
    const std::string name = fmt::format("/proc/self/fd/{}", file.get());
    held->record_lock = boost::interprocess::file_lock(name.c_str());
    if (!held->record_lock.try_lock()) return busy;
  } catch (const boost::interprocess::interprocess_exception& exception) {
    return os_error(Errc::io, fmt::format("cannot lock {}/LOCK", store.string()),
                    exception.get_native_error());
  }
  PIEVT_TRY(set_close_on_exec(id_of(status)));
  // Replaced between opening and locking: the next try opens the new one.
  if (!check_in_place(directory.fd.get(), file.get(), store).ok()) return busy;

  held->store = store;
  held->directory_id = directory.id;
  held->lock_id = id_of(status);
  held->pid = ::getpid();
  held->owner = self;
  held->owner.acquired_wall_ns = wall_ns();
  PIEVT_TRY(write_record(file.get(), held->owner, store));
  held->directory = std::move(directory.fd);
  held->lock_file = std::move(file);
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

Status WriterLock::still_ours() const {
  if (held_->pid != ::getpid()) {
    return Error{Errc::fenced,
                 fmt::format("the lock of {} belongs to process {}; a forked child does not have "
                             "it and must open the store itself",
                             held_->store.string(), held_->pid)};
  }
  return check_in_place(held_->directory.get(), held_->lock_file.get(), held_->store);
}

std::optional<Owner> WriterLock::current_owner(const Path& store) {
  LockTable& table = LockTable::of_this_process();
  const std::lock_guard guard(table.mutex);
  const Result<Directory> directory = open_directory(store);
  if (!directory.ok()) {
    if (directory.error().code == Errc::not_found) return std::nullopt;
    return Owner{};
  }
  if (const Held* mine = table.find(*directory)) return mine->owner;
  return look_at_lock(directory->fd.get());
}

}  // namespace pievt
