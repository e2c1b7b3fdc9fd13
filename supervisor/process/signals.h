// Signals as input of the loop: blocked before any thread starts, read from one descriptor. The
// program has no signal handlers, so nothing of it runs in the middle of something else.
#pragma once

#include <optional>

#include <sys/types.h>

#include "pievt/result.h"
#include "supervisor/process/fd.h"

namespace pievt::process {

struct ReceivedSignal {
  int number = 0;         ///< SIGTERM, SIGINT or SIGHUP
  pid_t sender_pid = 0;   ///< 0: the kernel or a terminal
  uid_t sender_user = 0;  ///< of the sender's process, from the kernel
};

/// Owns the descriptor. The signals stay blocked for the life of the process.
class Signals {
 public:
  /// To be called first in `main`: threads inherit the mask, and RocksDB starts some.
  ///
  /// Blocks TERM, INT and HUP for this thread and those it will start. Ignores PIPE, so that a
  /// reader who left is an error of write(), and XFSZ, so that a file that may not grow is one,
  /// too. Sets CHLD to its default: if our parent ignored it, the kernel would throw away how our
  /// children ended.
  static Result<Signals> block();

  /// To poll for reading.
  int fd() const { return fd_.get(); }

  /// The next pending signal; nullopt when there is none. Several of one number may come as one.
  Result<std::optional<ReceivedSignal>> next() const;

 private:
  explicit Signals(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace pievt::process
