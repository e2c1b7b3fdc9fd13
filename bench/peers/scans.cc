#include "bench/peers/scans.h"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "bench/peers/rocksdb_peer.h"
#include "pievt/log.h"
#include "store/format/page.h"
#include "store/log/rocks.h"
#include "store/log/stored_page.h"
#include "tools/measure/events.h"
#include "tools/measure/latencies.h"

namespace pievt::bench {
namespace {

using measure::Line;

struct Way {
  std::string_view key, work;
  std::function<Status()> read;
  std::vector<double> seconds = {};
};

Status scan(const Log& log) {
  std::uint64_t jobs = 0;
  auto reader = log.read({1});
  while (reader.next()) jobs += reader.event().head().job();
  PIEVT_TRY(reader.status());
  if (jobs == 0) return Error{Errc::corrupt, "no event names a job"};
  return {};
}

// What a scan does, and both hashes of every commit.
Status scan_chain(const Rocks& rocks) {
  Rocks::Cursor cursor = rocks.cursor(Family::log, Rocks::Fill::scan);
  StoredPage page;
  std::vector<EventView> events;
  Digest chain{};
  for (cursor.seek(""); cursor.valid(); cursor.next()) {
    PIEVT_TRY(page.load(cursor.value(), 0));
    events.clear();
    PIEVT_TRY(format::collect_events(page.view(), std::nullopt, events));
    PIEVT_TRY(page.view().check_chain(chain));
  }
  return cursor.status();
}

Result<std::vector<Line>> scans_of(const std::filesystem::path& store, std::uint64_t events,
                                   std::size_t per_page) {
  PIEVT_TRY(measure::write_run(store, events, per_page));
  const RawScan raw = PIEVT_TRY(RawScan::open(store));
  const Log log = PIEVT_TRY(Log::open(store));
  const Rocks rocks = PIEVT_TRY(Rocks::open_reader(store / "log"));
  const auto read_raw = [&]() -> Status {
    PIEVT_TRY(raw.run());
    return {};
  };
  Way ways[] = {{"raw", "RocksDB's iterator alone", read_raw},
                {"checked", "scan, all checked", [&] { return scan(log); }},
                {"chain", "scan, chain verified", [&] { return scan_chain(rocks); }}};
  for (int turn = 0; turn < 7; ++turn) {
    for (Way& way : ways) {
      const double begin = measure::cpu_seconds();
      PIEVT_TRY(way.read());
      way.seconds.push_back(measure::cpu_seconds() - begin);
    }
  }
  std::vector<Line> lines;
  double raw_rate = 0;
  for (Way& way : ways) {
    std::ranges::sort(way.seconds);
    Line line{.name = fmt::format("{}.{}", way.key, per_page),
              .work = fmt::format("{}, pages of {}", way.work, per_page),
              .durability = {},
              .operations = way.seconds.size(),
              .events_per_s = static_cast<double>(events) / way.seconds[way.seconds.size() / 2]};
    if (lines.empty()) {
      raw_rate = line.events_per_s;
    } else {
      line.beside = measure::Beside{
          "RocksDB's iterator over the same files", {}, line.events_per_s / raw_rate};
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace

std::vector<Line> measure_scans(const std::filesystem::path& directory, std::uint64_t events) {
  std::vector<Line> all;
  for (const std::size_t per_page : {100u, 1u}) {
    Result<std::vector<Line>> lines =
        scans_of(directory / fmt::format("scan-{}", per_page), events, per_page);
    if (lines.ok()) {
      all.insert(all.end(), lines->begin(), lines->end());
    } else {
      all.push_back({.name = fmt::format("checked.{}", per_page),
                     .work = fmt::format("scans, pages of {}", per_page),
                     .durability = {},
                     .skipped = lines.error().what});
    }
  }
  return all;
}

}  // namespace pievt::bench
