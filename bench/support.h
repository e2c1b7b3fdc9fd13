// What every benchmark of the store needs: a place on a real disk, events of a known size, and the
// facts of the machine and build that a number means nothing without.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "pievt/log.h"

namespace pievt::bench {

/// A directory that is gone when the benchmark is over. It lies in PIEVT_BENCH_DIR, or else in the
/// working directory, because /tmp is often memory and then nothing durable would be measured.
class BenchDirectory {
 public:
  BenchDirectory();
  ~BenchDirectory();
  BenchDirectory(const BenchDirectory&) = delete;
  BenchDirectory& operator=(const BenchDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The value, or the end of the program with the error's sentence: a benchmark has nobody to hand
/// it to.
template <class T>
T must(Result<T> result) {
  if (!result.ok()) assertion_failed(result.error().what.c_str(), "bench", 0);
  return std::move(result).value();
}

/// Bytes of one event in a page: its stamp and its padded body.
inline constexpr std::size_t event_bytes = 240;

/// The `number`th tool call's end of a run, of exactly `event_bytes`; all differ in the ways real
/// ones do.
NewEvent sized_event(std::uint64_t number);

/// What a commit of `events` such events adds to the file: page header, commit header, stream
/// entry, events.
constexpr std::size_t page_bytes(std::size_t events) {
  return 64 + 112 + 24 + events * event_bytes;
}

/// A run of `events` events in the proportions of recorded ones (turns, usage, tool calls, now and
/// then a message), 100 jobs with one attempt each; of about 240 bytes an event.
std::vector<NewEvent> run_events(std::size_t events);

/// Writes a run of `events` events, `per_commit` to a commit, and closes the store. `run/bench` is
/// its stream.
void write_run(const std::filesystem::path& store, std::size_t events, std::size_t per_commit);

/// Tells the benchmark library what is printed above the numbers: build type, sanitizers, RocksDB,
/// directory.
void describe_machine();

}  // namespace pievt::bench
