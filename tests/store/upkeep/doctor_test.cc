// The doctor names what is wrong, and what it says to run works.
#include <csignal>
#include <fstream>

#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pievt/shell_word.h"
#include "store/format/keys.h"
#include "store/upkeep/store_access.h"
#include "tests/store/upkeep/sample_store.h"

namespace pievt {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::vector<std::string> findings_of(const fs::path& store) {
  const auto report = diagnose(store);
  EXPECT_TRUE(report.ok()) << report.error().what;
  std::vector<std::string> topics;
  if (!report.ok()) return topics;
  for (const Diagnosis& check : report->checks) {
    EXPECT_EQ(check.kind == Diagnosis::Kind::finding, !check.next.empty()) << check.what;
    if (check.kind == Diagnosis::Kind::finding) topics.push_back(check.topic);
  }
  EXPECT_EQ(report->findings, topics.size());
  return topics;
}

class DoctorTest : public SampleStoreTest {
 protected:
  void SetUp() override { make_runs(); }

  // The command behind the first finding of that topic.
  std::string next_of(const std::string& topic) const {
    const auto report = diagnose(store());
    EXPECT_TRUE(report.ok());
    for (const Diagnosis& check : report->checks)
      if (check.topic == topic && check.kind == Diagnosis::Kind::finding) return check.next;
    return {};
  }
};

TEST_F(DoctorTest, EachThingThatIsWrongIsFound) {
  // The sample's runs are not finished and nobody works on them.
  EXPECT_THAT(findings_of(store()), testing::Each("runs"));
  std::ofstream(store() / "STORE.4711.tmp") << "x";
  EXPECT_THAT(findings_of(store()), Contains("leftovers"));
  fs::remove(store() / "STORE.4711.tmp");
  fs::create_directories(store() / "attempts/r1/only/1");
  fs::create_directories(store() / "attempts/r1/only/2");
  fs::create_directories(store() / "attempts/r2/only/1");
  fs::create_directories(store() / "attempts/r3/only/1");
  EXPECT_THAT(findings_of(store()), Contains("attempts"));
  tamper([](Rocks& rocks, WriteSet& set) {
    auto cursor = rocks.cursor(Family::streams);
    cursor.seek(format::stream_key(3, 4));
    set.remove(Family::streams, cursor.key());
  });
  EXPECT_THAT(findings_of(store()), Contains("indexes"));
  fs::remove(store() / "STORE");
  EXPECT_THAT(findings_of(store()), Contains("store"));
  EXPECT_EQ(diagnose(directory() / "nothing").error().code, Errc::not_found);
}

TEST_F(DoctorTest, AStoreWithoutRunsHasNothingToDo) {
  const fs::path small = directory() / "small";
  { ASSERT_TRUE(Log::open(small, {.mode = OpenMode::create}).ok()); }
  EXPECT_THAT(findings_of(small), IsEmpty());
  const auto before = fs::last_write_time(small);
  const auto report = diagnose(small);
  EXPECT_EQ(fs::last_write_time(small), before);
  EXPECT_THAT(report->store_id, Not(IsEmpty()));
  const Result<Log> writer = Log::open(small, {.mode = OpenMode::write});
  EXPECT_THAT(findings_of(small), IsEmpty());
}

TEST_F(DoctorTest, WhatKeepsEveryWriterOutIsFound) {
  fs::remove(store() / "LOCK");
  fs::create_symlink("elsewhere", store() / "LOCK");
  EXPECT_EQ(next_of("locks"), fmt::format("rm {}", (store() / "LOCK").string()));
  fs::remove(store() / "LOCK");
  EXPECT_EQ(next_of("locks"), "");
  fs::remove(store() / "HEAD");
  fs::create_directory(store() / "HEAD");
  EXPECT_EQ(next_of("head"), fmt::format("rm -r {}", (store() / "HEAD").string()));
}

// It may have nothing to append, or have lost the writer's role to somebody who is gone by now.
TEST_F(DoctorTest, ARunWhoseSupervisorLivesIsWorkedOn) {
  const Owner self = this_process("this");
  for (const bool lives : {true, false}) {
    const fs::path small = directory() / (lives ? "living" : "dead");
    auto log = Log::open(small, {.mode = OpenMode::create});
    ASSERT_TRUE(log.ok());
    schema::RunPlannedT planned;
    planned.run_id = "r";
    schema::RunStartedT started;
    started.supervisor = std::make_unique<schema::ProcessIdT>();
    started.supervisor->pid = static_cast<std::uint32_t>(self.pid);
    started.supervisor->start_ticks = self.start_ticks + (lives ? 0 : 1);
    started.supervisor->boot_id = self.boot_id;
    started.supervisor->pid_namespace = self.pid_namespace;
    std::vector<NewEvent> events;
    events.push_back({std::move(planned)});
    events.push_back({std::move(started)});
    ASSERT_TRUE(log->append("run/r", Expected::any(), std::move(events)).ok());
    ASSERT_TRUE(log->close().ok());
    EXPECT_EQ(findings_of(small).empty(), lives);
  }
}

TEST_F(DoctorTest, AStoppedProcessIsKnownAsStopped) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    static_cast<void>(::raise(SIGSTOP));
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, WUNTRACED), child);
  ASSERT_TRUE(WIFSTOPPED(status));
  EXPECT_TRUE(is_stopped(describe_process(child, "child")));
  EXPECT_FALSE(is_stopped(this_process("this")));
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  ASSERT_EQ(::waitpid(child, &status, 0), child);
}

