// The other side of a run's control socket: verbs, agent tools, whoever wants something of a run
// that is being supervised. Calls wait for the supervisor, up to a deadline. Not for several
// threads at once.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "store/log/byte_stream.h"
#include "supervisor/control/protocol.h"

namespace pievt::control {

class Connection {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  /// Connects to whoever supervises `run` of `store`. `program`: what we call ourselves, recorded
  /// with what we ask for. not_found: nobody supervises it now; busy: whoever does has not answered
  /// until the deadline; unsupported: whoever does is another user.
  static Result<Connection> open(const std::filesystem::path& store, std::string_view run,
                                 std::string_view program, Deadline deadline);

  /// Asks, and waits for the answer. The error is the supervisor's (with its code), or busy at the
  /// deadline, when it may still come to it, or not_found: the supervisor is gone.
  Result<Answer::Done> ask(Action action, Deadline deadline);

  /// After Subscribe: the next progress, those told during ask() included; nothing: none until the
  /// deadline. not_found: the connection ended, because the run did or its supervisor died: the log
  /// knows which.
  Result<std::optional<Progress>> next_progress(Deadline deadline);

  /// To poll for reading, for a loop that waits for other things as well; when it is readable,
  /// call next_progress with a deadline that has passed until it has nothing more.
  int fd() const { return stream_.fd(); }

  const Welcome& supervisor() const { return welcome_; }

 private:
  explicit Connection(Fd socket) : stream_(std::move(socket)) {}
  Result<std::optional<Message>> next(Deadline deadline);

  ByteStream stream_;
  Welcome welcome_;
  std::uint64_t last_number_ = 0;
  std::vector<Progress> told_;
};

/// A deadline for a supervisor that is well: it answers within one turn of its loop, which may hold
/// an append of another process up.
Connection::Deadline soon();

}  // namespace pievt::control
