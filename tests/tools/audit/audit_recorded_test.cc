// The recorded batches of the real pi-jobs, where they are: their report tells no less than one
// that was written by hand, and their cost is the sum over their sessions.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <simdjson.h>

#include <gmock/gmock.h>

#include "supervisor/pi/text.h"
#include "tests/tools/audit/testing.h"
#include "tools/audit/ledger.h"
#include "tools/audit/text.h"
#include "tools/importers/importer.h"

namespace pievt::audit {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

fs::path recorded() {
  return fs::path(PIEVT_SOURCE_DIR) / "../shared/fixtures/pi-jobs/real-pi";
}

class AuditOfRecorded : public AuditOfAStore {
 protected:
  std::string import(const fs::path& from) {
    auto report = std::ranges::find(tools::importers(), "pi-jobs", &tools::Importer::name)
                      ->read(&log_, from, {});
    EXPECT_TRUE(report.ok()) << report.error().what;
    return report.ok() && !report->runs.empty() ? report->runs[0].run_id : "";
  }
  static inline int lines_ = 0;
  // Sentences are broken where they do not fit; what they say is what counts here.
  static std::string unwrapped(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      out += text[i];
      if (text[i] != '\n') continue;
      ++lines_;
      const std::size_t word = text.find_first_not_of(' ', i + 1);
      if (word == std::string::npos || word == i + 1) continue;
      out.back() = ' ';
      i = word - 1;
    }
    return out;
  }

  std::string text(const std::string& run) {
    const Material material = gathered(run);
    BuildOptions options;
    options.short_id = run.substr(run.rfind('-') + 1);
    return unwrapped(report_text(build_report(material, options), material.story,
                                 {.terminal = {}, .zone = render::Zone::utc}));
  }
};

TEST_F(AuditOfRecorded, TellsNoLessThanTheOneWrittenByHand) {
  if (!fs::exists(recorded())) GTEST_SKIP() << "the recorded batches are not here";
  const std::string run = import(recorded() / "06-plan-partial-failure/ws");
  const std::string report = text(run);
  for (const char* told : {"imported from pi-jobs",
                           "2 of 6 jobs ok, 4 failed",
                           "8 attempts",
                           "it ended by itself",
                           "provider answered HTTP 500",
                           "12 of 12 recorded requests failed",
                           "r2 r3",
                           "cannot be told apart",
                           "worker said it was done and wrote nothing",
                           "r5 r6",
                           "contract: out/<id>.md missing",
                           "Same prompt again: expect the same",
                           "out/r1.md",
                           "261 B",
                           "234 of 261 bytes",
                           "one repeated character",
                           "out/r4.md",
                           "12 B",
                           "repaired by the worker",
                           "it only asks that the file exists",
                           "pievt rerun 8084d3 --kind provider",
                           "about $0.02",
                           "mean of r1 and r4",
                           "Retry delay was 50 ms",
                           "--job r5 --job r6",
                           "minBytes",
                           "12 bytes",
                           "TIMELINE",
                           "no visible good",
                           "NEEDS YOU: a secret was printed",
                           "SECRETS",
                           "sk-live-...",
                           "17 characters",
                           "bash of r6/1",
                           "All done (but nothing was written).",
                           "not reported",
                           "12 requests",
                           "no zone declared",
                           "first run of this plan",
                           "no rerun of it exists",
                           "agree on all 6",
                           "no checksums",
                           "8 of 8 sessions",
                           "53 of 53 records of the source's events.jsonl",
                           "imported from pi-jobs 0.5",
                           "also lists out/r2.md missing, out/r3.md missing: consequences of 1",
                           "(26 %)",
                           "jobs/r6.json (2)",
                           "out/r4.md  written by r4/1",
                           "NOT KNOWN",
                           "raw output of 8 attempts",
                           "who else used the provider",
                           "git state",
                           "exit 1"})
    EXPECT_THAT(report, HasSubstr(told));
  EXPECT_LE(lines_, 100);
  EXPECT_THAT(report, testing::Not(HasSubstr("sk-live-0"))) << "not even in the report about it";
}

TEST_F(AuditOfRecorded, TellsWhoNeedsAPersonAndWhichSuccessesAreWeak) {
  if (!fs::exists(recorded())) GTEST_SKIP() << "the recorded batches are not here";
  const std::string report = text(import(recorded() / "02-jobs-mixed/ws"));
  EXPECT_THAT(report, HasSubstr("NEEDS YOU: blocked: Upload source.pdf"));
  EXPECT_THAT(report, HasSubstr("is attempt 1's: attempt 2 did not write it"));
  EXPECT_THAT(report, HasSubstr("its report was rejected"));
}

// Every assistant message of every session, added up by hand.
TEST_F(AuditOfRecorded, CostEqualsTheSessions) {
  if (!fs::exists(recorded())) GTEST_SKIP() << "the recorded batches are not here";
  int compared = 0;
  for (const auto& fixture : fs::directory_iterator(recorded())) {
    const fs::path jobs = fixture.path() / "ws/.pi/jobs";
    if (!fs::exists(jobs)) continue;
    std::uint64_t tokens = 0;
    std::int64_t nanodollars = 0;
    simdjson::dom::parser parser;
    for (const auto& file : fs::recursive_directory_iterator(jobs)) {
      if (file.path().filename() != "session.jsonl") continue;
      std::ifstream in(file.path());
      for (std::string line; std::getline(in, line);) {
        simdjson::dom::element usage;
        if (parser.parse(line)["message"]["usage"].get(usage) != simdjson::SUCCESS) continue;
        tokens += std::uint64_t(usage["totalTokens"]);
        nanodollars += pi::nano_dollars(usage["cost"]["total"].get_double().value());
      }
    }
    const std::string run = import(fixture.path() / "ws");
    for (const By by : {By::run, By::job, By::attempt, By::model, By::day}) {
      Ledger ledger(by, Ledger::Runs::one, render::Zone::utc);
      ASSERT_TRUE(ledger.add(log_, run).ok());
      EXPECT_EQ(ledger.total().total_tokens, tokens) << run;
      EXPECT_EQ(ledger.total().nanodollars, nanodollars) << run;
    }
    ++compared;
  }
  EXPECT_GE(compared, 4);
}

}  // namespace
}  // namespace pievt::audit
