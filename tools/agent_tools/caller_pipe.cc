// See caller_pipe.h.
#include "tools/agent_tools/caller_pipe.h"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <fmt/format.h>

namespace pievt::tools {

CallerPipe::CallerPipe(int fd) : fd_(fd) {
  const int flags = ::fcntl(fd_, F_GETFL);
  if (flags >= 0) ::fcntl(fd_, F_SETFL, flags | O_NONBLOCK);
}

void CallerPipe::fill() {
  std::array<char, 64 << 10> room;
  while (!ended_ && bytes_.size() <= caller_line_bytes_max) {
    const ssize_t got = ::read(fd_, room.data(), room.size());
    if (got > 0) {
      bytes_.append(room.data(), static_cast<std::size_t>(got));
    } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
      ended_ = true;
    } else if (errno == EAGAIN) {
      return;
    }
  }
}

Result<std::optional<std::string>> CallerPipe::next_line() {
  fill();
  const std::size_t end = bytes_.find('\n');
  if (end == std::string::npos && bytes_.size() > caller_line_bytes_max)
    return Error{Errc::invalid,
                 fmt::format("a line of the call is longer than {} bytes", caller_line_bytes_max)};
  if (end == std::string::npos && !(ended_ && !bytes_.empty())) return std::optional<std::string>();
  std::string line = bytes_.substr(0, end);
  bytes_.erase(0, end == std::string::npos ? bytes_.size() : end + 1);
  return std::optional(std::move(line));
}

Result<std::optional<std::string>> CallerPipe::wait_for_line() {
  while (true) {
    auto line = PIEVT_TRY(next_line());
    if (line || ended_) return line;
    pollfd wanted{.fd = fd_, .events = POLLIN, .revents = 0};
    if (::poll(&wanted, 1, -1) < 0 && errno != EINTR)
      return Error{Errc::io, "the call's standard input cannot be waited for"};
  }
}

}  // namespace pievt::tools
