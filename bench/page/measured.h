// The documents that `pievt bench -o json`, `peers_bench --json` and `audit_bench --json` wrote,
// read back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/result.h"

namespace pievt::bench {

/// A line of such a document; what it does not have is 0 or empty.
struct Measured {
  std::string name, work, durability, skipped;
  double events_per_s = 0, p50_us = 0, p95_us = 0, p99_us = 0, p999_us = 0;
  double ratio = 0, beside_p50_us = 0, bytes_per_event = 0, resident_bytes = 0;
};

struct Document {
  std::string program, build, processor, kernel, file_system;
  std::uint64_t processors = 0, memory_bytes = 0;
  double load = 0;
  std::vector<Measured> lines;

  /// Null where there is no such line, or where it was skipped.
  const Measured* find(std::string_view name) const;
};

struct Documents {
  Document own, peers, audit;
};

/// invalid: it is not such a document.
Result<Document> read_document(const std::filesystem::path& path);

}  // namespace pievt::bench
