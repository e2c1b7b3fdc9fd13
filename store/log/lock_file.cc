#include "store/log/lock_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <boost/interprocess/exceptions.hpp>
#include <fmt/format.h>

namespace pievt {
namespace {

using Path = std::filesystem::path;

constexpr mode_t lock_mode = 0600;

FileId id_of(const struct stat& status) {
  return {status.st_dev, status.st_ino};
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

std::optional<Owner> read_record(int lock_file) {
  std::array<char, owner_record_bytes_max> buffer;
  const ssize_t size = ::pread(lock_file, buffer.data(), buffer.size(), 0);
  if (size <= 0) return std::nullopt;
  return parse_record({buffer.data(), static_cast<std::size_t>(size)});
}

// Who has the flock on the directory, by the kernel's list: what is left to ask while LOCK does not
// tell, because it was deleted or replaced under its holder.
std::optional<Owner> holder_of_directory(const FileId& directory) {
  const std::string place = fmt::format("{:02x}:{:02x}:{}", gnu_dev_major(directory.first),
                                        gnu_dev_minor(directory.first), directory.second);
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number, kind, advisory, access, where;
    std::int64_t pid = 0;
    if (!(words >> number >> kind >> advisory >> access >> pid >> where)) continue;
    if (kind != "FLOCK" || where != place) continue;
    return describe_process(std::max<std::int64_t>(pid, 0), {});
  }
  return std::nullopt;
}

}  // namespace

Result<std::optional<LockFile>> LockFile::take(int directory, const Path& store) {
  LockFile lock;
  lock.fd = Fd(::openat(directory, lock_name,
                        O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, lock_mode));
  struct stat status {};
  if (!lock.fd || ::fstat(lock.fd.get(), &status) != 0) {
    return os_error(fmt::format("cannot open {}/LOCK", store.string()), errno);
  }
  if (!S_ISREG(status.st_mode)) {
    return Error{Errc::io, fmt::format("{}/LOCK is not a plain file; remove it", store.string())};
  }
  // One restored with a wider mode is narrowed; where that is not allowed it locks all the same.
  if ((status.st_mode & 0777) != lock_mode) {
    [[maybe_unused]] const int ignored = ::fchmod(lock.fd.get(), lock_mode);
  }
  lock.id = id_of(status);
  try {
    // By way of the descriptor, so that it is this very file whatever the name means by now.
    const std::string name = fmt::format("/proc/self/fd/{}", lock.fd.get());
    lock.record = boost::interprocess::file_lock(name.c_str());
    if (!lock.record.try_lock()) return std::optional<LockFile>();
  } catch (const boost::interprocess::interprocess_exception& exception) {
    return os_error(Errc::io, fmt::format("cannot lock {}/LOCK", store.string()),
                    exception.get_native_error());
  }
  PIEVT_TRY(set_close_on_exec(lock.id));
  // Replaced between opening and locking: the next try opens the new one.
  if (!PIEVT_TRY(lock.is_in_place(directory, store))) return std::optional<LockFile>();
  return std::optional(std::move(lock));
}

bool LockFile::is_only_at(const Path& path) const {
  struct stat named {};
  return ::lstat(path.c_str(), &named) == 0 && named.st_nlink == 1 && id_of(named) == id;
}

Result<bool> LockFile::is_in_place(int directory, const Path& store) const {
  struct stat held {};
  struct stat named {};
  if (::fstat(fd.get(), &held) != 0) {
    return os_error(fmt::format("cannot look at {}/LOCK", store.string()), errno);
  }
  const bool exists = ::fstatat(directory, lock_name, &named, AT_SYMLINK_NOFOLLOW) == 0;
  if (!exists && errno != ENOENT) {
    return os_error(fmt::format("cannot look at {}/LOCK", store.string()), errno);
  }
  return exists && held.st_nlink > 0 && id_of(held) == id_of(named);
}

// Written over the old record and then cut: the file never gives its block back, so that taking
// over a store on a full disk works.
Status LockFile::sign(const Owner& owner, const Path& store) const {
  const std::string text = to_record(owner);
  const ssize_t wrote = ::pwrite(fd.get(), text.data(), text.size(), 0);
  if (wrote != static_cast<ssize_t>(text.size()) ||
      ::ftruncate(fd.get(), static_cast<off_t>(text.size())) != 0) {
    const int error = wrote >= 0 && wrote < static_cast<ssize_t>(text.size()) ? ENOSPC : errno;
    return os_error(fmt::format("cannot write the owner record into {}/LOCK", store.string()),
                    error);
  }
  return {};
}

std::optional<Owner> holder_of_lock(int directory, const FileId& id, LockSought sought) {
  const auto of_directory = [&] {
    return sought == LockSought::or_directory ? holder_of_directory(id) : std::nullopt;
  };
  const Fd file(::openat(directory, lock_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file && errno == ENOENT) return of_directory();
  struct flock wanted {};
  wanted.l_type = F_WRLCK;
  wanted.l_whence = SEEK_SET;
  if (!file || ::fcntl(file.get(), F_GETLK, &wanted) != 0) return Owner{};
  if (wanted.l_type == F_UNLCK) return of_directory();
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

}  // namespace pievt
