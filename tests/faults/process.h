// A piece of a test in a process of its own: what kills it is an answer and not the end of the
// test. RocksDB's threads do not survive a fork, so whoever uses this leaves RocksDB to the
// children.
#pragma once

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

namespace pievt::faults {

/// Begins `work(out)` in a forked process, which appends what it says to `output`, and returns its
/// pid.
template <class Work>
pid_t begin_process(const std::filesystem::path& output, Work&& work) {
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    std::ofstream out(output, std::ios::binary | std::ios::app);
    work(out);
    out.flush();
    ::_exit(0);
  }
  return pid;
}

/// Waits for its end and returns its wait status: 0 when it came to the end of its work.
inline int end_of_process(pid_t pid) {
  int status = 0;
  ::waitpid(pid, &status, 0);
  return status;
}

template <class Work>
int in_a_process(const std::filesystem::path& output, Work&& work) {
  return end_of_process(begin_process(output, work));
}

inline std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace pievt::faults
