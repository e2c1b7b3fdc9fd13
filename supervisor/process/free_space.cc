// See free_space.h.
#include "supervisor/process/free_space.h"

#include <cerrno>
#include <limits>

#include <sys/statvfs.h>

#include <fmt/format.h>

namespace pievt::process {

Result<std::uint64_t> free_bytes(const std::filesystem::path& directory) {
  struct statvfs info {};
  int done = 0;
  do {
    done = ::statvfs(directory.c_str(), &info);
  } while (done != 0 && errno == EINTR);
  if (done != 0)
    return os_error(fmt::format("cannot tell how much room {} has", directory.string()), errno);
  if (info.f_files > 0 && info.f_favail == 0) return std::uint64_t{0};
  if (info.f_blocks == 0) return std::numeric_limits<std::uint64_t>::max();
  return std::uint64_t{info.f_bavail} * info.f_frsize;
}

}  // namespace pievt::process
