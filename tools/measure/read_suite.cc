// Reading back what was written: all of it, one event of it, the state at some moment of it. Scans
// are counted in processor time, because a reader is one thread and the disk is not the question;
// everything that somebody waits for is counted in time.
#include <algorithm>
#include <functional>
#include <memory>
#include <random>

#include <fmt/format.h>

#include "pievt/query.h"
#include "pievt/verify.h"
#include "store/views/all.h"
#include "tools/measure/events.h"
#include "tools/measure/suite.h"

namespace pievt::measure {
namespace {

// One of the stores that are read: many pages of one size.
struct Material {
  std::filesystem::path directory;
  std::uint64_t events;
  std::size_t per_page;

  std::string name(std::string_view what) const { return fmt::format("{}.{}", what, per_page); }
  std::string work(std::string_view what) const {
    return fmt::format("{}, pages of {}", what, per_page);
  }
};

Line one_way(const Material& store, std::string_view key, std::string_view work) {
  return {.name = store.name(key), .work = store.work(work), .durability = {}};
}

// The median of some repetitions of reading all of it.
Result<Line> whole(const SuiteOptions& options, const Material& store, std::string_view key,
                   std::string_view work, const std::function<Result<std::uint64_t>()>& read) {
  std::vector<double> rates;
  const int repetitions = options.effort == Effort::quick ? 3 : 5;
  for (int i = 0; i < repetitions; ++i) {
    if (!options.next(store.work(work))) return interrupted();
    const double begin = cpu_seconds();
    const std::uint64_t events = PIEVT_TRY(read());
    rates.push_back(static_cast<double>(events) / (cpu_seconds() - begin));
  }
  std::ranges::sort(rates);
  Line line = one_way(store, key, work);
  line.operations = rates.size();
  line.events_per_s = rates[rates.size() / 2];
  return line;
}

Result<std::uint64_t> scan(const Log& log) {
  std::uint64_t events = 0, jobs = 0;
  auto reader = log.read({1});
  for (; reader.next(); ++events) jobs += reader.event().head().job();
  PIEVT_TRY(reader.status());
  if (jobs == 0) return Error{Errc::corrupt, "the events that were just written name no jobs"};
  return events;
}

Result<std::uint64_t> all_projections(const Log& log) {
  std::vector<std::unique_ptr<Projection>> projections;
  for (const ViewRow& row : all_views) projections.push_back(row.make());
  std::uint64_t events = 0;
  auto reader = log.read({1});
  for (; reader.next(); ++events) {
    for (const auto& projection : projections) projection->apply(reader.event());
  }
  PIEVT_TRY(reader.status());
  return events;
}

Result<std::vector<Line>> read_all(const SuiteOptions& options, const Material& store) {
  const Log log = PIEVT_TRY(Log::open(store.directory));
  const auto scanned = [&] { return scan(log); };
  const auto projected = [&] { return all_projections(log); };
  const auto folded = [&]() -> Result<std::uint64_t> {
    const RunState run = PIEVT_TRY(load_run(log, "bench"));
    return run.revision;
  };
  const auto verified = [&]() -> Result<std::uint64_t> {
    const VerifyReport report = PIEVT_TRY(verify(log));
    if (report.verdict != Verdict::damaged) return report.head.value;
    return Error{Errc::corrupt, "a store that was just written does not verify"};
  };
  std::vector<Line> lines;
  lines.push_back(PIEVT_TRY(whole(options, store, "scan", "scan, all checked", scanned)));
  lines.push_back(PIEVT_TRY(whole(options, store, "fold", "fold into the run", folded)));
  lines.push_back(
      PIEVT_TRY(whole(options, store, "projections", "fold into all projections", projected)));
  lines.push_back(PIEVT_TRY(whole(options, store, "verify", "verify, chain and all", verified)));
  return lines;
}

// Single reads, each at another place.
Result<Line> singles(const SuiteOptions& options, const Material& store, std::string_view key,
                     std::string_view work, std::uint64_t places,
                     const std::function<Result<bool>(std::uint64_t)>& read) {
  if (!options.next(store.work(work))) return interrupted();
  std::mt19937_64 dice(1);
  Latencies latencies;
  const std::size_t count = options.effort == Effort::quick ? 500 : 10'000;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t place = 1 + dice() % places;
    auto [found, ns] = timed([&] { return read(place); });
    if (!PIEVT_TRY(std::move(found)))
      return Error{Errc::corrupt, "an event that was just written is not found"};
    latencies.add(ns);
  }
  Line line = one_way(store, key, work);
  line.operations = count;
  line.latency = latencies.percentiles();
  return line;
}

Result<bool> any_event(EventReader reader) {
  const bool found = reader.next();
  PIEVT_TRY(reader.status());
  return found;
}

Result<std::vector<Line>> read_singles(const SuiteOptions& options, const Material& store) {
  const Log log = PIEVT_TRY(Log::open(store.directory));
  const auto by_sequence = [&](std::uint64_t at) { return any_event(log.read({at}, {at})); };
  const auto by_revision = [&](std::uint64_t at) {
    return any_event(log.read_stream("run/bench", {at}, {at}));
  };
  std::vector<Line> lines;
  // Few enough that their blocks stay unpacked in memory after the first visits.
  const std::uint64_t near = std::min<std::uint64_t>(store.events, 20'000);
  lines.push_back(PIEVT_TRY(singles(options, store, "event.near",
                                    "one event by sequence, in the cache", near, by_sequence)));
  lines.push_back(PIEVT_TRY(singles(options, store, "event.sequence",
                                    "one event by sequence, anywhere", store.events, by_sequence)));
  lines.push_back(PIEVT_TRY(singles(options, store, "event.revision",
                                    "one event by revision, anywhere", store.events, by_revision)));
  return lines;
}

// An event's id is its append's id and its place in it, and an append repeated under its id is
// answered with where its events are: nothing is written then.
Result<Line> read_by_id(const SuiteOptions& options, const Material& store) {
  if (!options.next(store.work("one append by id"))) return interrupted();
  Log log = PIEVT_TRY(Log::open(store.directory, {.mode = OpenMode::write}));
  std::vector<EncodedAppend> appends;
  for (std::uint64_t i = 0; i < 200; ++i) {
    appends.push_back(PIEVT_TRY(EncodedAppend::encode(one_append(store.per_page, i))));
    PIEVT_TRY(log.append(appends.back()));
  }
  const auto by_id = [&](std::uint64_t at) -> Result<bool> {
    const Appended there = PIEVT_TRY(log.append(appends[at - 1]));
    return there.outcome == AppendOutcome::already_there;
  };
  Line line =
      PIEVT_TRY(singles(options, store, "event.id", "one append by id", appends.size(), by_id));
  PIEVT_TRY(log.close());
  return line;
}

// With the states on the way that whoever supervises a run saves.
Result<Line> state_at_moments(const SuiteOptions& options, const Material& store) {
  if (!options.next(store.work("state at a moment"))) return interrupted();
  {
    Log writer = PIEVT_TRY(Log::open(store.directory, {.mode = OpenMode::write}));
    PIEVT_TRY(save_views(writer, "bench"));
    PIEVT_TRY(writer.close());
  }
  const Log log = PIEVT_TRY(Log::open(store.directory));
  const Revision head = PIEVT_TRY(log.stream_head("run/bench"));
  std::mt19937_64 dice(2);
  Latencies latencies;
  for (int i = 0; i < (options.effort == Effort::quick ? 5 : 30); ++i) {
    const Revision at{1 + dice() % head.value};
    auto [state, ns] = timed([&] { return load_run(log, "bench", at); });
    PIEVT_TRY(std::move(state));
    latencies.add(ns);
  }
  Line line = one_way(store, "moment", fmt::format("state at a moment of {} events", head.value));
  line.operations = latencies.count();
  line.latency = latencies.percentiles();
  return line;
}

Result<Line> opening(const SuiteOptions& options, const Material& store, std::string_view key,
                     std::string_view work, int repetitions,
                     const std::function<Result<std::filesystem::path>()>& next_store,
                     OpenMode mode) {
  Latencies latencies;
  for (int i = 0; i < repetitions; ++i) {
    if (!options.next(store.work(work))) return interrupted();
    const std::filesystem::path directory = PIEVT_TRY(next_store());
    auto [log, ns] = timed([&] { return Log::open(directory, {.mode = mode}); });
    Log opened = PIEVT_TRY(std::move(log));
    latencies.add(ns);
    PIEVT_TRY(opened.close());
  }
  Line line = one_way(store, key, work);
  line.operations = latencies.count();
  line.latency = latencies.percentiles();
  return line;
}

Result<std::vector<Line>> openings(const SuiteOptions& options, const Material& store) {
  const int repetitions = options.effort == Effort::quick ? 3 : 10;
  const auto same = [&]() -> Result<std::filesystem::path> { return store.directory; };
  const auto killed = [&]() -> Result<std::filesystem::path> {
    const std::filesystem::path image = options.directory / "killed";
    PIEVT_TRY(image_of_killed_writer(store.directory, image, 2'000));
    return image;
  };
  std::vector<Line> lines;
  lines.push_back(PIEVT_TRY(
      opening(options, store, "open.read", "open to read", repetitions, same, OpenMode::read)));
  lines.push_back(PIEVT_TRY(opening(options, store, "open.write", "open to write, closed well",
                                    repetitions, same, OpenMode::write)));
  lines.push_back(
      PIEVT_TRY(opening(options, store, "open.killed", "open to write, 2,000 appends after a kill",
                        std::min(repetitions, 5), killed, OpenMode::write)));
  return lines;
}

// The tables of the log; a closed store has emptied its write-ahead log into them.
Result<Line> size_of(const Material& store) {
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(store.directory / "log")) {
    if (entry.path().extension() == ".sst") bytes += entry.file_size();
  }
  Line line = one_way(store, "size", "size at rest");
  line.operations = store.events;
  line.bytes_per_event = static_cast<double>(bytes) / static_cast<double>(store.events);
  return line;
}

void add(std::vector<Line>& to, std::vector<Line> lines) {
  for (Line& line : lines) to.push_back(std::move(line));
}

}  // namespace

Result<std::vector<Line>> measure_reads(const SuiteOptions& options) {
  const Material busy{options.directory / "pages-of-100", options.events, 100};
  const Material lonely{options.directory / "pages-of-1", options.events / 10 + 1, 1};
  std::vector<Line> lines;
  for (const Material& store : {busy, lonely}) {
    if (!options.next(fmt::format("writing {} events, {} a page", store.events, store.per_page)))
      return interrupted();
    PIEVT_TRY(write_run(store.directory, store.events, store.per_page));
    lines.push_back(PIEVT_TRY(size_of(store)));
    add(lines, PIEVT_TRY(read_all(options, store)));
    add(lines, PIEVT_TRY(read_singles(options, store)));
  }
  lines.push_back(PIEVT_TRY(state_at_moments(options, busy)));
  add(lines, PIEVT_TRY(openings(options, busy)));
  // These write, and so they come last.
  for (const Material& store : {busy, lonely})
    lines.push_back(PIEVT_TRY(read_by_id(options, store)));
  return lines;
}

}  // namespace pievt::measure
