// What an attempt leaves running is found by its marker and ended, and nothing else is.
#include "supervisor/process/sweep.h"

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

#include <unistd.h>

#include <gmock/gmock.h>

#include "supervisor/process/orphans.h"
#include "tests/supervisor/process/testing.h"

namespace pievt::process::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SweepTest : public ProcessTest {
 protected:
  static std::vector<pid_t> pids(const std::vector<MarkedProcess>& processes) {
    std::vector<pid_t> numbers;
    numbers.reserve(processes.size());
    for (const MarkedProcess& each : processes) numbers.push_back(each.pid);
    return numbers;
  }

  SweepReport swept(std::string_view attempt) const {
    Result<SweepReport> report = sweep(attempt);
    EXPECT_TRUE(report.ok()) << report.error().what;
    return std::move(report).value();
  }

  std::vector<MarkedProcess> found(std::string_view attempt) const {
    Result<MarkedProcesses> marked = find_marked(attempt);
    EXPECT_TRUE(marked.ok()) << marked.error().what;
    return std::move(marked).value().found;
  }
};

TEST_F(SweepTest, FindsAGrandchildInASessionOfItsOwn) {
  Child parent = start({"leave-grandchild"});
  const pid_t pid = std::stoi(read_line(parent.output.get()));
  EXPECT_EQ(end_of(parent.process).exit_code, 0);

  const std::vector<MarkedProcess> left = found(marker());
  ASSERT_THAT(pids(left), ElementsAre(pid));
  EXPECT_EQ(left[0].start_ticks, identify(pid)->start_ticks);
  EXPECT_THAT(left[0].command, HasSubstr("leave-grandchild"));
  EXPECT_EQ(left[0].comm,
            std::filesystem::path(PIEVT_CHILD_PROGRAM).filename().string().substr(0, 15));
  EXPECT_GT(left[0].parent_pid, 0);

  const SweepReport report = swept(marker());
  EXPECT_THAT(pids(report.killed), ElementsAre(pid));
  EXPECT_THAT(report.survivors, IsEmpty());
  EXPECT_TRUE(report.complete);
  EXPECT_THAT(found(marker()), IsEmpty());
}

TEST_F(SweepTest, FindsNothingWhereNothingIs) {
  const SweepReport report = swept(marker());
  EXPECT_THAT(report.killed, IsEmpty());
  EXPECT_THAT(report.survivors, IsEmpty());
  EXPECT_GE(report.rounds, 2u) << "one clean look is not enough";
}

TEST_F(SweepTest, SparesEveryOtherAttempt) {
  std::vector<Process> others;
  for (const std::string& other : {marker() + "0", "x" + marker(), std::string("other")}) {
    SpawnRequest wanted = request({"wait"});
    wanted.environment = {{"X_PIEVT_ATTEMPT", marker()}, {"PIEVT_ATTEMPT", other}};
    Result<Spawned> spawned = spawn(wanted);
    ASSERT_TRUE(spawned.ok());
    others.push_back(std::move(spawned->process));
  }
  Child ours = start_ready({"wait"});
  EXPECT_THAT(pids(swept(marker()).killed), ElementsAre(ours.process.id().pid));
  EXPECT_EQ(end_of(ours.process).signal, SIGKILL);
  for (Process& other : others) {
    EXPECT_FALSE(other.has_ended());
    EXPECT_TRUE(other.signal(SIGKILL).ok());
    end_of(other);
  }
}

TEST_F(SweepTest, SparesTheSweeperThatBearsTheMarkerItself) {
  Child victim = start_ready({"wait"});
  SpawnRequest wanted = request({});
  wanted.argv = {PIEVT_SWEEPING_CHILD, marker()};
  Pipe output = make_pipe();
  wanted.output = BorrowedFd{output.writer.get()};
  Result<Spawned> sweeper = spawn(wanted);
  ASSERT_TRUE(sweeper.ok()) << sweeper.error().what;
  output.writer.reset();
  EXPECT_EQ(read_to_end(output.reader.get()), std::to_string(victim.process.id().pid) + "\n");
  EXPECT_EQ(end_of(sweeper->process).exit_code, 0);
  EXPECT_EQ(end_of(victim.process).signal, SIGKILL);
}

