// Reading a closed log, in turns with RocksDB's own iterator over the same files: the most that any
// reader of it could reach.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "tools/measure/report.h"

namespace pievt::bench {

/// "raw.100", "checked.100", "chain.100", and of pages of 1; in processor time. A failure is a
/// skipped line.
std::vector<measure::Line> measure_scans(const std::filesystem::path& directory,
                                         std::uint64_t events);

}  // namespace pievt::bench
