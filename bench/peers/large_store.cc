#include "bench/peers/large_store.h"

#include <optional>
#include <string>

#include <fmt/format.h>

#include "bench/frame/program.h"
#include "pievt/query.h"
#include "tools/measure/events.h"

namespace pievt::bench {
namespace {

using measure::Line;
namespace fs = std::filesystem;

// Pages of 100, and the saved states that a supervisor leaves behind.
Status write_store(const fs::path& store, std::uint64_t events) {
  PIEVT_TRY(measure::write_run(store, events, 100));
  Log log = PIEVT_TRY(Log::open(store, {.mode = OpenMode::write}));
  PIEVT_TRY(save_views(log, "bench"));
  return log.close();
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
