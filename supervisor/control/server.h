// The supervisor's side of a run's control socket: who is connected, what they ask, what they are
// told. It decides nothing about the run.
//
// The socket is SOCKET in the run's directory (mode 0600, in directories of mode 0700), bound by
// the holder of the run's lock alone, so one that is there already is a dead supervisor's and goes.
// Who is at the other end is asked of the kernel; strangers are not served. There is no thread: the
// supervisor's loop polls the descriptors, hands wake-ups over, and nobody is ever waited for. A
// client that does not read, asks without reading the answers, or breaks the protocol, is let go.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/log/byte_stream.h"
#include "store/log/socket.h"
#include "supervisor/control/protocol.h"
#include "supervisor/process/poller.h"

namespace pievt::control {

/// Who asks: user and process from the kernel, the name a claim.
struct Client {
  Peer peer;
  std::string program;
};

schema::RequesterT requester(const Client& client);

class Server {
 public:
  using ConnectionId = std::uint64_t;

  struct Asked {
    ConnectionId from = 0;
    Client client;
    Request request;
  };

  /// A connection that held the run (Hold), and is gone.
  struct Gone {
    Client client;
    schema::CallerGone when_gone = schema::CallerGone::unknown;
  };

  /// Listens for the run. The poller's tokens from `first_token` on are the server's.
  static Result<std::unique_ptr<Server>> listen(const std::filesystem::path& run_directory,
                                                std::string run, std::string program,
                                                process::Poller& poller, std::uint64_t first_token);
  /// Takes the socket away.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  bool owns(std::uint64_t token) const { return token >= first_token_; }

  /// Reads what has come, and sends what waits.
  Status woken(const process::Wakeup& wakeup);

  /// What was asked since the last call, in order. Subscribe and Hold are among it: the server has
  /// already done what concerns it, and the supervisor answers as for all others.
  std::vector<Asked> take_asked() { return std::exchange(asked_, {}); }

  /// Who is gone of those that held the run, since the last call.
  std::vector<Gone> take_gone() { return std::exchange(gone_, {}); }
  std::size_t holders() const;

  /// A connection that is gone by now is none of the caller's troubles.
  void answer(ConnectionId to, const Answer& answer);

  /// Tells subscribers, but for those that have not read what they were told before. `Always`: them
  /// too; for what must not be missed.
  enum class Tell : std::uint8_t { who_reads, always };
  void publish(const Progress& progress, Tell tell);
  bool has_subscribers() const;

 private:
  struct Connection {
    Connection(Fd socket, Peer who) : stream(std::move(socket)), client{who, {}} {}
    ByteStream stream;
    Client client;
    bool greeted = false;
    bool broken = false;
    bool subscribed = false;
    std::optional<schema::CallerGone> holds;
    process::Interest watched = process::Interest::read;
  };

  Server(std::filesystem::path directory, std::string run, std::string program,
         process::Poller& poller, std::uint64_t first_token, ListeningSocket socket)
      : directory_(std::move(directory)),
        run_(std::move(run)),
        program_(std::move(program)),
        poller_(poller),
        first_token_(first_token),
        next_(first_token + 1),
        socket_(std::move(socket)) {}

  Status accept_all();
  void read(ConnectionId id, Connection& connection);
  void handle(ConnectionId id, Connection& connection, Message message);
  void greet(Connection& connection, const Hello& hello);
  /// Sends what waits; lets go of who is gone.
  void tend(ConnectionId id);
  void let_go(std::map<ConnectionId, Connection>::iterator at);

  const std::filesystem::path directory_;
  const std::string run_, program_;
  process::Poller& poller_;
  const std::uint64_t first_token_;
  ConnectionId next_;
  ListeningSocket socket_;
  std::map<ConnectionId, Connection> connections_;
  std::vector<Asked> asked_;
  std::vector<Gone> gone_;
};

}  // namespace pievt::control
