// A store of millions of events: how soon it is open, how soon a person sees something, and in how
// much memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "tools/measure/report.h"

namespace pievt::bench {

/// "large.open.read", "large.open.write", "large.open.killed"; "large.log" and "large.show" are
/// whole runs of the program `pievt`. A failure is a skipped line.
std::vector<measure::Line> measure_large_store(const std::filesystem::path& directory,
                                               const std::filesystem::path& pievt,
                                               std::uint64_t events);

}  // namespace pievt::bench
