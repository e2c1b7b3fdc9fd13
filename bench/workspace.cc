// How long a tree of 50,000 files takes to walk, and to compare with how it was. Walks happen in
// the supervisor's loop, which serves nobody meanwhile. And whether a worker that writes 10,000
// files is slower when the kernel tells us of each (as root; else that row is an error).
//
//   workspace_bench                  in TMPDIR, made and removed
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "supervisor/process/poller.h"
#include "supervisor/process/sweep.h"
#include "supervisor/process/write_watch.h"
#include "supervisor/workspace/tree.h"

namespace {

namespace fs = std::filesystem;
using pievt::workspace::Tree;

constexpr int files = 50'000;
constexpr int files_in_directory = 20;

// Directories three deep with twenty small files each, as sources and their dependencies lie.
class Forest {
 public:
  Forest() {
    std::string name = (fs::temp_directory_path() / "workspace-bench-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
    for (int i = 0; i < files; ++i) {
      const int directory = i / files_in_directory;
      const fs::path where = root_ / fmt::format("part{}/module{}/d{}", directory % 10,
                                                 directory / 10 % 25, directory);
      if (i % files_in_directory == 0) fs::create_directories(where);
      std::ofstream(where / fmt::format("file_{}.ts", i)) << i;
    }
  }
  Forest(const Forest&) = delete;
  Forest& operator=(const Forest&) = delete;
  ~Forest() { fs::remove_all(root_); }

  std::string root() const { return root_.string(); }

 private:
  fs::path root_;
};

Forest& forest() {
  static Forest made;
  return made;
}

void walk(benchmark::State& state) {
  const std::string root = forest().root();
  for (auto _ : state) {
    auto tree = pievt::workspace::walk(root);
    if (!tree.ok() || tree->entries.size() != files) state.SkipWithError("not all was walked");
    benchmark::DoNotOptimize(tree);
  }
}
BENCHMARK(walk)->Unit(benchmark::kMillisecond);

void walk_and_compare(benchmark::State& state) {
  const std::string root = forest().root();
  const auto before = pievt::workspace::walk(root);
  for (auto _ : state) {
    auto now = pievt::workspace::walk(root);
    pievt::workspace::keep_digests(*before, *now);
    if (!pievt::workspace::compare(*before, *now).empty()) state.SkipWithError("nothing changed");
  }
}
BENCHMARK(walk_and_compare)->Unit(benchmark::kMillisecond);

constexpr int files_written = 10'000;

struct Took {
  double seconds = 0;            // by the clock
  double processor_seconds = 0;  // its own; what others do does not count
};

// A worker: open, write, close, as often as it can. It bears a marker, as an attempt's do, and says
// how long it took.
[[noreturn]] void write_files(const fs::path& directory, int say) {
  using Clock = std::chrono::steady_clock;
  const auto began = Clock::now();
  for (int i = 0; i < files_written; ++i) {
    const std::string path = (directory / std::to_string(i)).string();
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || ::write(file, path.data(), path.size()) < 0) ::_exit(1);
    ::close(file);
  }
  rusage use{};
  ::getrusage(RUSAGE_SELF, &use);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  const Took took{std::chrono::duration<double>(Clock::now() - began).count(),
                  seconds(use.ru_utime) + seconds(use.ru_stime)};
  ::_exit(::write(say, &took, sizeof(took)) == sizeof(took) ? 0 : 1);
}

struct Written {
  Took took;
  std::size_t told = 0;
  bool missed = false;
};

// As the supervisor waits: for the child's word and for the kernel's, which it does not listen to
// for a moment after each (supervisor/turn/seen_writes.h).
Written run_worker(const fs::path& directory, pievt::process::WriteWatch* watch) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  const pid_t child = ::fork();
  if (child == 0) {
    // What /proc shows is the environment a program was started with.
    ::setenv("PIEVT_BENCH_WRITES", directory.c_str(), 1);
    ::setenv("PIEVT_BENCH_SAY", std::to_string(ends[1]).c_str(), 1);
    ::setenv(std::string(pievt::process::marker_name).c_str(), "r/1/1", 1);
    ::fcntl(ends[1], F_SETFD, 0);
    ::execl("/proc/self/exe", "worker", nullptr);
    ::_exit(127);
  }
  ::close(ends[1]);
  auto poller = pievt::process::Poller::create();
  static_cast<void>(poller->add(ends[0], pievt::process::Interest::read, 1));
  if (watch != nullptr)
    static_cast<void>(poller->add(watch->fd(), pievt::process::Interest::read, 2));
  Written written;
  const auto take = [&] {
    const auto seen = watch->read();
    written.told += seen->writes.size();
    written.missed = written.missed || seen->missed;
    return seen->more;
  };
  std::optional<pievt::process::Moment> paused_until;
  for (bool done = false; !done;) {
    const auto woken = poller->wait(paused_until);
    if (paused_until && pievt::process::Clock::now() >= *paused_until) {
      static_cast<void>(poller->add(watch->fd(), pievt::process::Interest::read, 2));
      paused_until.reset();
    }
    for (const auto& each : *woken) {
      if (each.token == 1) {
        done = true;
      } else if (!paused_until) {
        const auto began = pievt::process::Clock::now();
        take();
        const auto now = pievt::process::Clock::now();
        static_cast<void>(poller->remove(watch->fd()));
        paused_until = now + std::max<pievt::process::Clock::duration>(std::chrono::milliseconds(1),
                                                                       3 * (now - began));
      }
    }
  }
  if (::read(ends[0], &written.took, sizeof(written.took)) < 0) written.took = {};
  ::close(ends[0]);
  while (watch != nullptr && take()) {
  }
  ::waitpid(child, nullptr, 0);
  return written;
}

