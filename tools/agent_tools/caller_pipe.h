// The pipe a caller holds while its call lives: the arguments on the first line, then `cancel`
// lines, and at its end the end of the caller. End of file is the one sign that every death gives,
// whatever killed the caller.
#pragma once

#include <optional>
#include <string>

#include "pievt/result.h"
#include "store/log/fd.h"

namespace pievt::tools {

/// Longer lines are refused: a plan's call has at most 64,000 bytes.
inline constexpr std::size_t caller_line_bytes_max = std::size_t{1} << 20;

class CallerPipe {
 public:
  /// Reads from `fd`, which stays the caller's and becomes non-blocking.
  explicit CallerPipe(int fd);

  int fd() const { return fd_; }

  /// The next whole line without its end, or nothing when there is none yet. A last line without an
  /// end is one at the end of the file. invalid: a line is too long.
  Result<std::optional<std::string>> next_line();

  /// Whether the other end is closed. Lines that came before may still be there.
  bool ended() const { return ended_; }

  /// Waits for a line, as long as it takes. Nothing: the caller is gone before it said one.
  Result<std::optional<std::string>> wait_for_line();

 private:
  void fill();

  int fd_;
  std::string bytes_;
  bool ended_ = false;
};

}  // namespace pievt::tools
