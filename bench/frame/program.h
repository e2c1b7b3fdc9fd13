// Whole runs of a program, as its users start it: how long each took and how much memory it had.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "pievt/result.h"
#include "tools/measure/report.h"

namespace pievt::bench {

/// What is measured: the most memory that was used, or why it could not be done.
using Act = std::function<Result<std::uint64_t>()>;

/// Runs a program to its end, its output going nowhere, and gives the most memory it had. `exits`:
/// the exit code it is to end with; another one is an error. It dies with the bench.
Result<std::uint64_t> run_program(const std::vector<std::string>& argv, int exits = 0);

/// `act` so many times, `before` each of them what is not measured. A failure is a skipped line.
measure::Line repeated(std::string_view key, std::string work, int times, const Act& before,
                       const Act& act);

}  // namespace pievt::bench
