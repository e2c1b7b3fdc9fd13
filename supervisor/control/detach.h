// A run that belongs to nobody's process tree: pievtd is started for it, one process a run, and
// lives in a session of its own, below init, with no descriptor of whoever started it. Ending the
// starter, its terminal or its process group does nothing to it. What it is told, and what it
// answers, goes over one pair of sockets that is closed when the run is planned; whoever wants to
// follow or hold the run then opens its control socket (client.h).
//
//   auto started = control::start_detached({.store = ..., .run = supervisor::new_run_id(),
//                                           .plan_text = ..., .cwd = ...});
//   auto run = control::Connection::open(store, started->run, "my program", control::soon());
//   run->ask(control::Hold{}, control::soon());
//
// The daemon's log is pievtd.log in the run's directory: what it could not tell anybody else.
// Normally it is empty, and goes with the daemon.
#pragma once

#include <chrono>
#include <filesystem>

#include "store/log/byte_stream.h"
#include "store/log/socket.h"
#include "supervisor/control/protocol.h"

namespace pievt::control {

struct DetachOptions {
  /// What is executed, with argv[0] `pievtd`. Empty: the program that calls, so that starter and
  /// daemon are always of one version.
  std::filesystem::path program;
  /// Opening the store may wait for the process that writes it.
  std::chrono::milliseconds patience{60'000};
};

/// Starts pievtd for `start` and returns when the run is durably planned (or taken over) and is
/// being supervised. What the daemon refuses comes back as its error: a plan that is wrong, a pi
/// that is missing, a run that is supervised already. busy: no answer in time; the daemon then
/// gives up before it plans anything. invalid_transition: the caller itself runs inside an attempt
/// of pievt, with which everything it starts is swept away.
///
/// The child is given this process's environment. To be called by a process that does not wait for
/// children it did not start.
Result<Started> start_detached(const Start& start, const DetachOptions& options = {});

/// The daemon's end.
class StartChannel {
 public:
  /// The descriptor that every pievtd has its starter at.
  static constexpr int fd_number = 3;

  /// io: there is no starter; pievtd is not for people.
  static Result<StartChannel> adopt();

  /// Waits for what is to be done.
  Result<Start> receive();

  /// Whether the starter still waits. Who does not is not worked for.
  bool starter_waits() const;

  /// Tells the starter, and lets go of it. A starter that is gone by now is no error.
  void tell(const Started& started);
  void tell(const Error& error);

  /// Who started this process, from the kernel.
  const Peer& starter() const { return starter_; }

 private:
  StartChannel(Fd socket, Peer starter) : stream_(std::move(socket)), starter_(starter) {}
  void send(const Message& message);

  ByteStream stream_;
  Peer starter_;
};

/// The daemon's last act: its log goes when nothing is in it.
void remove_empty_log(const std::filesystem::path& store, std::string_view run);

}  // namespace pievt::control
