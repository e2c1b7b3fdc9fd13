// See watch.h.
#include "supervisor/process/watch.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <sys/inotify.h>
#include <unistd.h>

#include <fmt/format.h>

namespace pievt::process {

Result<Watch> Watch::create() {
  Fd fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (fd.is_open()) return Watch(std::move(fd));
  if (errno == EMFILE)
    return os_error(Errc::busy,
                    "cannot watch files; raise fs.inotify.max_user_instances or the limit of open "
                    "files",
                    errno);
  return os_error("cannot watch files", errno);
}

Result<WatchId> Watch::arm(int file) {
  const std::string path = fmt::format("/proc/self/fd/{}", file);
  const int id = ::inotify_add_watch(fd(), path.c_str(), IN_MODIFY | IN_ONESHOT);
  if (id >= 0) return WatchId{id};
  if (errno == ENOSPC)
    return os_error(Errc::busy, "cannot watch one more file; raise fs.inotify.max_user_watches",
                    errno);
  return os_error(fmt::format("cannot watch the file behind descriptor {}", file), errno);
}

void Watch::disarm(WatchId id) {
  ::inotify_rm_watch(fd(), id.value);
}

Result<Changes> Watch::read() {
  written_.clear();
  Changes changes;
  std::array<char, 64u << 10> buffer;
  for (;;) {
    const ssize_t got = ::read(fd(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) break;
    if (got < 0) return os_error("cannot read what was written", errno);
    for (std::size_t at = 0; at + sizeof(inotify_event) <= static_cast<std::size_t>(got);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof(event));
      at += sizeof(event) + event.len;
      changes.overflowed = changes.overflowed || (event.mask & IN_Q_OVERFLOW) != 0;
      if ((event.mask & IN_MODIFY) != 0) written_.push_back({event.wd});
    }
  }
  std::ranges::sort(written_);
  written_.erase(std::unique(written_.begin(), written_.end()), written_.end());
  changes.written = written_;
  return changes;
}

}  // namespace pievt::process
