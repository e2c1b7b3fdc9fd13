// The owner of one file descriptor.
#pragma once

#include <utility>

#include <unistd.h>

namespace pievt {

/// Closes its descriptor when it goes. A negative one means "none". Movable.
class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);  // the old one is closed with `other`
    return *this;
  }
  ~Fd() {
    // An error of close cannot be acted on here: whoever needs the bytes on disk has synced them.
    if (fd_ >= 0) ::close(fd_);
  }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

  /// The descriptor, no longer owned.
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

}  // namespace pievt
