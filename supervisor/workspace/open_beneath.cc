#include "supervisor/workspace/open_beneath.h"

#include <cerrno>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

namespace pievt::workspace {
namespace {

constexpr std::size_t path_bytes_max = 4095;
constexpr int always = O_CLOEXEC | O_NOFOLLOW;

int duplicate(int fd) {
  return ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

// For kernels and sandboxes without openat2: one directory after the other.
process::Fd open_by_steps(int root, std::string_view path, int flags, unsigned mode) {
  process::Fd at(duplicate(root));
  while (at.is_open()) {
    const std::size_t slash = path.find('/');
    const std::string name(path.substr(0, slash));
    if (slash == std::string_view::npos)
      return process::Fd(::openat(at.get(), name.c_str(), flags | always, mode));
    at = process::Fd(::openat(at.get(), name.c_str(), O_PATH | O_DIRECTORY | always));
    path.remove_prefix(slash + 1);
  }
  return at;
}

}  // namespace

bool is_safe_path(std::string_view path) {
  if (path.empty() || path.size() > path_bytes_max || path.find('\0') != std::string_view::npos)
    return false;
  for (;;) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == ".." || part.size() > 255) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

Result<process::Fd> open_root(const std::string& path) {
  process::Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.is_open()) return os_error(fmt::format("cannot open directory {}", path), errno);
  return fd;
}

process::Fd open_beneath(int root, const std::string& path, int flags, unsigned mode) {
  if (path.empty()) return process::Fd(::openat(root, ".", flags | O_CLOEXEC));
  open_how how{};
  how.flags = static_cast<unsigned>(flags | always);
  how.mode = (flags & O_CREAT) != 0 ? mode : 0;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  for (;;) {
    const long fd = ::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how);
    if (fd < 0 && (errno == EINTR || errno == EAGAIN)) continue;  // a rename raced with us
    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
      return open_by_steps(root, path, flags, mode);
    return process::Fd(static_cast<int>(fd));
  }
}

process::Fd open_parent(int root, const std::string& path, Parents parents) {
  const std::size_t last = path.rfind('/');
  if (last == std::string::npos) return process::Fd(duplicate(root));
  const std::string directory = path.substr(0, last);
  process::Fd found = open_beneath(root, directory, O_RDONLY | O_DIRECTORY);
  if (found.is_open() || errno != ENOENT || parents == Parents::must_exist) return found;
  process::Fd at(duplicate(root));
  std::string_view rest = directory;
  while (at.is_open() && !rest.empty()) {
    const std::size_t slash = rest.find('/');
    const std::string name(rest.substr(0, slash));
    if (::mkdirat(at.get(), name.c_str(), 0777) != 0 && errno != EEXIST) return {};
    at = process::Fd(::openat(at.get(), name.c_str(), O_RDONLY | O_DIRECTORY | always));
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  }
  return at;
}

std::string base_name(const std::string& path) {
  const std::size_t last = path.rfind('/');
  return last == std::string::npos ? path : path.substr(last + 1);
}

}  // namespace pievt::workspace
