#include "bench/peers/server.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <utility>

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

namespace pievt::bench {
namespace {

Error io_error(std::string_view doing) {
  return {Errc::io, fmt::format("{}: {}", doing, std::strerror(errno))};
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

std::string end_of(const std::filesystem::path& log) {
  std::ifstream in(log);
  const std::string all{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  std::string end = all.size() > 300 ? all.substr(all.size() - 300) : all;
  for (char& c : end) {
    if (c == '\n') c = ' ';
  }
  return end;
}

// Only what is allowed between fork and exec in a program with threads.
[[noreturn]] void become(char* const* argv, int log, const RunAs* as) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::setpgid(0, 0);
  ::dup2(log, 1);
  ::dup2(log, 2);
  if (as != nullptr) {
    if (::setgroups(1, &as->group) != 0 || ::setgid(as->group) != 0 || ::setuid(as->user) != 0)
      ::_exit(126);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // changing the user has cleared it
  }
  ::execv(argv[0], argv);
  ::_exit(127);
}

Result<pid_t> spawn(const std::vector<std::string>& argv, const std::filesystem::path& log,
                    const RunAs* as) {
  std::vector<char*> pointers;
  for (const std::string& word : argv) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) return io_error(fmt::format("making {}", log.string()));
  const pid_t pid = ::fork();
  if (pid == 0) become(pointers.data(), fd, as);
  ::close(fd);
  if (pid < 0) return io_error(fmt::format("starting {}", argv[0]));
  return pid;
}

void pause_ms(int ms) {
  ::poll(nullptr, 0, ms);
}

}  // namespace

Result<std::string> find_server(std::string_view name, std::string_view package) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(std::string(path == nullptr ? "" : path) +
                             ":/usr/sbin:/usr/lib/postgresql/15/bin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    const std::string program = fmt::format("{}/{}", folder, name);
    if (!folder.empty() && ::access(program.c_str(), X_OK) == 0) return program;
  }
  return Error{Errc::unsupported,
               fmt::format("{} is not installed (package {}); scripts/setup bench brings it", name,
                           package)};
}

Result<std::uint16_t> free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof(address);
  const bool known = fd >= 0 &&
                     ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
                     ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  if (fd >= 0) ::close(fd);
  if (!known) return io_error("looking for a free port");
  return ntohs(address.sin_port);
}

Status run_program(const std::vector<std::string>& argv, const std::filesystem::path& log,
                   const RunAs* as) {
  const pid_t pid = PIEVT_TRY(spawn(argv, log, as));
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return Error{Errc::io, fmt::format("{} failed: {}", argv[0], end_of(log))};
}

Result<Server> Server::start(const std::vector<std::string>& argv, const std::filesystem::path& log,
                             const RunAs* as) {
  const pid_t pid = PIEVT_TRY(spawn(argv, log, as));
  return Server(pid, log);
}

Server::Server(Server&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), log_(std::move(other.log_)) {}

Server::~Server() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGTERM);
  for (int waited_ms = 0; ::waitpid(pid_, nullptr, WNOHANG) == 0; waited_ms += 10) {
    if (waited_ms == 5000) ::kill(pid_, SIGKILL);
    pause_ms(10);
  }
}

Status Server::wait_for_port(std::uint16_t port) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!Connection::open(port).ok()) {
    if (::waitpid(pid_, nullptr, WNOHANG) != 0) {
      pid_ = -1;
      return Error{Errc::io, fmt::format("it ended at once: {}", end_of(log_))};
    }
    if (std::chrono::steady_clock::now() > end)
      return Error{Errc::io, fmt::format("it takes no connections: {}", end_of(log_))};
    pause_ms(20);
  }
  return {};
}

Result<Connection> Connection::open(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return io_error("making a socket");
  Connection connection(fd);
  const sockaddr_in address = loopback(port);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0)
    return io_error(fmt::format("connecting to port {}", port));
  const int yes = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  return connection;
}

Connection::Connection(Connection&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      held_(std::move(other.held_)),
      taken_(std::exchange(other.taken_, 0)) {}

Connection::~Connection() {
  if (fd_ >= 0) ::close(fd_);
}

Status Connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return io_error("sending");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Status Connection::receive() {
  held_.erase(0, std::exchange(taken_, 0));
  char buffer[1 << 14];
  const ssize_t got = ::recv(fd_, buffer, sizeof(buffer), 0);
  if (got < 0 && errno == EINTR) return {};
  if (got < 0) return io_error("receiving");
  if (got == 0) return Error{Errc::io, "the server has closed the connection"};
  held_.append(buffer, static_cast<std::size_t>(got));
  return {};
}

Result<std::string_view> Connection::line() {
  std::size_t end;
  while ((end = held_.find("\r\n", taken_)) == std::string::npos) PIEVT_TRY(receive());
  const std::string_view line = std::string_view(held_).substr(taken_, end - taken_);
  taken_ = end + 2;
  return line;
}

Result<std::string_view> Connection::bytes(std::size_t count) {
  while (held_.size() - taken_ < count) PIEVT_TRY(receive());
  const std::string_view bytes = std::string_view(held_).substr(taken_, count);
  taken_ += count;
  return bytes;
}

}  // namespace pievt::bench
