// What it costs that several processes share a store: an append by way of the writer against one's
// own, many appends in flight, a take-over after SIGKILL, and how soon followers hear of a commit.
//
//   sharing_bench [forwarding|threads|processes|take-over|following]
//
// Every process is forked before a store was ever open in it: RocksDB's threads do not survive a
// fork, and it does not start them again.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <functional>
#include <optional>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "tools/measure/events.h"
#include "tools/measure/place.h"

namespace pievt::bench {
namespace {

using measure::page_bytes;
using measure::sized_event;
using Clock = std::chrono::steady_clock;
using Path = std::filesystem::path;
using Micros = std::chrono::duration<double, std::micro>;

// The value, or the end of the program with the error's sentence: there is nobody to hand it to.
template <class T>
T must(Result<T> result) {
  if (!result.ok()) {
    fmt::print(stderr, "sharing_bench: {}\n", result.error().what);
    ::_exit(1);
  }
  return std::move(result).value();
}

double micros_since(Clock::time_point start) {
  return Micros(Clock::now() - start).count();
}

double quantile(std::vector<double> values, double q) {
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

// Memory that forked processes share.
template <class T>
class Shared {
 public:
  explicit Shared(std::size_t count) : bytes_(count * sizeof(T)) {
    at_ = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    PIEVT_ASSERT(at_ != MAP_FAILED);
  }
  ~Shared() { ::munmap(at_, bytes_); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  T& operator[](std::size_t i) { return static_cast<T*>(at_)[i]; }

 private:
  std::size_t bytes_;
  void* at_;
};

class Process {
 public:
  explicit Process(const std::function<void()>& work) : pid_(::fork()) {
    if (pid_ != 0) return;
    work();
    ::_exit(0);
  }
  void kill() const { ::kill(pid_, SIGKILL); }
  void wait() const { ::waitpid(pid_, nullptr, 0); }

 private:
  pid_t pid_;
};

void wait_for(const std::atomic<std::uint32_t>& word, std::uint32_t value) {
  while (word < value) std::this_thread::yield();
}

Log open_writing(const Path& store) {
  return must(Log::open(store, {.mode = OpenMode::create, .wait = std::chrono::seconds(60)}));
}

void append_one(Log& log, std::string_view stream, std::uint64_t number,
                Durability durability = Durability::fsync) {
  std::vector<NewEvent> events;
  events.push_back(sized_event(number));
  AppendOptions options{.id = {}, .durability = durability};
  options.wait = std::chrono::seconds(60);
  must(log.append(stream, Expected::any(), std::move(events), options));
}

double median_file_sync(const Path& directory, int count) {
  const int file = ::open((directory / "plain").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  PIEVT_ASSERT(file >= 0);
  const std::vector<char> bytes(page_bytes(1), 'x');
  std::vector<double> took;
  for (int i = 0; i < count; ++i) {
    const auto start = Clock::now();
    PIEVT_ASSERT(::write(file, bytes.data(), bytes.size()) > 0 && ::fdatasync(file) == 0);
    took.push_back(micros_since(start));
  }
  ::close(file);
  return quantile(took, 0.5);
}

void forwarding(const Path& directory) {
  Shared<std::atomic<std::uint32_t>> state(1);
  const Process writer([&] {
    const Log log = open_writing(directory / "theirs");
    state[0] = 1;
    wait_for(state[0], 2);
  });
  wait_for(state[0], 1);
  Log theirs = open_writing(directory / "theirs");
  Log ours = open_writing(directory / "ours");
  std::vector<double> forwarded, local;
  for (std::uint64_t i = 0; i < 3'000; ++i) {
    for (auto* way : {&forwarded, &local}) {
      const auto start = Clock::now();
      append_one(way == &forwarded ? theirs : ours, "s", i);
      way->push_back(micros_since(start));
    }
  }
  std::vector<double> forwarded_wal, local_wal;
  for (std::uint64_t i = 0; i < 3'000; ++i) {
    for (auto* way : {&forwarded_wal, &local_wal}) {
      const auto start = Clock::now();
      append_one(way == &forwarded_wal ? theirs : ours, "s", i, Durability::wal);
      way->push_back(micros_since(start));
    }
  }
  state[0] = 2;
  writer.wait();
  const auto line = [](const char* what, const std::vector<double>& a,
                       const std::vector<double>& b) {
    fmt::print(
        "{:<34} p50 {:7.1f} us, local {:7.1f} us, difference {:6.1f} us; p99 {:.0f} / {:.0f}\n",
        what, quantile(a, 0.5), quantile(b, 0.5), quantile(a, 0.5) - quantile(b, 0.5),
        quantile(a, 0.99), quantile(b, 0.99));
  };
  line("forwarded append, fsync", forwarded, local);
  line("forwarded append, wal", forwarded_wal, local_wal);
}

// Appends of one event each, from `threads` threads of this process, until `over`.
std::vector<double> hammer(const Path& store, int threads, const std::atomic<std::uint32_t>& over,
                           const std::function<void()>& ready) {
  Log log = open_writing(store);
  std::vector<std::vector<double>> took(static_cast<std::size_t>(threads));
  ready();
  {
    std::vector<std::jthread> all;
    for (auto& mine : took) {
      all.emplace_back([&] {
        const std::string stream = fmt::format("s{}-{}", ::getpid(), &mine - took.data());
        for (std::uint64_t i = 0; over == 0; ++i) {
          const auto start = Clock::now();
          append_one(log, stream, i);
          mine.push_back(micros_since(start));
        }
      });
    }
  }
  std::vector<double> flat;
  for (const auto& mine : took) flat.insert(flat.end(), mine.begin(), mine.end());
  return flat;
}

void in_flight(const Path& directory, int processes, int threads) {
  constexpr double seconds = 4;
  const Path store = directory / fmt::format("flight-{}-{}", processes, threads);
  Shared<std::atomic<std::uint32_t>> state(2);  // how many are ready; whether it is over
  Shared<double> results(static_cast<std::size_t>(processes) * 3);
  std::vector<Process> all;
  for (int p = 0; p < processes; ++p) {
    all.emplace_back([&, p] {
      const auto took = hammer(store, threads, state[1], [&] { ++state[0]; });
      double* mine = &results[static_cast<std::size_t>(p) * 3];
      mine[0] = static_cast<double>(took.size());
      mine[1] = quantile(took, 0.5);
      mine[2] = quantile(took, 0.99);
    });
  }
  wait_for(state[0], static_cast<std::uint32_t>(processes));
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));  // the time that is measured
  state[1] = 1;
  for (const Process& process : all) process.wait();
  double count = 0, p50 = 0, p99 = 0;
  for (int p = 0; p < processes; ++p) {
    count += results[static_cast<std::size_t>(p) * 3];
    p50 = std::max(p50, results[static_cast<std::size_t>(p) * 3 + 1]);
    p99 = std::max(p99, results[static_cast<std::size_t>(p) * 3 + 2]);
  }
  const double plain_us = median_file_sync(directory, 1'000);
  fmt::print(
      "{} process{} x {:>2} threads, fsync      {:7.0f}/s = {:.1f} x write+fdatasync "
      "({:.0f} us); p50 {:.2f} ms, p99 {:.2f} ms\n",
      processes, processes == 1 ? "  " : "es", threads, count / seconds,
      count / seconds * plain_us / 1e6, plain_us, p50 / 1e3, p99 / 1e3);
}

// The log is left with as much in its write-ahead log as the settings allow; the writer is killed,
// and a client that is in the middle of an append takes over.
void take_over(const Path& directory, int rounds) {
  const Path store = directory / "take-over";
  Shared<double> took(static_cast<std::size_t>(rounds));
  for (int round = 0; round < rounds; ++round) {
    Shared<std::atomic<std::uint32_t>> state(1);
    const Process writer([&] {
      Log log = open_writing(store);
      for (std::uint64_t i = 0; i < 14'000; ++i) append_one(log, "s", i, Durability::wal);
      state[0] = 1;
      for (;;) ::pause();
    });
    wait_for(state[0], 1);
    const Process client([&] {
      Log log = open_writing(store);
      append_one(log, "s", 0);
      state[0] = 2;
      wait_for(state[0], 3);
      const auto start = Clock::now();
      append_one(log, "s", 1);
      took[static_cast<std::size_t>(round)] = micros_since(start) / 1e3;
    });
    wait_for(state[0], 2);
    writer.kill();
    writer.wait();  // returns once the kernel has released its locks
    state[0] = 3;
    client.wait();
  }
  const std::vector<double> all(&took[0], &took[0] + rounds);
  fmt::print(
      "take-over after SIGKILL               p50 {:.0f} ms, p99 {:.0f} ms, worst {:.0f} ms "
      "({} rounds, 14,000 appends in the write-ahead log)\n",
      quantile(all, 0.5), quantile(all, 0.99), quantile(all, 1), rounds);
}

void following(const Path& directory, int followers, std::uint32_t events) {
  const Path store = directory / "follow";
  { const Log made = open_writing(store); }
  Shared<std::atomic<std::uint32_t>> ready(1);
  Shared<std::int64_t> acked(events);
  Shared<std::int64_t> heard(events * static_cast<std::uint32_t>(followers));
  const auto now_ns = [] { return Clock::now().time_since_epoch().count(); };
  std::vector<Process> all;
  for (int f = 0; f < followers; ++f) {
    all.emplace_back([&, f] {
      const Log log = must(Log::open(store));
      Follower follower = must(log.follow(log.head()));
      ++ready[0];
      for (std::uint32_t n = 0; n < events;) {
        auto news = must(follower.wait(std::chrono::seconds(60)));
        const std::int64_t now = now_ns();
        while (news.next()) {
          if (news.event().type() != schema::Payload::ToolCallFinished) continue;
          heard[static_cast<std::size_t>(f) * events + n++] = now;
        }
      }
    });
  }
  wait_for(ready[0], static_cast<std::uint32_t>(followers));
  Log log = open_writing(store);
  for (std::uint32_t n = 0; n < events; ++n) {
    append_one(log, "s", n);
    acked[n] = now_ns();
    // So that every commit finds the followers asleep: the wake is what is measured.
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  for (const Process& process : all) process.wait();
  std::vector<double> took;
  for (int f = 0; f < followers; ++f) {
    for (std::uint32_t n = 0; n < events; ++n) {
      const auto late = heard[static_cast<std::size_t>(f) * events + n] - acked[n];
      took.push_back(std::max(0.0, static_cast<double>(late) / 1e6));
    }
  }
  fmt::print(
      "{} followers hear of a commit after    p50 {:.3f} ms, p99 {:.3f} ms, worst {:.1f} ms\n",
      followers, quantile(took, 0.5), quantile(took, 0.99), quantile(took, 1));
}

}  // namespace
}  // namespace pievt::bench

// Without a name all are asked.
int main(int argc, char** argv) {
  using namespace pievt::bench;
  const auto directory =
      must(pievt::measure::ScratchDirectory::make(std::filesystem::current_path()));
  struct Question {
    std::string_view name;
    std::function<void()> ask;
  };
  const Question questions[] = {
      {"forwarding", [&] { forwarding(directory.path()); }},
      {"threads", [&] { in_flight(directory.path(), 1, 64); }},
      {"processes", [&] { in_flight(directory.path(), 8, 8); }},
      {"take-over", [&] { take_over(directory.path(), 30); }},
      {"following", [&] { following(directory.path(), 8, 1'000); }},
  };
  for (const Question& question : questions) {
    if (argc > 1 && question.name != argv[1]) continue;
    Process([&] {
      question.ask();
      std::fflush(stdout);
    }).wait();
  }
  return 0;
}
