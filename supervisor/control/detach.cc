// fork and exec by hand: posix_spawn can make a session but not leave it to a second child. RocksDB
// may have threads here, so between fork and exec there are only system calls on what was prepared
// before.
#include "supervisor/control/detach.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "supervisor/launch/directory.h"
#include "supervisor/launch/run_lock.h"

namespace pievt::control {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* log_name = "pievtd.log";
constexpr std::size_t started_bytes_max = 4u << 20;

Result<std::string> own_program() {
  std::error_code failed;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", failed);
  if (failed) return Error{Errc::unsupported, "/proc/self/exe cannot be read; is /proc mounted?"};
  // Replaced by an upgrade meanwhile: the old one can still be executed by its descriptor.
  return path.string().ends_with(" (deleted)") ? std::string("/proc/self/exe") : path.string();
}

Result<Fd> open_log(const std::filesystem::path& store, std::string_view run) {
  const process::Fd directory = PIEVT_TRY(launch::make_run_directory(store, run));
  Fd log(::openat(directory.get(), log_name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
                  0600));
  if (!log) return os_error(fmt::format("cannot make the log of pievtd for run {}", run), errno);
  return log;
}

// Everything the child needs, so that it allocates nothing.
struct Child {
  std::string program;
  std::array<char*, 2> argv{};
  int null = -1, log = -1, channel = -1;
};

[[noreturn]] void give_up(const char* what) {
  static_cast<void>(!::write(STDERR_FILENO, what, __builtin_strlen(what)));
  ::_exit(127);
}

// In the child of a fork: system calls only.
[[noreturn]] void become_daemon(Child& child) {
  if (::setsid() < 0) give_up("pievtd: setsid failed\n");
  // Not the leader of the session, so that no terminal can ever become its own; and a child of init
  // (or of a subreaper), so that nobody waits for it.
  const pid_t second = ::fork();
  if (second != 0) ::_exit(second < 0 ? 127 : 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  ::umask(077);
  if (::chdir("/") != 0) give_up("pievtd: chdir failed\n");
  // Above what it becomes, so that no copy overwrites another's source.
  const int channel = ::fcntl(child.channel, F_DUPFD, 16);
  const int log = ::fcntl(child.log, F_DUPFD, 16);
  const int null = ::fcntl(child.null, F_DUPFD, 16);
  if (::dup2(null, 0) < 0 || ::dup2(log, 1) < 0 || ::dup2(log, 2) < 0 ||
      ::dup2(channel, StartChannel::fd_number) < 0) {
    give_up("pievtd: dup2 failed\n");
  }
  if (::close_range(StartChannel::fd_number + 1, ~0u, 0) != 0)
    give_up("pievtd: close_range failed\n");
  ::execv(child.program.c_str(), child.argv.data());
  give_up("pievtd: cannot be executed\n");
}

Error ended_early(const Start& start) {
  return {Errc::io,
          fmt::format("pievtd ended before run {} was planned; see {}", start.run,
                      (launch::run_directory(start.store, start.run) / log_name).string())};
}

Result<Started> wait_for_answer(ByteStream& stream, const Start& start,
                                std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  for (;;) {
    if (stream.flush() == ByteStream::State::ended) return ended_early(start);
    if (const auto bytes = PIEVT_TRY(stream.next_message())) {
      const Message message = PIEVT_TRY(parse(*bytes));
      if (const auto* refused = std::get_if<Refused>(&message)) return refused->error;
      const auto* started = std::get_if<Started>(&message);
      if (started == nullptr) return Error{Errc::io, "pievtd answers out of turn"};
      return *started;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) {
      return Error{Errc::busy, fmt::format("pievtd has not planned run {} in time; it gives up by "
                                           "itself: try again",
                                           start.run)};
    }
    const auto events = static_cast<short>(stream.unsent() > 0 ? POLLIN | POLLOUT : POLLIN);
    pollfd wait{stream.fd(), events, 0};
    if (::poll(&wait, 1, static_cast<int>(left.count())) <= 0) continue;
    if ((wait.revents & (POLLIN | POLLHUP | POLLERR)) == 0) continue;
    if (stream.receive(started_bytes_max) == ByteStream::State::ended) {
      if (const auto last = PIEVT_TRY(stream.next_message())) {
        const Message message = PIEVT_TRY(parse(*last));
        if (const auto* refused = std::get_if<Refused>(&message)) return refused->error;
        if (const auto* started = std::get_if<Started>(&message)) return *started;
      }
      return ended_early(start);
    }
  }
}

}  // namespace

Result<Started> start_detached(const Start& start, const DetachOptions& options) {
  if (const char* marker = ::getenv("PIEVT_ATTEMPT"); marker != nullptr && *marker != '\0') {
    return Error{Errc::invalid_transition,
                 fmt::format("this is inside an attempt of pievt ({}), with which everything it "
                             "starts is swept away; start the run from outside",
                             marker)};
  }
  wire::Frame frame = frame_of(start);
  if (frame.size() > start_bytes_max)
    return Error{Errc::invalid, "the plan is too large to be handed to pievtd"};
  Child child;
  child.program = options.program.empty() ? PIEVT_TRY(own_program()) : options.program.string();
  std::string name = "pievtd";
  child.argv = {name.data(), nullptr};
  const Fd log = PIEVT_TRY(open_log(start.store, start.run));
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  std::array<int, 2> pair{};
  if (!null || ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0)
    return os_error(Errc::io, "cannot prepare pievtd", errno);
  Fd ours(pair[0]);
  Fd theirs(pair[1]);
  child.null = null.get();
  child.log = log.get();
  child.channel = theirs.get();
  static_cast<void>(::fcntl(ours.get(), F_SETFL, O_NONBLOCK));

  const pid_t first = ::fork();
  if (first < 0) return os_error(Errc::busy, "cannot start pievtd", errno);
  if (first == 0) become_daemon(child);
  theirs = Fd();
  int status = 0;
  while (::waitpid(first, &status, 0) < 0 && errno == EINTR) {
  }
  ByteStream stream(std::move(ours));
  stream.queue(frame);
  return wait_for_answer(stream, start, options.patience);
}

Result<StartChannel> StartChannel::adopt() {
  const auto peer = peer_of(fd_number);
  if (!peer.ok()) {
    return Error{Errc::invalid,
                 "pievtd is started by `pievt run --detach` and by agent tools, not by hand"};
  }
  // From here on it is ours alone: children must not inherit it.
  static_cast<void>(::fcntl(fd_number, F_SETFD, FD_CLOEXEC));
  static_cast<void>(::fcntl(fd_number, F_SETFL, O_NONBLOCK));
  return StartChannel(Fd(fd_number), *peer);
}

Result<Start> StartChannel::receive() {
  for (;;) {
    if (const auto bytes = PIEVT_TRY(stream_.next_message())) {
      Message message = PIEVT_TRY(parse(*bytes));
      if (auto* start = std::get_if<Start>(&message)) return std::move(*start);
      return Error{Errc::invalid, "pievtd was told something else than to start"};
    }
    pollfd wait{stream_.fd(), POLLIN, 0};
    static_cast<void>(::poll(&wait, 1, -1));
    if (stream_.receive(started_bytes_max) == ByteStream::State::ended && !starter_waits())
      return Error{Errc::io, "whoever started pievtd is gone before saying what to do"};
  }
}

bool StartChannel::starter_waits() const {
  pollfd wait{stream_.fd(), POLLIN, 0};
  return ::poll(&wait, 1, 0) >= 0 && (wait.revents & (POLLHUP | POLLERR | POLLNVAL)) == 0;
}

void StartChannel::send(const Message& message) {
  stream_.queue(frame_of(message));
  while (stream_.flush() == ByteStream::State::open && stream_.unsent() > 0) {
    pollfd wait{stream_.fd(), POLLOUT, 0};
    static_cast<void>(::poll(&wait, 1, -1));
  }
  stream_ = ByteStream(Fd());
}

void StartChannel::tell(const Started& started) {
  send(started);
}

void StartChannel::tell(const Error& error) {
  send(Refused{error});
}

void remove_empty_log(const std::filesystem::path& store, std::string_view run) {
  const std::filesystem::path log = launch::run_directory(store, run) / log_name;
  std::error_code failed;
  if (std::filesystem::file_size(log, failed) == 0 && !failed) std::filesystem::remove(log, failed);
}

}  // namespace pievt::control
