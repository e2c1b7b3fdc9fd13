// See open_files.h.
#include "supervisor/process/open_files.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/resource.h>

#include "supervisor/process/limits.h"

namespace pievt::process {
namespace {

rlimit file_limit() {
  rlimit limit{};
  PIEVT_ASSERT(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  return limit;
}

/// 0 or an errno value. Sets the soft limit, never beyond the hard one.
int set_soft_limit(std::uint64_t files) {
  rlimit limit = file_limit();
  limit.rlim_cur = std::min<rlim_t>(files, limit.rlim_max);
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? 0 : errno;
}

}  // namespace

Result<RaisedFileLimit> RaisedFileLimit::raise() {
  const rlimit limit = file_limit();
  if (const int failed = set_soft_limit(limit.rlim_max); failed != 0)
    return os_error("cannot raise the limit of open files", failed);
  return RaisedFileLimit(limit.rlim_cur);
}

RaisedFileLimit::RaisedFileLimit(RaisedFileLimit&& other) noexcept
    : original_(other.original_), owns_(std::exchange(other.owns_, false)) {}

RaisedFileLimit::~RaisedFileLimit() {
  if (owns_) static_cast<void>(set_soft_limit(original_));
}

Fd kept_high(Fd fd) {
  Fd high(::fcntl(fd.get(), F_DUPFD_CLOEXEC, limits::high_fd_min));
  return high.is_open() ? std::move(high) : std::move(fd);
}

}  // namespace pievt::process
