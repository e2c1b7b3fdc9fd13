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

/// Runs `work(out)` in a forked process, which appends what it says to `output`. Returns its wait
/// status: 0 when it came to its end.
template <class Work>
int in_a_process(const std::filesystem::path& output, Work&& work) {
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    std::ofstream out(output, std::ios::binary | std::ios::app);
    work(out);
    out.flush();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return status;
}

inline std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace pievt::faults
