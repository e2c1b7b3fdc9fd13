// The small batch that the importer's tests change, and what they do with it.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pievt/query.h"
#include "tests/store/log/temp_store.h"
#include "tools/importers/importer.h"

namespace pievt::tools {

namespace fs = std::filesystem;
using schema::ImportAnomaly;

inline constexpr const char* sample_id = "2026-03-02T10-00-00-000Z-0a1b2c";

inline const Importer& pi_jobs() {
  return *std::ranges::find(importers(), "pi-jobs", &Importer::name);
}

inline std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream all;
  all << in.rdbuf();
  return all.str();
}

inline void spill(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

inline void replace(const fs::path& path, const std::string& what, const std::string& with) {
  std::string text = slurp(path);
  const std::size_t at = text.find(what);
  ASSERT_NE(at, std::string::npos) << what << " is not in " << path;
  spill(path, text.replace(at, what.size(), with));
}

inline std::vector<ImportAnomaly> kinds_of(const std::vector<FoundAnomaly>& anomalies) {
  std::vector<ImportAnomaly> kinds;
  for (const FoundAnomaly& found : anomalies) kinds.push_back(found.what.anomaly);
  return kinds;
}

class PiJobsImport : public testing::Test {
 protected:
  PiJobsImport() : source_(directory_.path() / "jobs"), batch_(source_ / sample_id) {
    fs::create_directories(source_);
    fs::copy(fs::path(PIEVT_IMPORT_DATA) / sample_id, batch_, fs::copy_options::recursive);
  }

  Log open() {
    auto log = Log::open(directory_.path() / "store", {.mode = OpenMode::create});
    EXPECT_TRUE(log.ok()) << log.error().what;
    return std::move(log).value();
  }

  ImportReport import(Log* log) { return import(log, source_); }
  static ImportReport import(Log* log, const fs::path& from) {
    auto report = pi_jobs().read(log, from, {});
    EXPECT_TRUE(report.ok()) << report.error().what;
    return report.ok() ? std::move(report).value() : ImportReport();
  }
  static RunState state(const Log& log, std::string_view run = sample_id) {
    auto state = load_run(log, run);
    EXPECT_TRUE(state.ok()) << state.error().what;
    return state.ok() ? std::move(state).value() : RunState();
  }

  TempDirectory directory_;
  fs::path source_;
  fs::path batch_;
};

}  // namespace pievt::tools
