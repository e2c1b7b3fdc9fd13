// Long output goes through the user's pager when a person is looking, and only then. The pager is
// started by the verb that knows its output is long, replaces what stands behind stdout's writer,
// and is waited for at the end. Leaving it early is not an error: the writer goes quiet
// (`Writer::done`) and the program ends as it would have.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "tools/render/terminal.h"
#include "tools/render/writer.h"

namespace pievt::render {

/// The pager's argument vector: PIEVT_PAGER, else PAGER, else `less -FRX`. Empty when the user
/// wants none (an empty value or `cat`). A command with shell syntax in it is handed to `sh -c`,
/// others are split at spaces.
std::vector<std::string> pager_command(Environment environment);

class Pager {
 public:
  /// A pager that never starts: output that is not a terminal, --no-pager, tests.
  Pager() = default;
  /// A pager in front of `out`, which must live longer.
  Pager(FdWriter& out, std::vector<std::string> command)
      : out_(&out), command_(std::move(command)) {}
  Pager(const Pager&) = delete;
  Pager& operator=(const Pager&) = delete;
  ~Pager() { finish(); }

  /// From now on output goes through the pager. When it cannot be started, output goes on as
  /// before. From then on the program ignores SIGINT, which is the pager's to use; calling it again
  /// does nothing.
  void begin();

  /// Hands over what is left, closes the pipe and waits until the user has left the pager.
  void finish();

 private:
  FdWriter* out_ = nullptr;
  std::vector<std::string> command_;
  pid_t child_ = -1;
  int pipe_fd_ = -1;
  int direct_fd_ = -1;  // where `out_` wrote before
};

}  // namespace pievt::render
