// posix_spawn and not the supervisor's process library: the renderer stands below it, and a pager
// wants to be an ordinary foreground child that shares our terminal.
#include "tools/render/pager.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

namespace pievt::render {
namespace {

std::vector<std::string> split_at_spaces(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) break;
    const std::size_t end = std::min(text.find_first_of(" \t", begin), text.size());
    words.emplace_back(text.substr(begin, end - begin));
    text.remove_prefix(end);
  }
  return words;
}

// Starts `command` with `input` as its stdin and the signals we ignore at their defaults; -1 when
// it cannot be started. LESS is set for a `less` whose user has not said how he likes it, as git
// does.
pid_t spawn_pager(std::vector<std::string> command, int input) {
  ::setenv("LESS", "FRX",
           0);  // NOLINT(concurrency-mt-unsafe): the only thread, before anything is read
  std::vector<char*> argv;
  for (std::string& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  sigset_t defaults;
  ::sigemptyset(&defaults);
  ::sigaddset(&defaults, SIGPIPE);
  ::sigaddset(&defaults, SIGXFSZ);
  ::sigaddset(&defaults, SIGINT);
  ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  pid_t child = -1;
  if (::posix_spawnp(&child, argv[0], &actions, &attributes, argv.data(), ::environ) != 0)
    child = -1;
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  return child;
}

}  // namespace

std::vector<std::string> pager_command(Environment environment) {
  std::string_view wanted = "less -FRX";
  for (const char* name : {"PIEVT_PAGER", "PAGER"}) {
    if (const char* value = environment(name)) {
      wanted = value;
      break;
    }
  }
  if (wanted.find_first_of("|&;<>()$`\\\"'*?[#~=%{}") != std::string_view::npos) {
    return {"/bin/sh", "-c", std::string(wanted)};
  }
  std::vector<std::string> words = split_at_spaces(wanted);
  if (words.size() == 1 && words[0] == "cat") words.clear();
  return words;
}

void Pager::begin() {
  if (out_ == nullptr || command_.empty() || child_ != -1) return;
  out_->flush();
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
  child_ = spawn_pager(command_, ends[0]);
  ::close(ends[0]);
  if (child_ == -1) {
    ::close(ends[1]);
    command_.clear();
    return;
  }
  ::signal(SIGINT, SIG_IGN);
  pipe_fd_ = ends[1];
  direct_fd_ = out_->fd();
  out_->redirect(pipe_fd_);
}

void Pager::finish() {
  if (child_ == -1) return;
  out_->flush();
  // Whatever is written from here on is not lost in a closed pipe but shown after the pager.
  out_->redirect(direct_fd_);
  ::close(pipe_fd_);
  int status = 0;
  while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
  }
  child_ = -1;
  ::signal(SIGINT, SIG_DFL);
}

}  // namespace pievt::render
