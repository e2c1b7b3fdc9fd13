// A worker hands in its report: what becomes of its arguments, and how the file comes to its place.
#include "tools/agent_tools/worker_report.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "supervisor/pi/worker_report.h"
#include "supervisor/plan/source.h"
#include "tests/store/log/temp_store.h"

namespace pievt::tools {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

std::string of(std::string_view arguments) {
  plan::Problems problems;
  const plan::Source source("arguments", std::string(arguments));
  const auto tree = plan::JsonTree::parse(source, problems);
  if (!tree) return "no JSON";
  const auto report = report_of(tree->root());
  return report.ok() ? *report : report.error().what;
}

TEST(ReportOf, AddsTheVersionAndKeepsEveryWord) {
  const std::string text =
      of(R"({"status":"completed","summary":"a \"b\"\n","deliverables":[{"path":"x","kind":"file"}],
             "schemaVersion":9,"extra":{"n":1.5,"list":[true,null]}})");
  EXPECT_EQ(text,
            R"({"schemaVersion":1,"status":"completed","summary":"a \"b\"\u000a",)"
            R"("deliverables":[{"path":"x","kind":"file"}],"extra":{"n":1.5,"list":[true,null]}})"
            "\n");
  EXPECT_TRUE(pi::read_worker_report(text, "any").ok());
}

TEST(ReportOf, AKeyIsWrittenAsItWasMeant) {
  const std::string text = of(R"({"status":"error","summary":"x","a\",\"status\":\"completed":1})");
  const auto read = pi::read_worker_report(text, "any");
  ASSERT_TRUE(read.ok()) << text;
  EXPECT_EQ(read->status, "error") << "nobody's key may say what the status is";
}

TEST(ReportOf, WhoseItIsIsDecidedByTheSupervisor) {
  EXPECT_THAT(of(R"({"status":"blocked","summary":"x","jobId":"b"})"), HasSubstr(R"("jobId":"b")"));
}

TEST(ReportOf, WhatIsNoneIsRefused) {
  EXPECT_EQ(of("[]"), "the report must be an object");
  EXPECT_THAT(of("{}"), HasSubstr("\"status\" must be"));
  EXPECT_THAT(of(R"({"status":"completed"})"), HasSubstr("\"summary\" must not be blank"));
  EXPECT_THAT(of(R"({"status":"completed","summary":"x","evidence":[{}]})"),
              HasSubstr("an entry of \"evidence\" is not one"));
}

std::string content(const fs::path& path) {
  return (std::ostringstream() << std::ifstream(path).rdbuf()).str();
}

TEST(WriteReport, IsReadableByItsUserAloneAndReplacesTheFirst) {
  const TempDirectory directory;
  const fs::path path = directory.path() / "report.json";
  ASSERT_TRUE(write_report(path, "first, and longer").ok());
  ASSERT_TRUE(write_report(path, "second").ok());
  EXPECT_EQ(content(path), "second");
  EXPECT_EQ(fs::status(path).permissions() & fs::perms::mask, fs::perms(0600));
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), {}), 1) << "nothing is left";
}

TEST(WriteReport, WhatLiesInItsWayIsNotFollowed) {
  const TempDirectory directory;
  const fs::path path = directory.path() / "report.json";
  const fs::path victim = directory.path() / "victim";
  std::ofstream(victim) << "keep";
  fs::create_symlink(victim, path.string() + ".new");
  fs::create_symlink(victim, path);
  ASSERT_TRUE(write_report(path, "report").ok());
  EXPECT_EQ(content(victim), "keep");
  EXPECT_EQ(content(path), "report");
  EXPECT_FALSE(fs::is_symlink(path));
}

TEST(WriteReport, SaysWhereItFailed) {
  const TempDirectory directory;
  const Status made = write_report(directory.path() / "none/report.json", "x");
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, Errc::not_found);
  EXPECT_THAT(made.error().what, HasSubstr("the report cannot be made"));
  fs::create_directories(directory.path() / "report.json/full");
  const Status placed = write_report(directory.path() / "report.json", "x");
  ASSERT_FALSE(placed.ok());
  EXPECT_THAT(placed.error().what, HasSubstr("the report cannot be put in its place"));
}

}  // namespace
}  // namespace pievt::tools
