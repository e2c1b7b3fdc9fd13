// Appending, in turns with a plain file: the two meet the same disk at the same moment, and only
// their ratio is worth remembering.
#include <atomic>
#include <barrier>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "tools/measure/events.h"
#include "tools/measure/suite.h"

namespace pievt::measure {
namespace {

constexpr std::size_t threads_in_flight = 64;

struct Level {
  Durability durability;
  std::string_view name, meaning, peer;
};
constexpr Level levels[] = {
    {Durability::fsync, "fsync", "on the disk", "write + fdatasync"},
    {Durability::wal, "wal", "handed to the kernel", "write"},
    {Durability::memory, "memory", "in this process", ""},
};

double seconds_for_one_line(Effort effort) {
  return effort == Effort::quick ? 0.12 : 1.5;
}

// What all lines about appending share: one store and one file.
struct Bench {
  const SuiteOptions& options;
  Log log;
  PlainFile file;
  std::uint64_t number = 0;
};

Result<Line> one_client(Bench& bench, std::size_t events, const Level& level) {
  const std::string bytes = peer_bytes(page_bytes(events));
  Latencies ours, files;
  const auto end =
      Clock::now() + std::chrono::duration<double>(seconds_for_one_line(bench.options.effort));
  const auto write_file = [&]() -> Status {
    if (level.peer.empty()) return {};
    auto [written, ns] = timed([&] { return bench.file.append(bytes, level.durability); });
    files.add(ns);
    return written;
  };
  for (std::size_t turn = 0; turn < 20 || Clock::now() < end; ++turn) {
    const std::vector<StreamEvents> append = one_append(events, bench.number += events);
    // Who goes first changes, so that neither always finds what the other has left.
    if (turn % 2 == 0) PIEVT_TRY(write_file());
    auto [done, ns] =
        timed([&] { return bench.log.append(append, {.id = {}, .durability = level.durability}); });
    PIEVT_TRY(std::move(done));
    ours.add(ns);
    if (turn % 2 != 0) PIEVT_TRY(write_file());
  }
  Line line{.name = fmt::format("append.{}.{}", events, level.name),
            .work = fmt::format("append {}", events),
            .durability = std::string(level.meaning),
            .operations = ours.count()};
  line.latency = ours.percentiles();
  line.events_per_s = static_cast<double>(ours.count() * events) / ours.seconds();
  if (files.count() > 0) {
    const Percentiles peer = files.percentiles();
    line.beside = Beside{std::string(level.peer), peer, peer.p50_us / line.latency->p50_us};
  }
  return line;
}

// All threads begin at once, and each waits for its own appends.
Result<Latencies> one_round(Log& log, std::size_t threads, std::size_t appends_each) {
  std::vector<Latencies> latencies(threads);
  std::vector<std::optional<Error>> errors(threads);
  std::barrier start(static_cast<std::ptrdiff_t>(threads));
  std::vector<std::thread> running;
  for (std::size_t i = 0; i < threads; ++i) {
    running.emplace_back([&, i] {
      const std::vector<StreamEvents> append = one_append(1, i * appends_each);
      start.arrive_and_wait();
      for (std::size_t n = 0; n < appends_each && !errors[i]; ++n) {
        auto [done, ns] = timed([&] { return log.append(append); });
        if (done.ok()) {
          latencies[i].add(ns);
        } else {
          errors[i] = done.error();
        }
      }
    });
  }
  for (std::thread& thread : running) thread.join();
  Latencies all;
  for (std::size_t i = 0; i < threads; ++i) {
    if (errors[i]) return *errors[i];
    all.add(latencies[i]);
  }
  return all;
}

Result<Line> in_flight(Bench& bench) {
  const std::size_t rounds = bench.options.effort == Effort::quick ? 2 : 10;
  const std::size_t each = bench.options.effort == Effort::quick ? 20 : 100;
  const std::string bytes = peer_bytes(page_bytes(1));
  Latencies ours, files;
  double seconds = 0;
  for (std::size_t round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < 100; ++i) {
      auto [written, ns] = timed([&] { return bench.file.append(bytes, Durability::fsync); });
      PIEVT_TRY(std::move(written));
      files.add(ns);
    }
    auto [latencies, ns] = timed([&] { return one_round(bench.log, threads_in_flight, each); });
    ours.add(PIEVT_TRY(std::move(latencies)));
    seconds += static_cast<double>(ns) / 1e9;
  }
  Line line{.name = "append.1.fsync.64",
            .work = "append 1, 64 threads",
            .durability = "on the disk",
            .operations = ours.count(),
            .events_per_s = static_cast<double>(ours.count()) / seconds,
            .latency = ours.percentiles()};
  const double file_rate = static_cast<double>(files.count()) / files.seconds();
  line.beside = Beside{"one write + fdatasync after the other", files.percentiles(),
                       line.events_per_s / file_rate};
  return line;
}

// Appends that one thread has encoded and another one writes; a few wait between the two.
class Waiting {
 public:
  void put(EncodedAppend append) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return appends_.size() < 4; });
    appends_.push_back(std::move(append));
    changed_.notify_all();
  }
  EncodedAppend take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !appends_.empty(); });
    EncodedAppend append = std::move(appends_.front());
    appends_.pop_front();
    changed_.notify_all();
    return append;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<EncodedAppend> appends_;
};

