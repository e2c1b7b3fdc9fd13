// The store's own calls of the kernel, led here by the linker (`-Wl,--wrap=open` and so on; see
// CMakeLists.txt). STORE, LOCK and HEAD are written by them, and so they are recorded and can fail
// like everything RocksDB does. Outside a journal's root, and without a journal, they are the
// kernel's.
//
// The boot id is answered here too: a power cut begins another boot, and what HEAD promised is of
// the one before.
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <filesystem>
#include <string>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "tests/fault_fs/journal.h"

extern "C" {
int __real_open(const char* path, int flags, mode_t mode);
int __real_openat(int directory, const char* path, int flags, mode_t mode);
ssize_t __real_write(int fd, const void* bytes, size_t size);
ssize_t __real_pwrite(int fd, const void* bytes, size_t size, off_t offset);
int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __real_ftruncate(int fd, off_t size);
int __real_rename(const char* from, const char* to);
int __real_renameat2(int from_directory, const char* from, int to_directory, const char* to,
                     unsigned flags);
int __real_mkdir(const char* path, mode_t mode);
int __real_unlink(const char* path);
int __real_unlinkat(int directory, const char* path, int flags);
int __real_posix_fallocate(int fd, off_t offset, off_t size);
}

namespace {

using pievt::faults::Journal;
using pievt::faults::Op;
using pievt::faults::Operation;
namespace fs = std::filesystem;

fs::path path_of(int fd) {
  std::error_code none;
  return fs::read_symlink(fmt::format("/proc/self/fd/{}", fd), none);
}

fs::path path_at(int directory, const char* path) {
  const fs::path given(path);
  if (given.is_absolute()) return given;
  return (directory == AT_FDCWD ? fs::current_path() : path_of(directory)) / given;
}

// The path in the journal, when there is one and it is its business. A deleted file is nobody's.
std::optional<std::string> recorded(const fs::path& path) {
  Journal* const journal = Journal::current();
  if (journal == nullptr || path.native().ends_with(" (deleted)")) return std::nullopt;
  return journal->relative(path);
}

int perform(Operation operation, const std::function<int(const Operation&)>& act) {
  const int error = Journal::current()->perform(std::move(operation), act);
  if (error == 0) return 0;
  errno = error;
  return -1;
}

int result(int returned) {
  return returned < 0 ? errno : 0;
}

int open_recorded(int directory, const char* path, int flags, mode_t mode) {
  const fs::path whole = path_at(directory, path);
  const auto name = recorded(whole);
  const bool changes = (flags & (O_CREAT | O_TRUNC)) != 0 && (flags & O_ACCMODE) != O_RDONLY;
  struct stat there {};
  const bool exists = ::lstat(whole.c_str(), &there) == 0;
  if (!name || !changes || (exists && ((flags & O_EXCL) != 0 || (flags & O_TRUNC) == 0))) {
    return __real_openat(directory, path, flags, mode);
  }
  int fd = -1;
  const auto act = [&](const Operation&) {
    fd = __real_openat(directory, path, flags, mode);
    return result(fd);
  };
  const int failed = perform({exists ? Op::truncate : Op::create, *name, "", 0, ""}, act);
  return failed != 0 ? failed : fd;
}

ssize_t write_recorded(int fd, const void* bytes, size_t size, off_t offset) {
  const auto name = recorded(path_of(fd));
  if (!name) return -2;
  const auto act = [&](const Operation& write) {
    const ssize_t wrote = __real_pwrite(fd, write.bytes.data(), write.bytes.size(), offset);
    return result(static_cast<int>(wrote));
  };
  const std::string content(static_cast<const char*>(bytes), size);
  const int failed =
      perform({Op::write, *name, "", static_cast<std::uint64_t>(offset), content}, act);
  return failed != 0 ? failed : static_cast<ssize_t>(size);
}

template <class Act>
int one_recorded(const fs::path& path, Operation operation, Act&& call) {
  const auto name = recorded(path);
  if (!name) return call();
  operation.path = *name;
  return perform(std::move(operation), [&](const Operation&) { return result(call()); });
}

int sync_recorded(int fd, int (*call)(int)) {
  struct stat status {};
  const bool directory = ::fstat(fd, &status) == 0 && S_ISDIR(status.st_mode);
  return one_recorded(path_of(fd), {directory ? Op::sync_directory : Op::sync, "", "", 0, ""},
                      [&] { return call(fd); });
}

}  // namespace

