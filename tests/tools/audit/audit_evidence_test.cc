// What a report rests on: zones asked again of every write, all places of a secret, what the source
// had lost, why a verdict stands; and several runs in one lead.
#include <algorithm>

#include <gmock/gmock.h>

#include "tests/tools/audit/testing.h"
#include "tools/audit/shell_targets.h"
#include "tools/audit/text.h"
#include "tools/audit/together.h"
#include "tools/audit/unmet.h"
#include "tools/audit/why.h"

namespace pievt::audit {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(ShellTargets, AreWhatACommandNamesAndNothingItWouldHaveToWorkOut) {
  EXPECT_THAT(shell_targets("mkdir -p a && echo leak > elsewhere/a.txt && echo ok >> out/b.md"),
              ElementsAre("elsewhere/a.txt", "out/b.md"));
  EXPECT_THAT(shell_targets("x 2>&1 >/dev/null | tee -a 'with space.log' other"),
              ElementsAre("with space.log", "other"));
  EXPECT_THAT(shell_targets("cd sub; echo 1>one; cd \"$HOME\"; echo > two; echo > /abs"),
              ElementsAre("sub/one", "/abs"));
  EXPECT_THAT(shell_targets("echo \"a > b\" 'c > d' # > e\necho $((1 > 2))"), IsEmpty())
      << "quoted, a comment, no file";
  EXPECT_THAT(shell_targets("cat <<EOF > f\nx > y\nEOF\ncat >g <<-'E'\n\tz > z\n\tE\n"),
              ElementsAre("f", "g"));
  EXPECT_THAT(shell_targets("echo > $FILE > *.md > a{b,c} >"), IsEmpty());
}

class AuditOfEvidence : public AuditOfAStore {
 protected:
  void call(RunMaker& run, std::uint32_t job, std::uint32_t number, const char* tool,
            const std::string& subject, const std::string& arguments = {}) {
    schema::ToolCallStartedT started;
    started.tool = tool;
    started.subject = subject;
    started.call = number;
    if (!arguments.empty()) {
      const auto stored = log_.put_blob(arguments);
      ASSERT_TRUE(stored.ok()) << stored.error().what;
      started.arguments = std::make_unique<schema::BlobRef>(*stored);
    }
    run.add(std::move(started), {.job = job, .attempt = 1});
    schema::ToolCallFinishedT finished;
    finished.tool = tool;
    finished.call = number;
    run.add(std::move(finished), {.job = job, .attempt = 1});
  }