Result<Line> with_encoder(Bench& bench, std::size_t events) {
  const std::size_t count = bench.options.effort == Effort::quick ? 50 : 1500;
  const std::vector<StreamEvents> streams = one_append(events, 1);
  Waiting waiting;
  std::optional<Error> refused;
  Latencies ours;
  const auto begin = Clock::now();
  std::thread encoder([&] {
    for (std::size_t i = 0; i < count; ++i) {
      Result<EncodedAppend> append = EncodedAppend::encode(streams);
      PIEVT_ASSERT(append.ok());  // what was appended before is not too large now
      waiting.put(std::move(append).value());
    }
  });
  for (std::size_t i = 0; i < count; ++i) {
    const EncodedAppend append = waiting.take();
    if (refused) continue;  // the other thread ends when all of it has been taken
    auto [done, ns] = timed([&] { return bench.log.append(append); });
    if (done.ok()) {
      ours.add(ns);
    } else {
      refused = done.error();
    }
  }
  encoder.join();
  if (refused) return *refused;
  const std::chrono::duration<double> seconds = Clock::now() - begin;
  return Line{.name = fmt::format("append.{}.fsync.encoder", events),
              .work = fmt::format("append {}, encoded by a thread", events),
              .durability = "on the disk",
              .operations = count,
              .events_per_s = static_cast<double>(count * events) / seconds.count(),
              .latency = ours.percentiles()};
}

}  // namespace

Error interrupted() {
  return {Errc::busy, "measuring was interrupted; what it had made is removed"};
}

Result<std::vector<Line>> measure_appends(const SuiteOptions& options) {
  Log log = PIEVT_TRY(Log::open(options.directory / "appends", {.mode = OpenMode::create}));
  PlainFile file = PIEVT_TRY(PlainFile::create(options.directory / "file"));
  Bench bench{options, std::move(log), std::move(file)};
  std::vector<Line> lines;
  for (const Level& level : levels) {
    for (const std::size_t events : {1u, 10u, 100u, 1000u}) {
      if (!options.next(fmt::format("appending {}, {}", events, level.meaning)))
        return interrupted();
      lines.push_back(PIEVT_TRY(one_client(bench, events, level)));
    }
    if (level.durability != Durability::fsync) continue;
    if (!options.next("appending from 64 threads")) return interrupted();
    lines.push_back(PIEVT_TRY(in_flight(bench)));
    lines.push_back(PIEVT_TRY(with_encoder(bench, 1000)));
  }
  PIEVT_TRY(bench.log.close());
  return lines;
}

}  // namespace pievt::measure
