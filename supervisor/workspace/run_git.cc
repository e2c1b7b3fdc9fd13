#include "supervisor/workspace/run_git.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>

#include "supervisor/process/fd.h"

namespace pievt::workspace {
namespace {

using process::Clock;
using process::Fd;
using process::Variable;

constexpr std::chrono::minutes time_max{10};
constexpr std::size_t complaint_bytes_max = 4096;

// PATH is where git is found; HOME is a place where there is no configuration.
std::vector<Variable> environment_of(const std::filesystem::path& git_directory) {
  const char* path = std::getenv("PATH");
  return {{"PATH", path == nullptr || *path == '\0' ? "/usr/local/bin:/usr/bin:/bin" : path},
          {"HOME", git_directory.string()},
          {"LC_ALL", "C"},
          {"GIT_DIR", git_directory.string()},
          {"GIT_CONFIG_NOSYSTEM", "1"},
          {"GIT_CONFIG_SYSTEM", "/dev/null"},
          {"GIT_CONFIG_GLOBAL", "/dev/null"},
          {"GIT_ATTR_NOSYSTEM", "1"},
          {"GIT_NO_REPLACE_OBJECTS", "1"},
          {"GIT_NO_LAZY_FETCH", "1"},
          {"GIT_OPTIONAL_LOCKS", "0"},
          {"GIT_TERMINAL_PROMPT", "0"},
          {"GIT_PAGER", "cat"},
          {"GIT_AUTHOR_NAME", "pievt"},
          {"GIT_AUTHOR_EMAIL", "pievt@localhost"},
          {"GIT_COMMITTER_NAME", "pievt"},
          {"GIT_COMMITTER_EMAIL", "pievt@localhost"}};
}

struct Ends {
  Fd ours, theirs;
};

// A socket rather than a pipe for what it reads: writing to one that is gone is then an error and
// not a signal.
Result<Ends> make_ends() {
  std::array<int, 2> fds{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) != 0)
    return os_error("cannot talk to git", errno);
  return Ends{Fd(fds[0]), Fd(fds[1])};
}

// Reads what is there; false at the end.
Result<bool> read_some(const Fd& fd,
                       const std::function<Status(std::span<const std::byte>)>& sink) {
  std::array<std::byte, 64 << 10> buffer;
  const ssize_t got = ::recv(fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return true;
  if (got < 0 && errno != ECONNRESET) return os_error("cannot hear git", errno);
  if (got <= 0) return false;
  PIEVT_TRY(sink(std::span(buffer.data(), static_cast<std::size_t>(got))));
  return true;
}

struct Talk {
  Fd input, output, errors;
  std::string complaint;

  Status converse(std::string_view left,
                  const std::function<Status(std::span<const std::byte>)>& sink) {
    const auto end = Clock::now() + time_max;
    if (left.empty()) input.reset();
    while (output.is_open() || errors.is_open()) {
      std::array<pollfd, 3> fds{
          {{input.get(), POLLOUT, 0}, {output.get(), POLLIN, 0}, {errors.get(), POLLIN, 0}}};
      const auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
      if (wait.count() <= 0) return Error{Errc::busy, "git did not end within ten minutes"};
      const int ready = ::poll(fds.data(), fds.size(), static_cast<int>(wait.count()));
      if (ready < 0 && errno != EINTR) return os_error("cannot wait for git", errno);
      if (ready <= 0) continue;
      if (fds[0].revents != 0) send(left);
      if (fds[1].revents != 0 && !PIEVT_TRY(read_some(output, sink))) output.reset();
      if (fds[2].revents != 0 && !PIEVT_TRY(read_some(errors, [&](auto bytes) -> Status {
            const auto* text = reinterpret_cast<const char*>(bytes.data());
            complaint.append(text, bytes.size());
            if (complaint.size() > complaint_bytes_max)
              complaint.erase(0, complaint.size() - complaint_bytes_max);
            return {};
          })))
        errors.reset();
    }
    return {};
  }

 private:
  // That git does not want to hear the rest is told by how it ends.
  void send(std::string_view& left) {
    const ssize_t sent = ::send(input.get(), left.data(), left.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (sent < 0) return input.reset();
    left.remove_prefix(static_cast<std::size_t>(sent));
    if (left.empty()) input.reset();
  }
};

std::string last_line(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  const std::size_t at = text.rfind('\n');
  return std::string(at == std::string_view::npos ? text : text.substr(at + 1));
}

struct Ended {
  std::optional<int> exit_code;
  std::string complaint;
};

Result<Ended> run(const std::filesystem::path& git_directory,
                  const std::vector<std::string>& arguments, const std::vector<Variable>& more,
                  std::string_view input,
                  const std::function<Status(std::span<const std::byte>)>& sink) {
  Ends in = PIEVT_TRY(make_ends()), out = PIEVT_TRY(make_ends()), err = PIEVT_TRY(make_ends());
  process::SpawnRequest request;
  request.argv = {"git"};
  request.argv.insert(request.argv.end(), arguments.begin(), arguments.end());
  request.environment = environment_of(git_directory);
  request.environment.insert(request.environment.end(), more.begin(), more.end());
  request.cwd = git_directory;
  request.input = process::BorrowedFd{in.theirs.get()};
  request.output = process::BorrowedFd{out.theirs.get()};
  request.error = process::BorrowedFd{err.theirs.get()};
  process::Spawned git = PIEVT_TRY(process::spawn(request));
  in.theirs.reset();
  out.theirs.reset();
  err.theirs.reset();
  Talk talk{std::move(in.ours), std::move(out.ours), std::move(err.ours), {}};
  const Status talked = talk.converse(input, sink);
  if (!talked.ok()) static_cast<void>(git.process.signal(SIGKILL));
  git.process.wait_for_end(Clock::now() + time_max);
  const auto ended = PIEVT_TRY(git.process.reap());
  if (!talked.ok()) return talked.error();
  return Ended{ended ? ended->exit_code : std::nullopt, std::move(talk.complaint)};
}

Error failure(const std::vector<std::string>& arguments, const Ended& ended) {
  return {Errc::io,
          fmt::format("git {} failed: {}", arguments[0],
                      ended.complaint.empty() ? "it said nothing" : last_line(ended.complaint))};
}

}  // namespace

Status run_git(const std::filesystem::path& git_directory,
               const std::vector<std::string>& arguments, const std::vector<Variable>& more,
               std::string_view input,
               const std::function<Status(std::span<const std::byte>)>& sink) {
  const Ended ended = PIEVT_TRY(run(git_directory, arguments, more, input, sink));
  if (ended.exit_code == 0) return {};
  return failure(arguments, ended);
}

Result<int> ask_git(const std::filesystem::path& git_directory,
                    const std::vector<std::string>& arguments, const std::vector<Variable>& more,
                    std::string_view input,
                    const std::function<Status(std::span<const std::byte>)>& sink) {
  const Ended ended = PIEVT_TRY(run(git_directory, arguments, more, input, sink));
  if (ended.exit_code && *ended.exit_code <= 127) return *ended.exit_code;
  return failure(arguments, ended);
}

}  // namespace pievt::workspace