extern "C" {

int __wrap_openat(int directory, const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_recorded(directory, path, flags, mode);
}

int __wrap_open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  Journal* const journal = Journal::current();
  if (journal != nullptr && std::string_view(path) == "/proc/sys/kernel/random/boot_id") {
    const std::string text = journal->boot_text();
    const int fd = ::memfd_create("boot_id", MFD_CLOEXEC);
    if (fd < 0 || __real_pwrite(fd, text.data(), text.size(), 0) < 0) return -1;
    return fd;
  }
  return open_recorded(AT_FDCWD, path, flags, mode);
}

ssize_t __wrap_pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  const ssize_t wrote = write_recorded(fd, bytes, size, offset);
  return wrote != -2 ? wrote : __real_pwrite(fd, bytes, size, offset);
}

ssize_t __wrap_write(int fd, const void* bytes, size_t size) {
  const off_t offset = ::lseek(fd, 0, SEEK_CUR);
  const ssize_t wrote = offset < 0 ? -2 : write_recorded(fd, bytes, size, offset);
  if (wrote == -2) return __real_write(fd, bytes, size);
  if (wrote > 0) ::lseek(fd, wrote, SEEK_CUR);
  return wrote;
}

int __wrap_fsync(int fd) {
  return sync_recorded(fd, __real_fsync);
}

int __wrap_fdatasync(int fd) {
  return sync_recorded(fd, __real_fdatasync);
}

int __wrap_ftruncate(int fd, off_t size) {
  return one_recorded(path_of(fd), {Op::truncate, "", "", static_cast<std::uint64_t>(size), ""},
                      [&] { return __real_ftruncate(fd, size); });
}

// Allocating is invisible but for the size, which is what HEAD is given by it.
int __wrap_posix_fallocate(int fd, off_t offset, off_t size) {
  struct stat status {};
  const auto end = offset + size;
  if (::fstat(fd, &status) != 0 || status.st_size >= end) {
    return __real_posix_fallocate(fd, offset, size);
  }
  const int failed =
      one_recorded(path_of(fd), {Op::truncate, "", "", static_cast<std::uint64_t>(end), ""}, [&] {
        errno = __real_posix_fallocate(fd, offset, size);
        return errno == 0 ? 0 : -1;
      });
  return failed == 0 ? 0 : errno;
}

int __wrap_rename(const char* from, const char* to) {
  const auto target = recorded(path_at(AT_FDCWD, to));
  return one_recorded(path_at(AT_FDCWD, from), {Op::rename, "", target.value_or(""), 0, ""},
                      [&] { return __real_rename(from, to); });
}

int __wrap_renameat2(int from_directory, const char* from, int to_directory, const char* to,
                     unsigned flags) {
  const auto really = [&] {
    return __real_renameat2(from_directory, from, to_directory, to, flags);
  };
  const fs::path to_path = path_at(to_directory, to);
  struct stat there {};
  if (flags == RENAME_NOREPLACE && ::lstat(to_path.c_str(), &there) == 0) return really();
  const auto target = recorded(to_path);
  return one_recorded(path_at(from_directory, from), {Op::rename, "", target.value_or(""), 0, ""},
                      really);
}

int __wrap_mkdir(const char* path, mode_t mode) {
  struct stat there {};
  if (::lstat(path, &there) == 0) return __real_mkdir(path, mode);
  return one_recorded(path_at(AT_FDCWD, path), {Op::make_directory, "", "", 0, ""},
                      [&] { return __real_mkdir(path, mode); });
}

int __wrap_unlinkat(int directory, const char* path, int flags) {
  const fs::path whole = path_at(directory, path);
  struct stat there {};
  // A socket is no data: it means nothing without the process that listens.
  if (::lstat(whole.c_str(), &there) != 0 || S_ISSOCK(there.st_mode))
    return __real_unlinkat(directory, path, flags);
  return one_recorded(whole, {Op::remove, "", "", 0, ""},
                      [&] { return __real_unlinkat(directory, path, flags); });
}

int __wrap_unlink(const char* path) {
  return __wrap_unlinkat(AT_FDCWD, path, 0);
}

}  // extern "C"
