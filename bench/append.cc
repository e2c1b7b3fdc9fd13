// How fast events become durable, beside what the disk and RocksDB allow.
//
// Each turn does the same three things one after the other: our append, `write` (+ `fdatasync`) of
// as many bytes as our page has, and a RocksDB put of them. So all three meet the same disk at the
// same time. Times are of our append alone; `vs_file` and `vs_rocks` are medians against
// medians: 1.0 is as fast as the peer, more is faster.
//
//   Append         what an embedder calls: encode, hash, commit, in one thread
//   AppendEncoded  the writer's half: the append was encoded and hashed by its caller before
//   Encode         the caller's half
#include <algorithm>
#include <chrono>
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/peers.h"
#include "bench/support.h"

namespace pievt::bench {
namespace {

using Clock = std::chrono::steady_clock;

std::vector<StreamEvents> one_append(std::size_t events, std::uint64_t& number) {
  StreamEvents stream{"run/bench", Expected::any(), {}};
  for (std::size_t i = 0; i < events; ++i) stream.events.push_back(sized_event(++number));
  std::vector<StreamEvents> all;
  all.push_back(std::move(stream));
  return all;
}

template <class F>
double seconds_of(F&& act) {
  const auto begin = Clock::now();
  act();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double median(std::vector<double>& of) {
  const auto middle = of.begin() + static_cast<std::ptrdiff_t>(of.size() / 2);
  std::ranges::nth_element(of, middle);
  return *middle;
}

// Random bytes, because events hold digests.
std::string peer_bytes(std::size_t size) {
  std::string bytes;
  for (std::uint64_t i = 0, x = 88172645463325252u; i < size; ++i) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    bytes.push_back(static_cast<char>(i % 2 == 0 ? x : 0));
  }
  return bytes;
}

enum class Measured : std::uint8_t { whole, encoded };

void measure(benchmark::State& state, Measured what) {
  const auto events = static_cast<std::size_t>(state.range(0));
  const auto durability = static_cast<Durability>(state.range(1));
  const BenchDirectory directory;
  Log log = must(Log::open(directory.path() / "store", {.mode = OpenMode::create}));
  PlainFile file(directory.path() / "file");
  RawRocks rocks(directory.path() / "rocks");
  const std::string bytes = peer_bytes(page_bytes(events));
  const AppendOptions options{.id = {}, .durability = durability};
  std::vector<double> ours, of_file, of_rocks;
  std::uint64_t number = 0;
  for (auto _ : state) {
    const std::vector<StreamEvents> streams = one_append(events, number);
    double seconds = 0;
    if (what == Measured::whole) {
      seconds = seconds_of([&] { must(log.append(streams, options)); });
    } else {
      const EncodedAppend encoded = must(EncodedAppend::encode(streams, options));
      seconds = seconds_of([&] { must(log.append(encoded)); });
    }
    state.SetIterationTime(seconds);
    ours.push_back(seconds);
    if (durability != Durability::memory)
      of_file.push_back(seconds_of([&] { file.append(bytes, durability); }));
    of_rocks.push_back(seconds_of([&] { rocks.append(bytes, durability); }));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(events));
  const double mine = median(ours);
  state.counters["p50_us"] = mine * 1e6;
  state.counters["rocks_us"] = median(of_rocks) * 1e6;
  state.counters["vs_rocks"] = median(of_rocks) / mine;
  if (of_file.empty()) return;
  state.counters["file_us"] = median(of_file) * 1e6;
  state.counters["vs_file"] = median(of_file) / mine;
}

void Append(benchmark::State& state) {
  measure(state, Measured::whole);
}
void AppendEncoded(benchmark::State& state) {
  measure(state, Measured::encoded);
}

void Encode(benchmark::State& state) {
  std::uint64_t number = 0;
  const std::vector<StreamEvents> streams =
      one_append(static_cast<std::size_t>(state.range(0)), number);
  for (auto _ : state) benchmark::DoNotOptimize(must(EncodedAppend::encode(streams)));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

constexpr std::int64_t fsync = static_cast<std::int64_t>(Durability::fsync);
constexpr std::int64_t wal = static_cast<std::int64_t>(Durability::wal);
constexpr std::int64_t memory = static_cast<std::int64_t>(Durability::memory);

BENCHMARK(Append)
    ->ArgNames({"events", "durability"})
    ->ArgsProduct({{1, 10, 100, 1000}, {memory, wal, fsync}})
    ->UseManualTime()
    ->MinTime(0.3)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(AppendEncoded)
    ->ArgNames({"events", "durability"})
    ->ArgsProduct({{1, 10, 100, 1000}, {memory, wal, fsync}})
    ->UseManualTime()
    ->MinTime(0.3)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(Encode)->ArgName("events")->Arg(1)->Arg(10)->Arg(100)->Arg(1000)->Unit(
    benchmark::kMicrosecond);

}  // namespace
}  // namespace pievt::bench

int main(int argc, char** argv) {
  pievt::bench::describe_machine();
  benchmark::AddCustomContext("durability", "1 memory, 2 wal (handed to the kernel), 3 fsync");
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
