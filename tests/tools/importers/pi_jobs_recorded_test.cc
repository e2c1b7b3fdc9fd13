// The recorded batches of the real pi-jobs, where they are: counts and statuses against the list
// that was made with them, and each damaged variant with a diagnosis of its own.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <simdjson.h>

#include <gtest/gtest.h>

#include "pievt/query.h"
#include "tests/store/log/temp_store.h"
#include "tests/tools/importers/testing.h"
#include "tools/importers/importer.h"

namespace pievt::tools {
namespace {

namespace fs = std::filesystem;

ImportReport import(Log* log, const fs::path& from) {
  auto report = std::ranges::find(importers(), "pi-jobs", &Importer::name)->read(log, from, {});
  EXPECT_TRUE(report.ok()) << report.error().what;
  return report.ok() ? std::move(report).value() : ImportReport();
}

fs::path recorded() {
  return fs::path(PIEVT_SOURCE_DIR) / "../shared/fixtures/pi-jobs";
}

// Counts and statuses of every recorded batch, against the list that was made when they were.
TEST(PiJobsRecorded, RecordedBatchesEqualTheirList) {
  if (!fs::exists(recorded() / "manifest.json"))
    GTEST_SKIP() << "the recorded batches are not here";
  simdjson::dom::parser parser;
  const simdjson::padded_string text = slurp(recorded() / "manifest.json");
  const TempDirectory place;
  auto opened = Log::open(place.path() / "store", {.mode = OpenMode::create});
  ASSERT_TRUE(opened.ok());
  Log& log = *opened;
  for (simdjson::dom::element batch : simdjson::dom::array(parser.parse(text))) {
    const std::string path(batch["path"]), id(batch["batchId"]);
    SCOPED_TRACE(path);
    const ImportReport report = import(&log, recorded() / path);
    EXPECT_EQ(report.runs[0].status, std::string(batch["status"]));
    EXPECT_EQ(report.runs[0].records, std::uint64_t(batch["events"]));
    const auto loaded = load_run(log, id);
    ASSERT_TRUE(loaded.ok());
    const RunState& run = *loaded;
    std::map<std::string, std::uint32_t> words;
    for (simdjson::dom::element job : simdjson::dom::array(batch["jobs"])) {
      ++words[std::string(job["status"])];
      const JobState* ours = find_job(run, std::string_view(job["jobId"]));
      ASSERT_NE(ours, nullptr);
      EXPECT_EQ(ours->attempts.size(), simdjson::dom::array(job["attempts"]).size());
      std::size_t ordinal = 0;
      for (simdjson::dom::element attempt : simdjson::dom::array(job["attempts"])) {
        const AttemptState& seen = *ours->attempts[ordinal++];
        EXPECT_EQ(schema::EnumNameFailureKind(seen.failure), std::string_view(attempt["kind"]));
        EXPECT_EQ(seen.phase, state::AttemptPhase::classified);
      }
      EXPECT_EQ(schema::EnumNameFailureKind(ours->failure), std::string_view(job["failureKind"]));
    }
    EXPECT_EQ(report.runs[0].jobs, words);
  }
}

// Whole ones and damaged ones: no event has the time of its import, and none is before another that
// it follows.
TEST(PiJobsRecorded, RecordedBatchesAreToldInTheOrderOfTheirTimes) {
  if (!fs::exists(recorded() / "real-pi")) GTEST_SKIP() << "the recorded batches are not here";
  std::size_t batches = 0;
  for (const char* group : {"real-pi", "fake-pi", "corrupt"}) {
    for (const auto& source : fs::directory_iterator(recorded() / group)) {
      if (!fs::exists(source.path() / "ws/.pi/jobs")) continue;
      SCOPED_TRACE(source.path());
      const TempDirectory place;
      auto log = Log::open(place.path() / "store", {.mode = OpenMode::create});
      ASSERT_TRUE(log.ok());
      for (const ImportedRun& run : import(&*log, source.path() / "ws").runs) {
        ++batches;
        std::uint64_t before = 1'795'132'800'000'000'000;  // 20 November 2026
        for (auto reader = log->read_stream(run_stream(run.run_id), {1}); reader.next();) {
          const std::uint64_t at = reader.event().head().occurred_ns();
          ASSERT_GE(at, before) << run.run_id << " #" << reader.event().revision().value;
          before = at;
        }
        EXPECT_LT(before, 1'795'219'200'000'000'000u);
        const auto end = revision_at(*log, run.run_id, before);
        ASSERT_TRUE(end.ok());
        EXPECT_EQ(end->value, log->stream_head(run_stream(run.run_id))->value);
      }
    }
  }
  EXPECT_GT(batches, 10u);
}

TEST(PiJobsRecorded, RecordedDamageIsDiagnosedEachInItsWay) {
  if (!fs::exists(recorded() / "corrupt")) GTEST_SKIP() << "the recorded batches are not here";
  std::set<std::vector<std::string>> diagnoses;
  std::size_t variants = 0;
  for (const auto& variant : fs::directory_iterator(recorded() / "corrupt")) {
    if (!fs::exists(variant.path() / "ws/.pi/jobs")) continue;
    const ImportReport report = import(nullptr, variant.path() / "ws");
    ASSERT_EQ(report.runs.size(), 1u) << variant.path();
    std::vector<std::string> diagnosis;
    for (const FoundAnomaly& found : report.runs[0].anomalies)
      diagnosis.push_back(found.what.file + std::to_string(found.what.line) + found.what.detail);
    EXPECT_FALSE(diagnosis.empty()) << variant.path();
    EXPECT_TRUE(diagnoses.insert(diagnosis).second) << variant.path() << " is told like another";
    ++variants;
  }
  EXPECT_EQ(diagnoses.size(), variants);
}

}  // namespace
}  // namespace pievt::tools
