// The children of the tests: one small program that behaves as its first argument says. Built
// without sanitizers, so that it starts fast and its descriptors, signals and memory are its own.
//
// What waits for ever ends by itself after a minute, so that a failing test leaves nothing behind.
#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

using Arguments = std::vector<std::string>;

void say(const std::string& line) {
  const std::string text = line + "\n";
  if (::write(STDOUT_FILENO, text.data(), text.size()) < 0) std::_Exit(99);
}

[[noreturn]] void wait_for_the_end() {
  ::alarm(60);
  for (;;) ::pause();
}

long number(const Arguments& arguments, std::size_t at) {
  return std::strtol(arguments.at(at).c_str(), nullptr, 10);
}

int exit_with(const Arguments& arguments) {
  return static_cast<int>(number(arguments, 1));
}

int print_directory_and_ids() {
  std::array<char, 4096> directory;
  say(std::string("cwd ") + ::getcwd(directory.data(), directory.size()));
  say(std::string("leads its session: ") + (::getsid(0) == ::getpid() ? "yes" : "no"));
  say(std::string("leads its group: ") + (::getpgrp() == ::getpid() ? "yes" : "no"));
  return 0;
}

void print_descriptors() {
  DIR* directory = ::opendir("/proc/self/fd");
  while (const dirent* entry = ::readdir(directory)) {
    const std::string name = entry->d_name;
    if (name.starts_with('.') || name == std::to_string(::dirfd(directory))) continue;
    const long flags = ::fcntl(std::stoi(name), F_GETFL);
    say("fd " + name + ((flags & O_NONBLOCK) != 0 ? " nonblocking" : "") +
        ((flags & O_APPEND) != 0 ? " appending" : ""));
  }
  ::closedir(directory);
}

void print_signals() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("SigBlk:") || line.starts_with("SigIgn:")) say(line);
}

/// Everything a child can tell about how it was started.
int report(const Arguments& arguments) {
  print_descriptors();
  print_signals();
  print_directory_and_ids();
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  say("open files " + std::to_string(files.rlim_cur));
  for (const std::string& each : arguments) say("arg " + each);
  for (char** each = ::environ; *each != nullptr; ++each) say(std::string("env ") + *each);
  std::ostringstream input;
  for (char byte = 0; std::cin.get(byte);) input.put(byte);
  say("stdin " + input.str());
  return 0;
}

int wait_ready(const Arguments&) {
  say("ready");
  wait_for_the_end();
}

int ignore_term(const Arguments&) {
  ::signal(SIGTERM, SIG_IGN);
  say("ready");
  wait_for_the_end();
}

/// As pi ends: an exit code in place of the signal.
int exit_143(const Arguments&) {
  ::signal(SIGTERM, [](int) { std::_Exit(143); });
  say("ready");
  wait_for_the_end();
}

/// Leaves behind a process in a session of its own, as pi's tools are, and ends.
int leave_grandchild(const Arguments&) {
  if (::fork() == 0) {
    ::setsid();
    say(std::to_string(::getpid()));
    wait_for_the_end();
  }
  return 0;
}

/// As above, and the grandchild ends as soon as its parent has.
int leave_ending_grandchild(const Arguments&) {
  std::array<int, 2> alive{};
  if (::pipe(alive.data()) != 0) return 1;
  const pid_t grandchild = ::fork();
  if (grandchild == 0) {
    ::close(alive[1]);
    char byte = 0;
    const bool ended = ::read(alive[0], &byte, 1) == 0;
    return ended ? 5 : 6;
  }
  say(std::to_string(grandchild));
  return 0;
}

/// Forks for as long as it lives; each child waits.
int fork_for_ever(const Arguments& arguments) {
  const long children_max = number(arguments, 1);
  say("ready");
  for (long i = 0; i < children_max; ++i)
    if (::fork() == 0) wait_for_the_end();
  wait_for_the_end();
}

/// Lives on in one new process after another, each of which forks and ends; for so many seconds.
int hop(const Arguments& arguments) {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const time_t end = now.tv_sec + number(arguments, 1);
  say("ready");
  while (now.tv_sec < end) {
    if (::fork() > 0) std::_Exit(0);
    ::clock_gettime(CLOCK_MONOTONIC, &now);
  }
  return 0;
}

/// Its first thread ends, another one goes on: /proc shows a zombie without environment.
int lose_first_thread(const Arguments&) {
  pthread_t other{};
  ::pthread_create(
      &other, nullptr,
      [](void* first) -> void* {
        ::pthread_join(*static_cast<pthread_t*>(first), nullptr);
        say("ready");
        wait_for_the_end();
      },
      new pthread_t(::pthread_self()));
  ::pthread_exit(nullptr);
}

/// Nobody but root may look at it.
int hide(const Arguments&) {
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  say("ready");
  wait_for_the_end();
}

int close_output(const Arguments&) {
  say("ready");
  ::close(STDOUT_FILENO);
  ::close(STDERR_FILENO);
  wait_for_the_end();
}

/// Numbered lines of 64 bytes.
int flood(const Arguments& arguments) {
  std::string chunk;
  for (long i = 0; i < number(arguments, 1); ++i) {
    std::string line = std::to_string(i);
    line.resize(63, '.');
    chunk += line + "\n";
    if (chunk.size() < 64u << 10) continue;
    if (::write(STDOUT_FILENO, chunk.data(), chunk.size()) < 0) return 1;
    chunk.clear();
  }
  return ::write(STDOUT_FILENO, chunk.data(), chunk.size()) < 0 ? 1 : 0;
}

int kill_itself(const Arguments& arguments) {
  ::raise(static_cast<int>(number(arguments, 1)));
  return 0;
}

/// Touches so many KiB, says so, and ends when its input does.
int eat_memory(const Arguments& arguments) {
  std::vector<char> memory(static_cast<std::size_t>(number(arguments, 1)) << 10, 'x');
  say("ready");
  char byte = 0;
  const bool ended = ::read(STDIN_FILENO, &byte, 1) == 0;
  return ended && std::ranges::count(memory, 'x') > 0 ? 0 : 1;
}

/// Uses up some processor time.
int work(const Arguments&) {
  volatile unsigned long sum = 0;
  while (std::clock() < CLOCKS_PER_SEC / 20) sum = sum + 1;
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::map<std::string, int (*)(const Arguments&)> behaviours{
      {"close-output", close_output},
      {"eat-memory", eat_memory},
      {"exit", exit_with},
      {"exit-143", exit_143},
      {"flood", flood},
      {"fork-for-ever", fork_for_ever},
      {"hide", hide},
      {"hop", hop},
      {"ignore-term", ignore_term},
      {"kill-itself", kill_itself},
      {"leave-ending-grandchild", leave_ending_grandchild},
      {"leave-grandchild", leave_grandchild},
      {"lose-first-thread", lose_first_thread},
      {"report", report},
      {"wait", wait_ready},
      {"work", work}};
  const Arguments arguments(argv + 1, argv + argc);
  const auto wanted = behaviours.find(arguments.empty() ? "" : arguments.front());
  return wanted == behaviours.end() ? 98 : wanted->second(arguments);
}
