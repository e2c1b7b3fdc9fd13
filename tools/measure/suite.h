// What `pievt bench` measures: appending, reading, opening, on this machine and this disk. Every
// part makes its own stores below the directory it is given.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>
#include <vector>

#include "pievt/result.h"
#include "tools/measure/report.h"

namespace pievt::measure {

/// How long it may take: some seconds with wide percentiles, or about a minute.
enum class Effort : std::uint8_t { quick, full };

struct SuiteOptions {
  std::filesystem::path directory;
  Effort effort = Effort::full;
  std::uint64_t events = 1'000'000;  ///< in the store that is read and opened
  /// Told what comes next; false ends the measuring.
  std::function<bool(std::string_view)> next = [](std::string_view) { return true; };
};

/// Of 1, 10, 100 and 1,000 events at each durability, in turns with the same bytes into a file;
/// with an encoding thread; and from 64 threads at once.
Result<std::vector<Line>> measure_appends(const SuiteOptions& options);

/// Scan, fold, all projections, single events, states at a moment, opening, size.
Result<std::vector<Line>> measure_reads(const SuiteOptions& options);

/// Error of a part that was told to end.
Error interrupted();

}  // namespace pievt::measure
