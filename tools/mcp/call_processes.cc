// See call_processes.h.
#include "tools/mcp/call_processes.h"

#include <array>
#include <cerrno>
#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

namespace pievt::tools::mcp {
namespace {

struct Pipe {
  Fd read, write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return Error{Errc::busy, "no pipe for a call: too many files are open"};
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

std::string how(const process::ExitStatus& status) {
  if (status.signal) return fmt::format("it was ended by signal {}", *status.signal);
  return fmt::format("its exit code is {}", status.exit_code.value_or(-1));
}

}  // namespace

Status CallProcesses::start(CallNumber number, const std::string& tool,
                            const std::string& arguments) {
  Pipe in = PIEVT_TRY(make_pipe());
  Pipe out = PIEVT_TRY(make_pipe());
  std::vector<std::string> argv = words_;
  argv.insert(argv.end(), {"tool", "call", tool});
  argv.insert(argv.end(), flags_.begin(), flags_.end());
  auto spawned = PIEVT_TRY(process::spawn({.argv = std::move(argv),
                                           .environment = environment_,
                                           .cwd = std::filesystem::current_path(),
                                           .input = process::BorrowedFd{in.read.get()},
                                           .output = process::BorrowedFd{out.write.get()},
                                           .error = process::BorrowedFd{STDERR_FILENO}}));
  ::fcntl(in.write.get(), F_SETFL, O_NONBLOCK);
  CallerPipe lines(out.read.get());
  auto [at, fresh] =
      running_.emplace(number, Running{std::move(spawned.process), std::move(in.write),
                                       std::move(out.read), std::move(lines), arguments + "\n"});
  send(at->second);
  return {};
}

// Arguments are at most a MiB; what a pipe does not take at once goes with the next turn.
void CallProcesses::send(Running& running) {
  while (!running.unsent.empty()) {
    const ssize_t sent = ::write(running.to.get(), running.unsent.data(), running.unsent.size());
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) return;
    if (sent < 0) return running.unsent.clear();  // it has ended: its end will be seen
    running.unsent.erase(0, static_cast<std::size_t>(sent));
  }
}

void CallProcesses::cancel(CallNumber number) {
  const auto found = running_.find(number);
  if (found == running_.end()) return;
  found->second.unsent += "{\"type\":\"cancel\"}\n";
  send(found->second);
}

void CallProcesses::add_to(std::vector<pollfd>& wanted) const {
  for (const auto& [number, running] : running_) {
    wanted.push_back({.fd = running.from.get(), .events = POLLIN, .revents = 0});
    if (!running.unsent.empty())
      wanted.push_back({.fd = running.to.get(), .events = POLLOUT, .revents = 0});
  }
}

void CallProcesses::serve(Server& server, Server::Clock::time_point now) {
  for (auto at = running_.begin(); at != running_.end();) {
    Running& running = at->second;
    send(running);
    auto line = running.lines.next_line();
    while (line.ok() && *line) {
      server.call_line(at->first, std::move(**line), now);
      line = running.lines.next_line();
    }
    if (line.ok() && !running.lines.ended()) {
      ++at;
      continue;
    }
    // Its output is closed, so it has ended or is about to.
    constexpr std::chrono::seconds patience{5};
    running.process.wait_for_end(process::Clock::now() + patience);
    const auto status = running.process.reap();
    server.call_ended(at->first, status.ok() && *status ? how(**status) : "it does not end");
    at = running_.erase(at);
  }
}

}  // namespace pievt::tools::mcp
