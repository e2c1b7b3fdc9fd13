// How fast a closed log is read back: every event checked (page checksum, bounds, each body) and
// visited, and folded into the state of its run. Pages of 100 events are what a busy supervisor
// writes, pages of 1 the worst there is.
//
//   RawScan  RocksDB's iterator over the same files, touching each value: the most any reader could
//   reach Scan     Log::read from the first event to the last Fold     the run's state from its
//   first event to its last, through the stream index Apply    the fold alone, over events that are
//   in memory and checked
#include <map>
#include <memory>

#include <benchmark/benchmark.h>

#include "bench/peers.h"
#include "bench/support.h"
#include "pievt/query.h"
#include "pievt/run_state.h"

namespace pievt::bench {
namespace {

constexpr std::size_t event_count = 400'000;

// Made once for each size of page, and used by every benchmark.
const std::filesystem::path& store_of(std::size_t per_page) {
  static const BenchDirectory directory;
  static std::map<std::size_t, std::filesystem::path> made;
  auto [at, is_new] = made.try_emplace(per_page);
  if (is_new) {
    at->second = directory.path() / std::to_string(per_page);
    write_run(at->second, event_count, per_page);
  }
  return at->second;
}

void RawScanSameFiles(benchmark::State& state) {
  const RawScan scan(store_of(static_cast<std::size_t>(state.range(0))));
  std::uint64_t bytes = 0;
  for (auto _ : state) bytes += scan.run();
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(event_count));
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}

void Scan(benchmark::State& state) {
  const Log log = must(Log::open(store_of(static_cast<std::size_t>(state.range(0)))));
  std::int64_t events = 0;
  std::uint64_t jobs = 0;
  for (auto _ : state) {
    auto reader = log.read({1});
    for (; reader.next(); ++events) jobs += reader.event().head().job();
    must(Status(reader.status()));
  }
  benchmark::DoNotOptimize(jobs);
  state.SetItemsProcessed(events);
}

void Fold(benchmark::State& state) {
  const Log log = must(Log::open(store_of(static_cast<std::size_t>(state.range(0)))));
  std::int64_t events = 0;
  for (auto _ : state) {
    const RunState run = must(load_run(log, "bench"));
    events += static_cast<std::int64_t>(run.revision);
  }
  PIEVT_ASSERT(events == state.iterations() * static_cast<std::int64_t>(event_count));
  state.SetItemsProcessed(events);
}

void Apply(benchmark::State& state) {
  const Log log = must(Log::open(store_of(100)));
  std::vector<EventView> events;
  std::vector<std::vector<std::byte>> bodies;
  auto reader = log.read_stream("run/bench", {1}, {20'000});
  std::vector<schema::Stamp> stamps;
  while (reader.next()) {
    bodies.emplace_back(reader.event().body.begin(), reader.event().body.end());
    stamps.push_back(*reader.event().stamp);
    events.push_back(reader.event());
  }
  for (std::size_t i = 0; i < events.size(); ++i) {
    events[i].stamp = &stamps[i];
    events[i].body = bodies[i];
    events[i].envelope = schema::GetEnvelope(bodies[i].data());
  }
  for (auto _ : state) {
    RunState run;
    for (const EventView& event : events) apply(run, event);
    benchmark::DoNotOptimize(run.revision);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(events.size()));
}

BENCHMARK(RawScanSameFiles)->ArgName("page")->Arg(100)->Arg(1)->Unit(benchmark::kMillisecond);
BENCHMARK(Scan)->ArgName("page")->Arg(100)->Arg(1)->Unit(benchmark::kMillisecond);
BENCHMARK(Fold)->ArgName("page")->Arg(100)->Arg(1)->Unit(benchmark::kMillisecond);
BENCHMARK(Apply)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace pievt::bench

int main(int argc, char** argv) {
  pievt::bench::describe_machine();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
