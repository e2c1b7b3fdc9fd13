// What a bench was asked on its command line, and what it answers: a table for people, and the JSON
// that docs/performance.md is made from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "tools/measure/report.h"

namespace pievt::bench {

struct Asked {
  bool quick = false;                     ///< rougher numbers of smaller things
  std::filesystem::path directory = ".";  ///< on the disk that matters
  std::filesystem::path json;             ///< where the document goes; empty: nowhere
  std::filesystem::path pievt;            ///< the program, where it is measured, too
  std::uint64_t events = 10'000'000;      ///< in a large store
};

/// How a bench is called: `NAME [--quick] [--dir DIR] [--json FILE] [--events N] [--pievt
/// PROGRAM]`. Nothing: it was called otherwise, and stderr says how it is to be called.
std::optional<Asked> read_command_line(std::string_view name, int argc, char** argv);

/// Measures in a directory of its own below the one asked for, prints, and writes the document.
/// Ctrl-C waits until `measure` comes back. The exit code.
int run_bench(
    std::string_view name, std::string_view schema, const Asked& asked,
    const std::function<std::vector<measure::Line>(const std::filesystem::path&)>& measure);

/// Says on stderr what comes next. False: somebody wants the bench to end.
bool go_on(std::string_view name, std::string_view what);

}  // namespace pievt::bench
