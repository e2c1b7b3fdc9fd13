// Peers that are programs of their own: started in a directory of ours, reached over loopback,
// stopped at the end, also when we die.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "pievt/result.h"

namespace pievt::bench {

/// The program of that name, in PATH or where Debian keeps servers. unsupported, with the package,
/// where there is none.
Result<std::string> find_server(std::string_view name, std::string_view package);

/// A port of 127.0.0.1 that nobody listens on.
Result<std::uint16_t> free_port();

/// Whom a program runs as. Some refuse to run as root.
struct RunAs {
  uid_t user = 0;
  gid_t group = 0;
};

/// Runs a program to its end, its output into `log`. io, with the end of what it said, where it
/// fails.
Status run_program(const std::vector<std::string>& argv, const std::filesystem::path& log,
                   const RunAs* as = nullptr);

/// A server that runs while this lives. Stopped with TERM, after 5 seconds with KILL; the kernel
/// stops it when we die.
class Server {
 public:
  static Result<Server> start(const std::vector<std::string>& argv,
                              const std::filesystem::path& log, const RunAs* as = nullptr);
  Server(Server&& other) noexcept;
  Server& operator=(Server&&) = delete;
  ~Server();
  /// Waits until it takes connections; 20 seconds at most, less where it has ended.
  Status wait_for_port(std::uint16_t port);

 private:
  Server(pid_t pid, std::filesystem::path log) : pid_(pid), log_(std::move(log)) {}
  pid_t pid_;
  std::filesystem::path log_;
};

/// A connection to 127.0.0.1, with what has been received and not yet taken.
class Connection {
 public:
  static Result<Connection> open(std::uint16_t port);
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&&) = delete;
  ~Connection();
  Status send(std::string_view bytes);
  /// A line without its CR LF. Valid until the next call.
  Result<std::string_view> line();
  /// So many bytes. Valid until the next call.
  Result<std::string_view> bytes(std::size_t count);

 private:
  explicit Connection(int fd) : fd_(fd) {}
  Status receive();
  int fd_;
  std::string held_;
  std::size_t taken_ = 0;
};

}  // namespace pievt::bench
