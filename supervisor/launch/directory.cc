// See directory.h.
#include "supervisor/launch/directory.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace pievt::launch {
namespace {

constexpr mode_t private_directory_mode = 0700;
constexpr mode_t private_file_mode = 0600;

Status write_all(int fd, std::string_view content, const std::filesystem::path& shown) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return os_error(fmt::format("cannot write {}", shown.string()), errno);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

Result<process::Fd> open_directory(const std::filesystem::path& path) {
  process::Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.is_open()) return os_error(fmt::format("cannot open directory {}", path.string()), errno);
  return fd;
}

Result<process::Fd> enter_directory(int parent, const std::string& name,
                                    const std::filesystem::path& shown) {
  process::Fd fd(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.is_open() && (errno == ELOOP || errno == ENOTDIR))
    return Error{Errc::invalid,
                 fmt::format("{} is not a directory but a symbolic link or a file; nothing is "
                             "written through it: remove it and try again",
                             shown.string())};
  if (!fd.is_open())
    return os_error(fmt::format("cannot open directory {}", shown.string()), errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0)
    return os_error(fmt::format("cannot examine {}", shown.string()), errno);
  if (info.st_uid != ::geteuid())
    return Error{Errc::invalid,
                 fmt::format("{} belongs to user {}; what children work with lies in directories "
                             "of our own: remove it, or run as that user",
                             shown.string(), info.st_uid)};
  return fd;
}

Result<process::Fd> make_directory(int parent, const std::string& name,
                                   const std::filesystem::path& shown, Existing existing) {
  const bool made = ::mkdirat(parent, name.c_str(), private_directory_mode) == 0;
  if (!made && errno != EEXIST)
    return os_error(fmt::format("cannot make directory {}", shown.string()), errno);
  if (!made && existing == Existing::refuse)
    return Error{Errc::conflict, fmt::format("{} exists already", shown.string())};
  process::Fd fd = PIEVT_TRY(enter_directory(parent, name, shown));
  if (::fchmod(fd.get(), private_directory_mode) != 0)
    return os_error(fmt::format("cannot make {} private", shown.string()), errno);
  return fd;
}

Result<process::Fd> write_new_file(int directory, const std::string& name, std::string_view content,
                                   const std::filesystem::path& shown) {
  process::Fd fd(::openat(directory, name.c_str(),
                          O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, private_file_mode));
  if (!fd.is_open() && errno == EEXIST)
    return Error{Errc::conflict, fmt::format("{} exists already", shown.string())};
  if (!fd.is_open()) return os_error(fmt::format("cannot make {}", shown.string()), errno);
  if (::fchmod(fd.get(), private_file_mode) != 0)
    return os_error(fmt::format("cannot make {} private", shown.string()), errno);
  PIEVT_TRY(write_all(fd.get(), content, shown));
  return fd;
}

}  // namespace pievt::launch
