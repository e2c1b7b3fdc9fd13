#include "store/log/file_limit.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include <fcntl.h>
#include <sys/resource.h>

#include <fmt/format.h>

#include "store/log/fd.h"

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

// The kernel's table of a process's open files doubles when it is full, and where threads share it
// each doubling waits for all processors to have passed by, some 7 ms. So it grows once, and where
// no thread of RocksDB's is there yet, without a wait. Only time is lost where that fails.
void widen_file_table(const std::filesystem::path& directory, std::uint64_t files) {
  constexpr std::uint64_t always_there = 64;
  if (files < always_there) return;
  const Fd any(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!any) return;
  [[maybe_unused]] const Fd last(
      ::fcntl(any.get(), F_DUPFD_CLOEXEC, static_cast<int>(files + always_there)));
}

// Raises the soft limit where `files` and what is open beside them need it.
Status raise_limit(const std::filesystem::path& directory, std::uint64_t files) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return Error{Errc::io,
                 fmt::format("cannot read the limit of open files: {}", std::strerror(errno))};
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

}  // namespace

Status make_room_for_files(const std::filesystem::path& directory) {
  const std::uint64_t files = files_in(directory);
  PIEVT_TRY(raise_limit(directory, files));
  widen_file_table(directory, files);
  return {};
}

}  // namespace pievt