TEST_F(DoctorTest, CommandsCanBeTypedAsTheyAre) {
  EXPECT_EQ(shell_word("/a/b-c_1.x"), "/a/b-c_1.x");
  EXPECT_EQ(shell_word("/s p/it's"), "'/s p/it'\\''s'");
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("-x"), "./-x");
  EXPECT_EQ(shell_word("-x y"), "'./-x y'");
  EXPECT_EQ(store_command("gc", "/s p"), "pievt gc --store '/s p'");
  EXPECT_EQ(store_command("gc", ""), "pievt gc");
  const fs::path spaced = directory() / "s p";
  fs::rename(store(), spaced);
  const auto report = diagnose(spaced);
  ASSERT_TRUE(report.ok());
  for (const Diagnosis& check : report->checks) {
    if (check.kind != Diagnosis::Kind::finding) continue;
    EXPECT_THAT(check.next, HasSubstr(fmt::format("'{}'", spaced.string())));
  }
  fs::rename(spaced, store());
}

// gc removes nothing of what it does not know.
TEST_F(DoctorTest, ADirectoryOfNobodyIsNotGarbage) {
  fs::create_directories(store() / "attempts/of nobody/here");
  EXPECT_EQ(next_of("attempts"),
            fmt::format("rm -r '{}'", (store() / "attempts/of nobody").string()));
}

TEST_F(DoctorTest, AnImportedRunIsNotToBeResumed) {
  open(OpenMode::write);
  schema::RunPlannedT planned;
  planned.run_id = "imported";
  planned.ruleset = "another-1";
  std::vector<NewEvent> events;
  events.push_back({std::move(planned)});
  ASSERT_TRUE(log().append(run_stream("imported"), Expected::no_stream(), std::move(events)).ok());
  close();
  const auto report = diagnose(store());
  ASSERT_TRUE(report.ok());
  for (const Diagnosis& check : report->checks)
    EXPECT_THAT(check.next, Not(HasSubstr("resume imported")));
}

TEST_F(DoctorTest, ALostSchemaIsSeenAndComesBack) {
  tamper([](Rocks& rocks, WriteSet& set) {
    for (const auto& [key, value] : contents(rocks, Family::schemas))
      set.remove(Family::schemas, key);
  });
  EXPECT_EQ(next_of("schemas"), fmt::format("pievt doctor --rebuild --store {}", store().string()));
  const VerifyReport found = verified(store());
  EXPECT_EQ(found.verdict, Verdict::damaged);
  EXPECT_EQ(found.remedy, Remedy::rebuild);
  ASSERT_TRUE(rebuild(store()).ok());
  EXPECT_EQ(next_of("schemas"), "");
  EXPECT_EQ(verified(store()).verdict, Verdict::whole);
}

}  // namespace
}  // namespace pievt
