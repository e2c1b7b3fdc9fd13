// Each kind of check: when it is met, when it is not, and what it says it saw.
#include "supervisor/check/contract.h"

#include <filesystem>
#include <fstream>

#include <stdlib.h>
#include <sys/stat.h>

#include <gmock/gmock.h>

namespace pievt::acceptance {
namespace {

namespace fs = std::filesystem;
using schema::AcceptanceT;
using schema::CheckStatus;
using schema::GateDecision;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Contract : public ::testing::Test {
 protected:
  Contract() {
    std::string name = (fs::temp_directory_path() / "contractXXXXXX").string();
    root_ = ::mkdtemp(name.data());
    evidence_.cwd = root_;
  }
  ~Contract() override { fs::remove_all(root_); }

  void write(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path, std::ios::binary) << text;
  }

  schema::RequiredPathT& path(const std::string& name) {
    contract_.required_paths.push_back(std::make_unique<schema::RequiredPathT>());
    contract_.required_paths.back()->path = name;
    contract_.required_paths.back()->type = schema::PathType::file;
    return *contract_.required_paths.back();
  }

  // "kind target: status[, failure]: actual" of each check.
  std::vector<std::string> rows() {
    gate_ = evaluate(contract_, evidence_);
    std::vector<std::string> out;
    for (const auto& check : gate_.checks) {
      out.push_back(check->kind + " " + check->target + ": " +
                    schema::EnumNameCheckStatus(check->status) +
                    (check->failure.empty() ? "" : ", " + check->failure) + ": " + check->actual);
    }
    return out;
  }

