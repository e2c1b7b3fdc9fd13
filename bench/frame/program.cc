#include "bench/frame/program.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "tools/measure/latencies.h"

namespace pievt::bench {

using measure::Latencies;
using measure::Line;

Result<std::uint64_t> run_program(const std::vector<std::string>& argv, int exits) {
  std::vector<char*> pointers;
  for (const std::string& word : argv) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;  // the bench holds its own back (HeldSignals)
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd < 3; ++fd) ::dup2(nowhere, fd);
    ::execv(pointers[0], pointers.data());
    ::_exit(127);
  }
  int status = 0;
  rusage used{};
  if (pid < 0 || ::wait4(pid, &status, 0, &used) != pid)
    return Error{Errc::io, fmt::format("running {}: {}", argv[0], std::strerror(errno))};
  if (!WIFEXITED(status) || WEXITSTATUS(status) != exits)
    return Error{Errc::io, fmt::format("{} failed", fmt::join(argv, " "))};
  return static_cast<std::uint64_t>(used.ru_maxrss) * 1024;
}

Line repeated(std::string_view key, std::string work, int times, const Act& before,
              const Act& act) {
  Line line{.name = std::string(key), .work = std::move(work), .durability = {}};
  Latencies latencies;
  for (int i = 0; i < times; ++i) {
    const Result<std::uint64_t> ready = before();
    if (!ready.ok()) {
      line.skipped = ready.error().what;
      return line;
    }
    auto [done, ns] = measure::timed(act);
    if (!done.ok()) {
      line.skipped = done.error().what;
      return line;
    }
    latencies.add(ns);
    line.resident_bytes = std::max(line.resident_bytes, *done);
  }
  line.operations = latencies.count();
  line.latency = latencies.percentiles();
  return line;
}

}  // namespace pievt::bench
