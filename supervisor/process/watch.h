// inotify for files that are being followed: tells once that a file was written, see pace.h.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "pievt/result.h"
#include "supervisor/process/fd.h"

namespace pievt::process {

/// A number the kernel gives; never used twice by one Watch.
struct WatchId {
  int value = -1;
  friend auto operator<=>(const WatchId&, const WatchId&) = default;
};

struct Changes {
  std::span<const WatchId> written;  ///< each once; their watches are spent. Valid until next read
  bool overflowed = false;           ///< events were lost: look at every file
};

/// Owns the inotify descriptor. Not for several threads at once.
class Watch {
 public:
  /// Errc::busy when the user has no inotify instance left.
  static Result<Watch> create();

  /// To poll for reading.
  int fd() const { return fd_.get(); }

  /// Watches the file behind `file` (an open descriptor, so that nobody can put another file in
  /// its place) for one event: its next write, truncation included. Arming an armed one keeps its
  /// id. Errc::busy when the user has no watch left: then the file is to be looked at by the
  /// clock alone.
  Result<WatchId> arm(int file);

  /// Forgets a watch. A spent one is no error.
  void disarm(WatchId id);

  /// What was written since the last read. Does not wait.
  Result<Changes> read();

 private:
  explicit Watch(Fd fd) : fd_(std::move(fd)) {}

  Fd fd_;
  std::vector<WatchId> written_;
};

}  // namespace pievt::process