TEST_F(SweepTest, EndsOneThatIgnoresTerm) {
  Child child = start_ready({"ignore-term"});
  EXPECT_THAT(pids(swept(marker()).killed), ElementsAre(child.process.id().pid));
  EXPECT_EQ(end_of(child.process).signal, SIGKILL);
}

TEST_F(SweepTest, EndsOneWhoseFirstThreadIsGone) {
  Child child = start_ready({"lose-first-thread"});
  EXPECT_THAT(pids(found(marker())), ElementsAre(child.process.id().pid));
  EXPECT_THAT(pids(swept(marker()).killed), ElementsAre(child.process.id().pid));
  EXPECT_EQ(end_of(child.process).signal, SIGKILL);
}

TEST_F(SweepTest, CatchesOneThatForksMeanwhile) {
  const SubreaperForNow subreaper;
  Child child = start_ready({"fork-for-ever", "300"});
  const SweepReport report = swept(marker());
  EXPECT_THAT(report.survivors, IsEmpty());
  EXPECT_THAT(pids(report.killed), Contains(child.process.id().pid));
  EXPECT_EQ(end_of(child.process).signal, SIGKILL);
  EXPECT_THAT(found(marker()), IsEmpty());
  // Each of its children was either killed by name or never came to be.
  const Result<std::vector<pid_t>> orphans = reap_orphans({});
  ASSERT_TRUE(orphans.ok());
  const std::vector<pid_t> killed = pids(report.killed);
  for (const pid_t orphan : *orphans) EXPECT_THAT(killed, Contains(orphan));
}

TEST_F(SweepTest, CatchesOneThatHopsFromProcessToProcess) {
  const SubreaperForNow subreaper;
  Child child = start_ready({"hop", "40"});
  // A sweep may run out of rounds, and says so then; one that says it is done must be, long before
  // the hopping would end by itself.
  const Moment deadline = patience();
  SweepReport report = swept(marker());
  while ((!report.complete || !report.survivors.empty()) && Clock::now() < deadline)
    report = swept(marker());
  EXPECT_TRUE(report.complete);
  EXPECT_THAT(found(marker()), IsEmpty());
}

TEST_F(SweepTest, TellsOfProcessesItMayNotLookAt) {
  Child child = start_ready({"hide"});
  const Result<MarkedProcesses> marked = find_marked(marker());
  ASSERT_TRUE(marked.ok());
  const bool seen = !marked->found.empty();  // root may look
  EXPECT_TRUE(seen || marked->hidden > 0);
  EXPECT_TRUE(child.process.signal(SIGKILL).ok());
  end_of(child.process);
}

TEST_F(SweepTest, StopsAtItsLimitsAndNamesTheSurvivors) {
  Child child = start_ready({"wait"});
  // No time and one round: the round kills, and the report says what it could not wait for.
  const Result<SweepReport> report = sweep(marker(), {.rounds_max = 1, .deadline_ms = {}});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->rounds, 1u);
  EXPECT_EQ(report->killed.size() + report->survivors.size(), 1u);
  EXPECT_EQ(end_of(child.process).signal, SIGKILL);
}

TEST_F(SweepTest, OneRoundKillsAndDoesNotWait) {
  Child child = start_ready({"wait"});
  Result<KillRound> round = kill_marked(marker());
  ASSERT_TRUE(round.ok());
  ASSERT_EQ(round->killed.size(), 1u);
  EXPECT_EQ(round->killed[0].process.pid, child.process.id().pid);
  EXPECT_TRUE(wait_readable(round->killed[0].pidfd.get()));
  EXPECT_THAT(round->refused, IsEmpty());
  EXPECT_EQ(end_of(child.process).signal, SIGKILL);
}

TEST_F(SweepTest, AMarkerIsTextThatAnEnvironmentCanHold) {
  EXPECT_EQ(sweep("").error().code, Errc::invalid);
  EXPECT_EQ(find_marked(std::string_view("a\0b", 3)).error().code, Errc::invalid);
  EXPECT_EQ(kill_marked("").error().code, Errc::invalid);
}

}  // namespace
}  // namespace pievt::process::testing
