// Waits for everything at once: ends of processes (pidfds), signals, watches, sockets, pipes, and a
// deadline. One epoll and one timerfd; what woke it is told by the caller's own 64-bit tokens.
//
// The timerfd is there because epoll counts in milliseconds, and a deadline that is waited for by
// rounding is met late or busily.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "pievt/result.h"
#include "supervisor/process/clock.h"
#include "supervisor/process/fd.h"

namespace pievt::process {

enum class Interest : std::uint8_t { read, write, read_and_write };

struct Wakeup {
  std::uint64_t token = 0;
  bool readable = false;  ///< there is something to read, or the end of it
  bool writable = false;
  bool closed = false;  ///< the other end is gone or the descriptor is in error

  friend bool operator==(const Wakeup&, const Wakeup&) = default;
};

/// Not for several threads at once.
class Poller {
 public:
  /// The one token callers may not use: it is the deadline's.
  static constexpr std::uint64_t reserved_token = UINT64_MAX;

  static Result<Poller> create();

  /// Watches `fd`, which stays the caller's, until it is removed. Errc::invalid for what cannot
  /// be waited for (a plain file), is watched already, or has the reserved token.
  Status add(int fd, Interest interest, std::uint64_t token);

  /// Changes what is waited for. Errc::invalid when `fd` is not watched.
  Status change(int fd, Interest interest, std::uint64_t token);

  /// To be called before `fd` is closed: a copy of it in a child would keep it watched. A wake-up
  /// already handed over is not taken back.
  Status remove(int fd);

  /// Returns what is ready, and waits for it until `deadline` (for ever without one). Empty: the
  /// deadline has come. Something that stays ready is told again by the next call. The wake-ups
  /// are valid until the next call.
  Result<std::span<const Wakeup>> wait(std::optional<Moment> deadline);

 private:
  Poller(Fd epoll, Fd timer) : epoll_(std::move(epoll)), timer_(std::move(timer)) {}
  Status control(int operation, int fd, Interest interest, std::uint64_t token);
  Status arm(std::optional<Moment> deadline);

  Fd epoll_;
  Fd timer_;
  std::optional<Moment> armed_;
  std::vector<Wakeup> wakeups_;
};

}  // namespace pievt::process
