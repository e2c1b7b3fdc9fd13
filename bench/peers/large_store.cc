#include "bench/peers/large_store.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <functional>
#include <string>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "pievt/query.h"
#include "tools/measure/events.h"
#include "tools/measure/latencies.h"

namespace pievt::bench {
namespace {

using measure::Latencies;
using measure::Line;
namespace fs = std::filesystem;

// Pages of 100, and the saved states that a supervisor leaves behind.
Status write_store(const fs::path& store, std::uint64_t events) {
  PIEVT_TRY(measure::write_run(store, events, 100));
  Log log = PIEVT_TRY(Log::open(store, {.mode = OpenMode::write}));
  PIEVT_TRY(save_views(log, "bench"));
  return log.close();
}

// The most memory that a run of the program had; its output goes nowhere.
Result<std::uint64_t> run_program(const std::vector<std::string>& argv) {
  std::vector<char*> pointers;
  for (const std::string& word : argv) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd < 3; ++fd) ::dup2(nowhere, fd);
    ::execv(pointers[0], pointers.data());
    ::_exit(127);
  }
  int status = 0;
  rusage used{};
  if (pid < 0 || ::wait4(pid, &status, 0, &used) != pid)
    return Error{Errc::io, fmt::format("running {}: {}", argv[0], std::strerror(errno))};
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return Error{Errc::io, fmt::format("{} {} failed", argv[0], argv[1])};
  return static_cast<std::uint64_t>(used.ru_maxrss) * 1024;
}

using Act = std::function<Result<std::uint64_t>()>;

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

Act open_it(const fs::path& store, OpenMode mode, std::optional<Log>& into) {
  return [&store, mode, &into]() -> Result<std::uint64_t> {
    Log opened = PIEVT_TRY(Log::open(store, {.mode = mode}));
    into.emplace(std::move(opened));
    return std::uint64_t{0};
  };
}

}  // namespace

std::vector<Line> measure_large_store(const fs::path& directory, const fs::path& pievt,
                                      std::uint64_t events) {
  const fs::path store = directory / "large", image = directory / "killed";
  const std::string of = fmt::format("a store of {} events", events);
  const Status written = write_store(store, events);
  if (!written.ok())
    return {
        {.name = "large.open.read", .work = of, .durability = {}, .skipped = written.error().what}};
  std::optional<Log> log;
  const Act close = [&]() -> Result<std::uint64_t> {
    log.reset();
    return std::uint64_t{0};
  };
  const Act kill = [&]() -> Result<std::uint64_t> {
    log.reset();
    // As many as the write-ahead log may hold before it is emptied.
    PIEVT_TRY(measure::image_of_killed_writer(store, image, 15'000));
    return std::uint64_t{0};
  };
  const Act nothing = []() -> Result<std::uint64_t> { return std::uint64_t{0}; };
  std::vector<Line> lines;
  const auto verb = [&](std::string_view key, std::vector<std::string> words) {
    std::vector<std::string> argv = {pievt.string()};
    argv.insert(argv.end(), words.begin(), words.end());
    argv.insert(argv.end(), {"--store", store.string()});
    lines.push_back(repeated(key, fmt::format("pievt {}, {}", fmt::join(words, " "), of), 20,
                             nothing, [&] { return run_program(argv); }));
  };
  lines.push_back(repeated("large.open.read", "open to read, " + of, 20, close,
                           open_it(store, OpenMode::read, log)));
  lines.push_back(repeated("large.open.write", "open to write, closed well, " + of, 20, close,
                           open_it(store, OpenMode::write, log)));
  log.reset();
  verb("large.log", {"log", "last", "-n", "20"});
  verb("large.show", {"show", "last"});
  lines.push_back(repeated("large.open.killed", "open to write after a kill, " + of, 5, kill,
                           open_it(image, OpenMode::write, log)));
  return lines;
}

}  // namespace pievt::bench
