#include "store/log/file_limit.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include <sys/resource.h>

#include <fmt/format.h>

namespace pievt {
namespace {

// For what a process has open beside the log, and what a writer adds to it before it opens again.
constexpr std::uint64_t files_beside = 512;

std::uint64_t files_in(const std::filesystem::path& directory) {
  std::error_code failed;
  std::uint64_t files = 0;
  for (std::filesystem::directory_iterator entry(directory, failed), end; !failed && entry != end;
       entry.increment(failed))
    ++files;
  return files;
}

}  // namespace

Status make_room_for_files(const std::filesystem::path& directory) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return Error{Errc::io,
                 fmt::format("cannot read the limit of open files: {}", std::strerror(errno))};
  const std::uint64_t files = files_in(directory);
  if (files + files_beside <= limit.rlim_cur || files <= files_beside / 2) return {};
  if (files + files_beside / 2 > limit.rlim_max) {
    return Error{Errc::io,
                 fmt::format("the log in {} has {} files, and this process may open {}: raise the "
                             "hard limit of open files (ulimit -Hn, or LimitNOFILE of a service)",
                             directory.string(), files, limit.rlim_max)};
  }
  limit.rlim_cur = std::min<rlim_t>(2 * files + files_beside, limit.rlim_max);
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0)
    return Error{Errc::io, fmt::format("cannot raise the limit of open files to {}: {}",
                                       limit.rlim_cur, std::strerror(errno))};
  return {};
}

}  // namespace pievt