std::optional<pievt::process::WriteWatch> watch_of(const fs::path& root) {
  pievt::Result<pievt::process::WriteWatch> made = pievt::process::WriteWatch::create();
  std::optional<pievt::process::WriteWatch> watch;
  if (made.ok() && made->watch(root.string()).ok()) watch.emplace(std::move(made).value());
  return watch;
}

void worker_writes_10000_files(benchmark::State& state) {
  std::string name = (fs::temp_directory_path() / "writes-bench-XXXXXX").string();
  const fs::path root = fs::canonical(::mkdtemp(name.data()));
  std::optional<pievt::process::WriteWatch> watch;
  if (state.range(0) == 1) {
    watch = watch_of(root);
    if (!watch) {
      state.SkipWithError("the kernel does not tell us who writes");
      fs::remove_all(root);
      return;
    }
  }
  std::size_t told = 0;
  double processor = 0;
  for (auto _ : state) {
    fs::create_directories(root / "d");
    const Written written = run_worker(root / "d", watch ? &*watch : nullptr);
    state.SetIterationTime(written.took.seconds);
    told += written.told;
    processor += written.took.processor_seconds;
    if (written.took.seconds == 0 || written.missed) state.SkipWithError("it was not all told");
    fs::remove_all(root / "d");
  }
  state.counters["told"] =
      benchmark::Counter(static_cast<double>(told), benchmark::Counter::kAvgIterations);
  state.counters["worker_cpu_ms"] =
      benchmark::Counter(1e3 * processor, benchmark::Counter::kAvgIterations);
  fs::remove_all(root);
}
BENCHMARK(worker_writes_10000_files)
    ->ArgName("watched")
    ->Arg(0)
    ->Arg(1)
    ->Iterations(10)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace

int main(int count, char** words) {
  // Started by ourselves as a worker.
  if (const char* directory = std::getenv("PIEVT_BENCH_WRITES"))
    write_files(directory, std::atoi(std::getenv("PIEVT_BENCH_SAY")));
  benchmark::Initialize(&count, words);
  if (benchmark::ReportUnrecognizedArguments(count, words)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
