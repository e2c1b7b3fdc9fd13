// See write_watch.h.
#include "supervisor/process/write_watch.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include <fcntl.h>
#include <sys/fanotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "supervisor/process/limits.h"

namespace pievt::process {
namespace {

constexpr std::uint64_t writes_mask = FAN_MODIFY | FAN_CLOSE_WRITE;

std::optional<FileId> identify(int directory, const char* path, int flags) {
  struct statx facts {};
  if (::statx(directory, path, flags | AT_NO_AUTOMOUNT,
              STATX_TYPE | STATX_INO | STATX_NLINK | STATX_BTIME, &facts) != 0)
    return std::nullopt;
  // A file without a name is gone for everybody but who has it open.
  const bool is_file = S_ISREG(facts.stx_mode) && facts.stx_nlink > 0;
  if (!is_file || (facts.stx_mask & STATX_BTIME) == 0) return std::nullopt;
  return FileId{std::uint64_t{facts.stx_dev_major} << 32 | facts.stx_dev_minor, facts.stx_ino,
                facts.stx_btime.tv_sec * 1'000'000'000 + facts.stx_btime.tv_nsec};
}

// As the kernel names what is open now.
std::string path_of(int fd) {
  std::array<char, PATH_MAX> buffer;
  const std::string link = fmt::format("/proc/self/fd/{}", fd);
  const ssize_t size = ::readlink(link.c_str(), buffer.data(), buffer.size());
  return size <= 0 ? std::string() : std::string(buffer.data(), static_cast<std::size_t>(size));
}

bool is_below(std::string_view path, std::string_view directory) {
  if (directory == "/") return true;
  return path.starts_with(directory) && path.size() > directory.size() &&
         path[directory.size()] == '/';
}

}  // namespace

std::optional<FileId> identify_file(const std::string& path) {
  return identify(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW);
}

Result<WriteWatch> WriteWatch::create() {
  // Opening what was written must neither wait (a FIFO) nor change when it was read last.
  Fd fd(::fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK,
                        O_RDONLY | O_CLOEXEC | O_LARGEFILE | O_NONBLOCK | O_NOATIME));
  if (fd.is_open()) return WriteWatch(std::move(fd));
  return os_error(Errc::unsupported, "the kernel does not tell us who writes", errno);
}

Status WriteWatch::watch(const std::string& directory) {
  if (std::ranges::find(directories_, directory) != directories_.end()) return {};
  if (::fanotify_mark(fd(), FAN_MARK_ADD | FAN_MARK_MOUNT, writes_mask, AT_FDCWD,
                      directory.c_str()) != 0)
    return os_error(Errc::unsupported,
                    fmt::format("the kernel does not tell us who writes below {}", directory),
                    errno);
  directories_.push_back(directory);
  return {};
}

void WriteWatch::clear() {
  ::fanotify_mark(fd(), FAN_MARK_FLUSH | FAN_MARK_MOUNT, 0, AT_FDCWD, "/");
  ::fanotify_mark(fd(), FAN_MARK_FLUSH, 0, AT_FDCWD, "/");
  directories_.clear();
  muted_ = 0;
}

Result<WriteWatch::Seen> WriteWatch::read() {
  writes_.clear();
  Seen seen;
  alignas(fanotify_event_metadata)
      std::array<std::byte, limits::write_events_max * sizeof(fanotify_event_metadata)>
          buffer;
  ssize_t got = 0;
  do {
    got = ::read(fd(), buffer.data(), buffer.size());
  } while (got < 0 && errno == EINTR);
  if (got < 0 && errno == EAGAIN) return seen;
  if (got < 0 && (errno == EBADF || errno == EINVAL || errno == EFAULT))
    return os_error("cannot read who writes", errno);
  seen.more = true;
  // The file could not be opened for us (no descriptor left, a device that is not there): its event
  // is spent.
  if (got < 0)
    seen.missed = true;
  else
    take({buffer.data(), static_cast<std::size_t>(got)}, seen);
  seen.writes = writes_;
  return seen;
}

// Whose the processes are is asked first and of all: they may be about to end.
void WriteWatch::take(std::span<const std::byte> bytes, Seen& seen) {
  const Moment now = Clock::now();
  const pid_t self = ::getpid();
  while (bytes.size() >= sizeof(fanotify_event_metadata)) {
    fanotify_event_metadata data{};
    std::memcpy(&data, bytes.data(), sizeof(data));
    if (data.event_len < sizeof(data) || data.event_len > bytes.size()) break;
    bytes = bytes.subspan(data.event_len);
    if ((data.mask & FAN_Q_OVERFLOW) != 0) seen.missed = true;
    if (data.vers != FANOTIFY_METADATA_VERSION || data.fd < 0) continue;
    Event event{Fd(data.fd), data.pid, (data.mask & FAN_CLOSE_WRITE) != 0, true, {}};
    if (data.pid == self) {
      event.is_news = false;
    } else if (const auto* bearer = data.pid > 0 ? markers_.find(data.pid, now) : nullptr) {
      event.is_news = !bearer->attempt.empty();
      event.bearer = *bearer;
    }
    events_.push_back(std::move(event));
  }
  for (const Event& event : events_) {
    mute(event);
    if (event.is_news) tell(event);
  }
  events_.clear();
}

void WriteWatch::mute(const Event& event) {
  if (event.ends) {
    if (muted_ == 0) return;
    const int flags = FAN_MARK_REMOVE | FAN_MARK_IGNORED_MASK;
    if (::fanotify_mark(fd(), flags, FAN_MODIFY, event.file.get(), nullptr) == 0) --muted_;
    return;
  }
  // Marks of files that were removed meanwhile are gone and still counted.
  if (muted_ >= limits::muted_files_max) {
    ::fanotify_mark(fd(), FAN_MARK_FLUSH, 0, AT_FDCWD, "/");
    muted_ = 0;
  }
  const int flags = FAN_MARK_ADD | FAN_MARK_IGNORED_MASK | FAN_MARK_IGNORED_SURV_MODIFY;
  if (::fanotify_mark(fd(), flags, FAN_MODIFY, event.file.get(), nullptr) == 0) ++muted_;
}

void WriteWatch::tell(const Event& event) {
  std::string path = path_of(event.file.get());
  if (!is_of_interest(path)) return;
  const auto file = identify(event.file.get(), "", AT_EMPTY_PATH);
  if (!file) return;
  writes_.push_back(
      {*file, std::move(path), event.bearer.attempt, event.bearer.program, event.pid});
}

bool WriteWatch::is_of_interest(std::string_view path) const {
  if (!except_.empty() && is_below(path, except_)) return false;
  return std::ranges::any_of(
      directories_, [&](const std::string& directory) { return is_below(path, directory); });
}

}  // namespace pievt::process
