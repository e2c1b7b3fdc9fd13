// An importer reads another system's directory, never writes to it, and tells it as events of ours.
//
// It is a salvage reader: whatever is damaged, missing or contradictory becomes an anomaly with its
// place, and everything else is carried over. A batch is never hidden because of one bad line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/log.h"
#include "pievt/result.h"

namespace pievt::tools {

/// Something in the source that could not be believed, and whom it is about within its run.
struct FoundAnomaly {
  schema::ImportAnomalyFoundT what;
  std::uint32_t job = 0;
  std::uint32_t attempt = 0;
};

enum class RunImport : std::uint8_t {
  imported,   ///< it was not in the store
  continued,  ///< the source has grown since
  unchanged,  ///< everything was there already
  restored,   ///< its events were there, and its texts and output are there again
};

struct ImportedRun {
  std::string run_id;
  RunImport outcome = RunImport::imported;
  /// As the source calls it: `success`, `running`.
  std::string status;
  /// Jobs by the source's word for how they stand.
  std::map<std::string, std::uint32_t> jobs;
  std::uint32_t attempts = 0;
  std::uint64_t records = 0;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  /// Events that were appended; in a preview, that would be at most.
  std::uint64_t events = 0;
  std::vector<FoundAnomaly> anomalies;
};

struct ImportReport {
  std::string source_kind;
  std::vector<ImportedRun> runs;
  /// What concerns no run: files that belong to none.
  std::vector<FoundAnomaly> anomalies;
};

struct ImportOptions {
  std::string pievt_version;
  /// Called before each run with how many are done and how many there are.
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;
};

/// A row of the table of importers.
struct Importer {
  std::string_view name;
  std::string_view summary;
  /// Whether `path` looks like a source of this importer. Reads names, or the first bytes of a
  /// file.
  bool (*recognises)(const std::filesystem::path& path);
  /// Reads everything below `path`. `log` may be null: then nothing is stored, and the report says
  /// what would be. An error means that the store or the directory itself failed; runs before it
  /// are imported whole, and the same call goes on where it stopped.
  Result<ImportReport> (*read)(Log* log, const std::filesystem::path& path,
                               const ImportOptions& options);
};

/// Sorted by name.
std::span<const Importer> importers();

}  // namespace pievt::tools
