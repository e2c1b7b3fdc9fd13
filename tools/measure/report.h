// What was measured, as values; and as the JSON that everything else is made from (the tables of
// docs/performance.md too).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/measure/latencies.h"
#include "tools/measure/place.h"
#include "tools/render/json_writer.h"

namespace pievt::measure {

/// The same bytes by another way, in turns with ours, so that a disk that changes its speed changes
/// both.
struct Beside {
  std::string what;  ///< "write + fdatasync"
  Percentiles latency;
  /// How often ours is as fast: 1 as fast, more is faster. Of medians, or of rates where many
  /// operations were in flight.
  double ratio = 0;
};

/// One row. What does not apply is 0 or empty.
struct Line {
  std::string name;        ///< stable: "append.1.fsync"
  std::string work;        ///< for people
  std::string durability;  ///< of the events when an append returns; empty: a read
  std::uint64_t operations = 0;
  double events_per_s = 0;
  std::optional<Percentiles> latency = {};  ///< of one operation
  std::optional<Beside> beside = {};
  std::optional<double> bytes_per_event = {};
  std::uint64_t resident_bytes = 0;  ///< the most memory a process had that did the work
  std::string skipped = {};          ///< why there are no numbers
};

struct Report {
  std::string program;  ///< name and version
  std::string build;
  Machine machine;
  std::vector<Line> lines;
};

/// A whole document; `schema` is its name ("pievt.bench").
void write_json(render::JsonWriter& json, const Report& report, std::string_view schema);

/// "1.4 M", "820 k", "95", "0.5"; three digits.
std::string rate_text(double events_per_s);

/// Microseconds as "131 us", "2.1 ms", "0.9 us".
std::string time_text(double us);

}  // namespace pievt::measure
