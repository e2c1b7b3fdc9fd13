// Many processes that write into one store.
#include <array>
#include <barrier>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "bench/peers/workloads.h"
#include "pievt/log.h"
#include "tools/measure/events.h"

namespace pievt::bench {
namespace {

using measure::Clock;
using measure::Latencies;
using measure::Line;

constexpr std::size_t process_count = 8;
constexpr std::size_t threads_each = 8;

// A child with its standard input and output.
struct Writer {
  pid_t pid = -1;
  std::FILE* to = nullptr;
  std::FILE* from = nullptr;

  Writer() = default;
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() {
    if (to != nullptr) std::fclose(to);
    if (from != nullptr) std::fclose(from);
    if (pid > 0) ::waitpid(pid, nullptr, 0);
  }

  Status start(const std::filesystem::path& program, const std::filesystem::path& store,
               double seconds) {
    const std::string duration = fmt::format("{}", seconds);
    const std::array<const char*, 5> argv = {program.c_str(), "--writer", store.c_str(),
                                             duration.c_str(), nullptr};
    int in[2], out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0)
      return Error{Errc::io, fmt::format("making pipes: {}", std::strerror(errno))};
    pid = ::fork();
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::dup2(in[0], 0);
      ::dup2(out[1], 1);
      ::execv(argv[0], const_cast<char* const*>(argv.data()));
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    to = ::fdopen(in[1], "w");
    from = ::fdopen(out[0], "r");
    if (pid < 0 || to == nullptr || from == nullptr)
      return Error{Errc::io, "starting a writing process"};
    return {};
  }

  /// A line without its end; empty at the end of all of them.
  std::string line() const {
    std::string text;
    for (int c; (c = std::getc(from)) != EOF && c != '\n';) text.push_back(static_cast<char>(c));
    return text;
  }
};

Line skipped(Line line, std::string why) {
  line.skipped = std::move(why);
  return line;
}

}  // namespace

int be_a_writer(const std::filesystem::path& store, double seconds) {
  Result<Log> log = Log::open(store, {.mode = OpenMode::write});
  const bool busy = !log.ok() && log.error().code == Errc::busy;
  std::printf("%s\n", log.ok() ? "ready"
                      : busy   ? "a second process is refused while one writes"
                               : log.error().what.c_str());
  std::fflush(stdout);
  if (!log.ok() || std::getc(stdin) == EOF) return 1;
  std::vector<Latencies> latencies(threads_each);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < threads_each; ++i) {
    threads.emplace_back([&, i] {
      const std::vector<StreamEvents> append = measure::one_append(1, i);
      const auto end = Clock::now() + std::chrono::duration<double>(seconds);
      while (Clock::now() < end) {
        auto [done, ns] = measure::timed([&] { return log->append(append); });
        if (!done.ok()) return;
        latencies[i].add(ns);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Latencies& some : latencies) {
    for (const std::int64_t ns : some.all_ns()) std::printf("%lld\n", static_cast<long long>(ns));
  }
  return 0;
}

Line many_processes(const std::filesystem::path& directory, const std::filesystem::path& program,
                    double seconds, double file_rate) {
  Line line{.name = "processes.8x8.pievt",
            .work = "pievt: 8 processes with 8 threads each, 1 an append",
            .durability = "on the disk"};
  const std::filesystem::path store = directory / "processes";
  {
    Result<Log> made = Log::open(store, {.mode = OpenMode::create});
    if (!made.ok()) return skipped(line, made.error().what);
    const Status closed = made->close();
    if (!closed.ok()) return skipped(line, closed.error().what);
  }
  std::array<Writer, process_count> writers;
  for (Writer& writer : writers) {
    const Status started = writer.start(program, store, seconds);
    if (!started.ok()) return skipped(line, started.error().what);
    // One after the other, so that the sentence is about another one that writes.
    const std::string said = writer.line();
    if (said != "ready") return skipped(line, said);
  }
  for (const Writer& writer : writers) {
    std::fputc('\n', writer.to);
    std::fflush(writer.to);
  }
  Latencies latencies;
  for (const Writer& writer : writers) {
    for (std::string text; !(text = writer.line()).empty();) {
      std::int64_t ns = 0;
      std::from_chars(text.data(), text.data() + text.size(), ns);
      latencies.add(ns);
    }
  }
  if (latencies.count() == 0) return skipped(line, "no process could append");
  line.operations = latencies.count();
  line.latency = latencies.percentiles();
  line.events_per_s = static_cast<double>(latencies.count()) /
                      (latencies.seconds() / (process_count * threads_each));
  line.beside =
      measure::Beside{"one write + fdatasync after the other", {}, line.events_per_s / file_rate};
  return line;
}

}  // namespace pievt::bench