  fs::path root_;
  AcceptanceT contract_;
  Evidence evidence_;
  schema::GateDecidedT gate_;
};

TEST_F(Contract, AnEmptyOneIsMet) {
  EXPECT_THAT(rows(), ElementsAre());
  EXPECT_EQ(gate_.decision, GateDecision::passed);
}

TEST_F(Contract, RequiredPathsSayWhatIsThere) {
  write("a.md", "12345");
  fs::create_directory(root_ / "d");
  ::mkfifo((root_ / "pipe").c_str(), 0600);
  path("a.md").min_bytes = 5;
  path("a.md").min_bytes = 6;
  path("none.md");
  path("d");
  path("pipe");
  path("d").type = schema::PathType::directory;
  path("a.md").type = schema::PathType::directory;
  EXPECT_THAT(rows(),
              ElementsAre("requiredPaths a.md: passed: 5 bytes",
                          "requiredPaths a.md: failed, too-small: 5 bytes",
                          "requiredPaths none.md: failed, missing: missing",
                          "requiredPaths d: failed, expected-file: a directory",
                          "requiredPaths pipe: failed, expected-file: not a regular file",
                          "requiredPaths d: passed: a directory",
                          "requiredPaths a.md: failed, expected-directory: not a directory"));
  EXPECT_EQ(gate_.decision, GateDecision::failed);
  EXPECT_EQ(gate_.checks[0]->size, 5u);
  EXPECT_NE(gate_.checks[0]->digest, nullptr);
}

TEST_F(Contract, PatternsOfAFileShowWhatTheyFound) {
  write("a.md", "# Chapter\nLATER: more\n");
  auto& check = path("a.md");
  check.required_regex = {"^# \\w+$", "Summary", "["};
  check.forbidden_regex = {"LATER"};
  EXPECT_THAT(
      rows(),
      ElementsAre(
          "requiredPaths a.md: passed: 22 bytes",
          "requiredPaths.requiredRegex a.md: passed: found at byte 0",
          "requiredPaths.requiredRegex a.md: failed, required-not-matched: not found in 22 "
          "bytes",
          "requiredPaths.requiredRegex a.md: failed, invalid-regex: no regular expression: "
          "a class is not closed at byte 1",
          "requiredPaths.forbiddenRegex a.md: failed, forbidden-matched: found at byte 10"));
  EXPECT_EQ(gate_.checks[4]->excerpt, "# Chapter LATER: more ");
  EXPECT_EQ(gate_.checks[4]->expected, "nothing like /LATER/");
}

TEST_F(Contract, OfAGlobOneFileIsEnough) {
  write("out/1.md", "stub");
  write("out/.hidden/2.md", "a whole text");
  auto& check = path("out/**");
  check.type = schema::PathType::glob;
  check.required_regex = {"whole"};
  EXPECT_THAT(rows(), ElementsAre("requiredPaths out/**: passed: 12 bytes",
                                  "requiredPaths.requiredRegex out/**: passed: found at byte 2"));
  EXPECT_EQ(gate_.checks[0]->path, "out/.hidden/2.md");
  check.required_regex = {"nowhere"};
  rows();
  EXPECT_EQ(gate_.decision, GateDecision::failed);
  check.path = "none/**";
  EXPECT_THAT(rows(),
              ElementsAre("requiredPaths none/**: failed, glob-matched-nothing: matched nothing"));
}

TEST_F(Contract, ForbiddenPathsSeeLinksToo) {
  fs::create_symlink("nowhere", root_ / "link");
  contract_.forbidden_paths = {"link", "b"};
  EXPECT_THAT(rows(), ElementsAre("forbiddenPaths link: failed, forbidden-path-exists: 7 bytes",
                                  "forbiddenPaths b: passed: nothing there"));
}

TEST_F(Contract, ChannelsAreSeparate) {
  evidence_.final_message.text = "done";
  evidence_.worker_log.text = "log";
  evidence_.report_text.text = "report";
  evidence_.raw_output.text = "raw";
  contract_.required_final = {"^done$"};
  contract_.required_worker_log = {"done"};
  contract_.forbidden_report = {"done"};
  contract_.forbidden_raw_output = {"raw"};
  EXPECT_THAT(
      rows(),
      ElementsAre(
          "finalMessage.requiredRegex finalMessage: passed: found at byte 0",
          "workerLog.requiredRegex workerLog: failed, required-not-matched: not found in 3 "
          "bytes",
          "report.forbiddenRegex report: passed: not found in 6 bytes",
          "rawOutput.forbiddenRegex rawOutput: failed, forbidden-matched: found at byte 0"));
}

TEST_F(Contract, WhatCannotBeSearchedMeetsNothing) {
  evidence_.raw_output.absence = Channel::Absence::not_searched;
  evidence_.raw_output.absent = "too much";
  evidence_.final_message.absent = "there is no final message";
  contract_.forbidden_raw_output = {"x"};
  contract_.required_final = {"x"};
  EXPECT_THAT(rows(),
              ElementsAre("finalMessage.requiredRegex finalMessage: failed, required-not-matched: "
                          "not found in 0 bytes: there is no final message",
                          "rawOutput.forbiddenRegex rawOutput: errored, undecided: too much"));
  EXPECT_EQ(gate_.decision, GateDecision::failed);
}

TEST_F(Contract, ARunawayPatternIsACheckThatErrored) {
  evidence_.final_message.text = std::string(40, 'a').append("!");
  contract_.required_final = {"^(a+)+$"};
  EXPECT_THAT(rows(), ElementsAre(HasSubstr("errored, undecided: undecided: it took")));
}

TEST_F(Contract, LengthsCountAsJavaScriptCounts) {
  evidence_.worker_log.text = "1234";
  evidence_.report.emplace();
  evidence_.report->summary = "a\U0001f600";
  contract_.min_worker_log_bytes = 5;
  contract_.min_report_summary_chars = 4;
  EXPECT_THAT(rows(), ElementsAre("minWorkerLogBytes workerLog: failed, log-too-short: 4 bytes",
                                  "minReportSummaryChars report: warned, summary-too-short: 3 "
                                  "characters"));
  contract_.min_worker_log_bytes = 4;
  rows();
  EXPECT_EQ(gate_.decision, GateDecision::passed) << "a warning fails nothing";
}

TEST_F(Contract, DeliverablesMustBeThere) {
  write("a.md", "text");
  write("empty.md", "");
  contract_.require_deliverables_evidence = true;
  evidence_.report.emplace();
  evidence_.report->deliverables = {
      {"a.md", "file"}, {"empty.md", "file"}, {"a.md", "dir"}, {"said", "note"}};
  EXPECT_THAT(
      rows(),
      ElementsAre("requireDeliverablesEvidence a.md: passed: 4 bytes",
                  "requireDeliverablesEvidence empty.md: failed, too-small: 0 bytes",
                  "requireDeliverablesEvidence a.md: failed, expected-directory: not a directory",
                  "requireDeliverablesEvidence said: failed, needs-evidence: 0 values"));
  evidence_.report.reset();
  evidence_.report_text.absent = "there is no report";
  EXPECT_THAT(rows(), ElementsAre("requireDeliverablesEvidence report: warned, nothing-declared: "
                                  "there is no report"));
}

TEST_F(Contract, WritesAreJudgedByWhatToolsWereTold) {
  contract_.allowed_write_paths = {"out/**"};
  contract_.forbidden_write_paths = {"out/secret"};
  evidence_.writes = {{"out/a", "write", 1},
                      {(root_ / "out/secret").string(), "edit", 1},
                      {"./elsewhere/x", "write", 2},
                      {"../away", "write", 2}};
  EXPECT_THAT(rows(),
              ElementsAre("forbiddenWritePaths out/secret: failed, forbidden-write: written by the "
                          "tool edit in attempt 1",
                          "allowedWritePaths elsewhere/x: failed, outside-allowed: written by the "
                          "tool write in attempt 2",
                          HasSubstr("/away: failed, outside-allowed"),
                          "writeAudit writes: passed: 4 writes by tools, 3 outside"));
  evidence_.writes.resize(1);
  evidence_.shell_calls = 2;
  EXPECT_THAT(rows(), ElementsAre("writeAudit writes: warned, shell-unseen: 1 writes by tools, 0 "
                                  "outside; what 2 calls of a shell wrote is not seen"));
  EXPECT_EQ(gate_.decision, GateDecision::passed);
}

TEST_F(Contract, WhatWalksShowedCountsMoreThanCalls) {
  contract_.allowed_write_paths = {"out/"};
  contract_.forbidden_write_paths = {"out/secret"};
  using schema::Attribution;
  evidence_.writes = {{"claimed", "write", 1}};
  evidence_.shell_calls = 3;
  const auto change = [&](const char* path, Attribution attribution) {
    return Change{
        (root_ / path).string(), "created", schema::WriteZone::unknown, attribution, {}, {}, 1};
  };
  evidence_.changes = {
      change("out/a", Attribution::tool), change("by-a-shell", Attribution::only_one_running),
      change("out/secret", Attribution::own_tree), change("perhaps", Attribution::one_of),
      change("of-another", Attribution::one_of)};
  (*evidence_.changes)[3].candidates = {"a/1", "b/1"};
  (*evidence_.changes)[4].detail = "lies in the zone of b/1";
  EXPECT_THAT(
      rows(),
      ElementsAre("allowedWritePaths by-a-shell: failed, outside-allowed: created while only "
                  "attempt 1 of the job ran there",
                  "forbiddenWritePaths out/secret: failed, forbidden-write: created in the tree of "
                  "attempt 1",
                  "allowedWritePaths perhaps: warned, perhaps-another: created while attempt 1 ran "
                  "there; one of a/1, b/1",
                  "writeAudit writes: warned, perhaps-another: 5 paths changed, 2 outside; 1 more "
                  "that may be another attempt's"));
}

TEST_F(Contract, WhoeverGivesGitOrdersIsFound) {
  contract_.allowed_write_paths = {"**"};
  evidence_.changes = {{(root_ / ".git/config").string(),
                        "modified",
                        schema::WriteZone::git_administration,
                        schema::Attribution::only_one_running,
                        {},
                        {},
                        2}};
  EXPECT_EQ(rows()[0],
            "writeAudit .git/config: failed, git-administration: modified while only attempt 2 of "
            "the job ran there");
  EXPECT_EQ(gate_.decision, GateDecision::failed);
}

TEST_F(Contract, ACommandIsJudgedByItsExit) {
  const auto command = [&](std::uint32_t expect) {
    contract_.commands.push_back(std::make_unique<schema::CommandCheckT>());
    contract_.commands.back()->shell = "make";
    contract_.commands.back()->expect_exit = expect;
  };
  for (const std::uint32_t expect : {0u, 2u, 0u, 0u}) command(expect);
  evidence_.commands.resize(4);
  evidence_.commands[0].duration_ms = 1500;
  evidence_.commands[1].exit_code = 1;
  evidence_.commands[2].signal = 9;
  evidence_.commands[3].error = "no program make";
  EXPECT_THAT(rows(), ElementsAre("command make: passed: exit 0 after 1.5 s",
                                  "command make: failed, wrong-exit: exit 1 after 0.0 s",
                                  "command make: failed, killed: ended by signal 9 after 0.0 s",
                                  "command make: errored, not-started: no program make"));
}

TEST_F(Contract, AuditOnlyWarns) {
  path("none");
  contract_.audit_only = true;
  rows();
  EXPECT_EQ(gate_.decision, GateDecision::warned);
}

}  // namespace
}  // namespace pievt::acceptance
