// A descriptor may be a terminal, a file, a pipe whose reader has gone, or a non-blocking pipe that
// somebody else configured. Only the last two need care.
#include "tools/render/writer.h"

#include <cerrno>

#include <poll.h>
#include <unistd.h>

namespace pievt::render {
namespace {

constexpr std::size_t buffer_size = 64 * 1024;  // a pipe's capacity: larger writes only wait

// Writes all of `text`; the errno of the failure, or 0.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      pollfd waiting{fd, POLLOUT, 0};
      if (::poll(&waiting, 1, -1) < 0 && errno != EINTR) return errno;
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

}  // namespace

void FdWriter::write(std::string_view text) {
  if (error_ != 0) return;
  if (text.size() >= buffer_size) {
    flush();
    if (error_ == 0) error_ = write_all(fd_, text);
    return;
  }
  buffer_ += text;
  if (buffer_.size() >= buffer_size) flush();
}

void FdWriter::flush() {
  if (error_ == 0) error_ = write_all(fd_, buffer_);
  buffer_.clear();
}

void FdWriter::redirect(int fd) {
  flush();
  fd_ = fd;
  error_ = 0;
}

}  // namespace pievt::render
