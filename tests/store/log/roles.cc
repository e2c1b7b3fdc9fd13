#include "tests/store/log/roles.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iterator>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pievt/result.h"

namespace pievt::test {
namespace {

struct Role {
  std::string_view name;
  int (*play)(Arguments arguments);
};

constexpr Role roles[] = {
    {"append_for_ever", append_for_ever},
    {"append_until_full", append_until_full},
    {"follow_head", follow_head},
    {"hold_lock", hold_lock},
    {"hold_lock_and_fork", hold_lock_and_fork},
    {"lock_a_file", lock_a_file},
    {"hold_store", hold_store},
    {"kill_loop_follower", kill_loop_follower},
    {"kill_loop_reader", kill_loop_reader},
    {"kill_loop_worker", kill_loop_worker},
    {"obey", obey},
};

constexpr std::string_view role_option = "--role=";

struct Pipe {
  Fd read;
  Fd write;
};

Pipe make_pipe() {
  int ends[2];
  PIEVT_ASSERT(::pipe2(ends, O_CLOEXEC) == 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

}  // namespace

void say(std::string_view line) {
  const std::string text = fmt::format("{}\n", line);
  PIEVT_ASSERT(::write(STDOUT_FILENO, text.data(), text.size()) ==
               static_cast<ssize_t>(text.size()));
}

void wait_for_end_of_input() {
  char byte;
  while (::read(STDIN_FILENO, &byte, 1) > 0 || errno == EINTR) errno = 0;
}

Actor::Actor(std::string_view role, std::vector<std::string> arguments) {
  Pipe to = make_pipe();
  Pipe from = make_pipe();
  arguments.insert(arguments.begin(), {"log_test", fmt::format("{}{}", role_option, role)});
  std::vector<char*> argv;
  std::ranges::transform(arguments, std::back_inserter(argv), [](auto& a) { return a.data(); });
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, to.read.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, from.write.get(), STDOUT_FILENO);
  PIEVT_ASSERT(::posix_spawn(&pid_, "/proc/self/exe", &actions, nullptr, argv.data(), environ) ==
               0);
  ::posix_spawn_file_actions_destroy(&actions);
  pidfd_ = Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  PIEVT_ASSERT(static_cast<bool>(pidfd_));
  input_ = std::move(to.write);
  output_ = std::move(from.read);
}

Actor::~Actor() {
  if (pid_ != 0) kill();
}

std::string Actor::line() {
  while (said_.find('\n') == std::string::npos) {
    char buffer[512];
    const ssize_t size = ::read(output_.get(), buffer, sizeof(buffer));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return "<end>";
    said_.append(buffer, static_cast<std::size_t>(size));
  }
  const std::size_t end = said_.find('\n');
  const std::string line = said_.substr(0, end);
  said_.erase(0, end + 1);
  return line;
}

bool Actor::ends_within(std::chrono::milliseconds time) const {
  pollfd ended{pidfd_.get(), POLLIN, 0};
  return ::poll(&ended, 1, static_cast<int>(time.count())) == 1;
}

int Actor::wait() {
  struct pollfd ended {
    pidfd_.get(), POLLIN, 0
  };
  while (::poll(&ended, 1, -1) < 0) PIEVT_ASSERT(errno == EINTR);
  int status = 0;
  PIEVT_ASSERT(::waitpid(pid_, &status, 0) == pid_);
  pid_ = 0;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void Actor::tell(std::string_view line) {
  const std::string text = fmt::format("{}\n", line);
  PIEVT_ASSERT(::write(input_.get(), text.data(), text.size()) ==
               static_cast<ssize_t>(text.size()));
}

void Actor::stop() {
  ::kill(pid_, SIGSTOP);
  int status = 0;
  PIEVT_ASSERT(::waitpid(pid_, &status, WUNTRACED) == pid_ && WIFSTOPPED(status));
}

void Actor::go_on() {
  ::kill(pid_, SIGCONT);
}

int Actor::kill() {
  ::kill(pid_, SIGKILL);
  return wait();
}

}  // namespace pievt::test

int main(int argc, char** argv) {
  using namespace pievt::test;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (!arguments.empty() && arguments[0].starts_with(role_option)) {
    const std::string name = arguments[0].substr(role_option.size());
    const Role* role = std::ranges::find(roles, name, &Role::name);
    PIEVT_ASSERT(role != std::end(roles));
    return role->play(Arguments(arguments).subspan(1));
  }
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