  // Job 1, with a contract that it writes below out/ only.
  static void declare_zone(RunMaker& run) {
    schema::JobDeclaredT declared;
    declared.id = "j1";
    declared.cwd = "/srv/book";
    declared.acceptance = std::make_unique<schema::AcceptanceT>();
    declared.acceptance->allowed_write_paths = {"out/**"};
    run.add(std::move(declared), {.job = 1});
  }
};

TEST_F(AuditOfEvidence, WritesAreHeldAgainstTheZoneThatWasDeclared) {
  RunMaker run(log_, "20260101-000000-ab0001", "book", 0);
  declare_zone(run);
  run.job(1, Story::ok);
  call(run, 1, 1, "write", "out/a.md");
  call(run, 1, 2, "write", "/srv/book/out/deep/b.md");
  call(run, 1, 3, "write", "elsewhere/c.md");
  call(run, 1, 4, "bash", "echo leak > elsewhere/d.txt && echo ok > out/e.md");
  run.finish_run();
  const Material material = gathered("20260101-000000-ab0001");
  const RunReport report = build_report(material, {});
  std::vector<std::string> rows;
  for (const WriteRow& row : report.writes)
    rows.push_back(row.path + " " + row.zone + " " + row.attribution);
  EXPECT_THAT(rows, ElementsAre("out/a.md inside tool", "/srv/book/out/deep/b.md inside tool",
                                "elsewhere/c.md outside tool", "elsewhere/d.txt outside shell",
                                "out/e.md inside shell"));
  EXPECT_THAT(report.writes[2].detail, HasSubstr("out/**"));
  EXPECT_THAT(report.writes_note, Contains("2 outside of where it may write"));
  ASSERT_EQ(report.usable.size(), 1u);
  std::vector<std::string> weak;
  for (const Finding& each : report.usable[0].weak) weak.push_back(each.text);
  EXPECT_THAT(weak, Contains(HasSubstr("elsewhere/c.md was written where it must not")));
  EXPECT_THAT(weak, Contains(HasSubstr("elsewhere/d.txt is named in a shell command")));
  const std::string text =
      report_text(report, material.story, {.terminal = {}, .zone = render::Zone::utc});
  EXPECT_LT(text.find("elsewhere/c.md  written"), text.find("out/a.md  written"));
}

TEST_F(AuditOfEvidence, ASecretIsNamedWithEveryTextItStandsIn) {
  const std::string secret = "sk-live-0123456789abcdef";
  RunMaker run(log_, "20260101-000000-ab0002", "book", 1);
  run.job(1, Story::ok);
  const std::string arguments = "{\"command\":\"echo " + secret + "\"}";
  schema::ToolCallStartedT started;
  started.tool = "bash";
  started.call = 1;
  started.arguments = std::make_unique<schema::BlobRef>(log_.put_blob(arguments).value());
  run.add(std::move(started), {.job = 1, .attempt = 1});
  schema::SecretFoundT found;
  found.place = schema::SecretPlace::tool_arguments;
  found.rule = "token";
  found.where = "bash";
  found.offset = arguments.find(secret);
  found.size = secret.size();
  found.prefix = "sk-live-";
  run.add(std::move(found), {.job = 1, .attempt = 1});
  schema::ArtifactRecordedT artifact;
  artifact.path = "attempts/j1/attempt-1/session.jsonl";
  artifact.kind = schema::ArtifactKind::session;
  artifact.content = std::make_unique<schema::BlobRef>(
      log_.put_blob("a " + secret + "\nb " + secret + "\n").value());
  run.add(std::move(artifact), {.job = 1, .attempt = 1});
  run.finish_run();
  const Material material = gathered("20260101-000000-ab0002");
  const RunReport report = build_report(material, {});
  ASSERT_EQ(report.secrets.size(), 1u);
  const Secret& told = report.secrets[0];
  EXPECT_EQ(told.places, 2u);
  EXPECT_TRUE(told.looked_everywhere);
  ASSERT_EQ(told.found_in.size(), 2u);
  EXPECT_EQ(told.found_in[0].where, "arguments of bash of j1/1");
  EXPECT_EQ(told.found_in[1].where, "attempts/j1/attempt-1/session.jsonl");
  EXPECT_EQ(told.found_in[1].times, 2u);
  EXPECT_THAT(told.events, Contains(told.found_in[1].event));
  EXPECT_THAT(report_text(report, material.story, {.terminal = {}, .zone = render::Zone::utc}),
              Not(HasSubstr(secret)));
}

TEST_F(AuditOfEvidence, AnIdIsNeverTakenOutOfAWord) {
  RunMaker run(log_, "20260101-000000-ab0003", "book", 2);
  run.job(1, Story::no_file);
  run.job(2, Story::no_file);
  run.finish_run();
  Material material = gathered("20260101-000000-ab0003");
  JobState& job = *material.run.jobs[0];
  EXPECT_EQ(unmet_checks(material.run, job, Naming::generally), "out/<id>.md missing");
  EXPECT_EQ(unmet_checks(material.run, job, Naming::exactly), "out/j1.md missing");
  job.id = "missing";
  EXPECT_EQ(unmet_checks(material.run, job, Naming::generally), "out/j1.md missing");
  schema::CheckT& check = *material.run.gates[0]->checks[0];
  check.failure = "";
  check.kind = "requiredPaths.minBytes";
  check.actual = "14";
  check.expected = "at least 100 bytes";
  EXPECT_EQ(unmet_checks(material.run, job, Naming::exactly),
            "out/j1.md has 14 bytes, at least 100 bytes wanted");
}

TEST_F(AuditOfEvidence, CausesOfOneKindAreMendedByOneCommandAtTheirOwnPrice) {
  RunMaker run(log_, "20260101-000000-ab0004", "book", 4);
  run.job(1, Story::ok);
  run.job(2, Story::provider_down);
  run.job(3, Story::no_file);
  run.job(4, Story::provider_down);
  run.finish_run();
  Material material = gathered("20260101-000000-ab0004");
  material.run.jobs[3]->attempts[0]->http_status = 0;
  material.run.jobs[3]->attempts[0]->last_error = "terminated";
  material.run.jobs[2]->usage->cost_nanodollars = 7'000'000;
  const RunReport report = build_report(material, {});
  EXPECT_EQ(report.causes.size(), 3u) << "a status, a broken line, and a contract";
  std::vector<std::string> commands;
  for (const Action& action : report.actions) {
    if (!action.command.empty()) commands.push_back(action.command);
  }
  ASSERT_EQ(commands.size(), 2u);
  EXPECT_THAT(commands, Contains(HasSubstr("--kind provider_transient")));
  for (const Action& action : report.actions) {
    if (action.command.find("--kind") != std::string::npos) {
      EXPECT_EQ(action.jobs, 2u);
    }
    if (action.command.find("--job j3") != std::string::npos) {
      EXPECT_EQ(action.nanodollars, 7'000'000);
      EXPECT_EQ(action.priced_by, "what it cost");
    }
  }
}

TEST_F(AuditOfEvidence, JobsThatHaveNotEndedHaveACauseToo) {
  RunMaker run(log_, "20260101-000000-ab0005", "book", 2);
  schema::AttemptLaunchRequestedT requested;
  run.add(std::move(requested), {.job = 1, .attempt = 1});
  run.add(schema::AttemptLaunchedT(), {.job = 1, .attempt = 1});
  schema::UsageRecordedT failed;
  failed.stop_reason = "error";
  failed.error = "500 down";
  failed.reported = schema::Reported::not_reported;
  run.add(std::move(failed), {.job = 1, .attempt = 1});
  run.append();
  const Material material = gathered("20260101-000000-ab0005");
  BuildOptions options;
  options.live_status = "interrupted";
  const RunReport report = build_report(material, options);
  ASSERT_EQ(report.causes.size(), 1u);
  EXPECT_EQ(report.causes[0].title, "provider answered HTTP 500");
  EXPECT_THAT(report.causes[0].details, Contains(HasSubstr("j1 has not ended")));
  EXPECT_EQ(report.jobs[0].duration_ms, 10u) << "as far as it was seen";
  ASSERT_EQ(report.actions.size(), 1u);
  EXPECT_THAT(report.actions[0].command, HasSubstr("pievt resume")) << "and no rerun beside it";
}

TEST_F(AuditOfEvidence, ARecordIsNoMoreWholeThanItsSource) {
  RunMaker run(log_, "20260101-000000-ab0006", "book", 1);
  run.job(1, Story::ok);
  schema::ArtifactRecordedT artifact;
  artifact.path = "events.jsonl";
  artifact.content = std::make_unique<schema::BlobRef>(log_.put_blob("{}\n{}\n{\"to").value());
  run.add(std::move(artifact), {});
  schema::ImportAnomalyFoundT torn;
  torn.anomaly = schema::ImportAnomaly::torn_tail;
  torn.file = "events.jsonl";
  torn.line = 3;
  torn.detail = "the last record was cut off";
  run.add(std::move(torn), {});
  run.finish_run();
  Material material = gathered("20260101-000000-ab0006");
  material.story.imported = true;
  const RunReport report = build_report(material, {});
  EXPECT_EQ(report.integrity, Integrity::incomplete);
  EXPECT_EQ(exit_code(report), 4);
  ASSERT_FALSE(report.record.empty());
  EXPECT_THAT(report.record[0].text, HasSubstr("2 of 3 records of the source's events.jsonl"));
  EXPECT_THAT(report.record[0].text, HasSubstr("not complete, not proven"));
  EXPECT_THAT(report.record[0].events, testing::SizeIs(1));
  material.removed = "removed after it was sealed into x.pievt";
  EXPECT_THAT(build_report(material, {}).unknown, Contains(HasSubstr("removed texts")));
}

TEST_F(AuditOfEvidence, AGateThatWasPassedOverIsNoContractThatIsMet) {
  RunMaker run(log_, "20260101-000000-ab0007", "book", 2);
  run.job(1, Story::blocked);
  run.job(2, Story::provider_down);
  for (const std::uint32_t job : {1u, 2u}) {
    const Subject at{.job = job, .attempt = 1, .gate = job};
    schema::GateOpenedT opened;
    opened.kind = schema::GateKind::acceptance;
    run.add(std::move(opened), at);
    schema::GateDecidedT decided;
    decided.decision = schema::GateDecision::skipped;
    run.add(std::move(decided), at);
  }
  run.finish_run();
  const Material material = gathered("20260101-000000-ab0007");
  const auto blocked = explain(log_, material.run, 1, 0, nullptr);
  ASSERT_TRUE(blocked.ok()) << blocked.error().what;
  EXPECT_EQ(blocked->first_cause, "the worker reported itself blocked: Half of it.");
  EXPECT_THAT(blocked->evidence, ElementsAre(material.run.jobs[0]->attempts[0]->report_revision));
  const auto down = explain(log_, material.run, 2, 0, nullptr);
  ASSERT_TRUE(down.ok()) << down.error().what;
  const story::Attempt& attempt = *find_attempt(material.story, 2, 1);
  EXPECT_THAT(down->evidence,
              ElementsAre(attempt.requests.front().answered.revision, attempt.classified.revision));
  EXPECT_THAT(down->checks, IsEmpty());
}

TEST_F(AuditOfEvidence, SeveralRunsHaveOneLead) {
  std::vector<RunReport> reports;
  for (const char* id : {"20260101-000000-ab0008", "20260101-000000-ab0009"}) {
    RunMaker run(log_, id, "book", 3);
    run.job(1, Story::ok);
    run.job(2, Story::provider_down);
    run.job(3, Story::no_file);
    run.finish_run();
    reports.push_back(audited(id));
  }
  EXPECT_EQ(together_text(std::span(reports).first(1), {}), "");
  const Together all = together_of(reports);
  EXPECT_EQ(all.jobs_ok, 2u);
  ASSERT_EQ(all.causes.size(), 2u);
  EXPECT_EQ(all.causes[0].jobs, 2u);
  ASSERT_EQ(all.causes[0].parts.size(), 2u);
  EXPECT_EQ(all.causes[0].parts[1].run, "20260101-000000-ab0009");
  const auto again =
      std::ranges::find(all.actions, "run again when the provider answers", &JointAction::text);
  ASSERT_NE(again, all.actions.end());
  EXPECT_EQ(again->commands.size(), 2u);
  EXPECT_EQ(again->jobs, 2u);
  const std::string text = together_text(reports, {.terminal = {}, .zone = render::Zone::utc});
  for (const char* told : {"2 of 2 runs failed", "2 of 6 jobs ok", "provider answered HTTP 500",
                           "2 jobs in 2 runs", "WHAT TO DO"})
    EXPECT_THAT(text, HasSubstr(told));
}

}  // namespace
}  // namespace pievt::audit
