// Ends of processes, ours and others'; numbers that were reused; orphans.
#include "supervisor/process/process.h"

#include <csignal>
#include <string>
#include <variant>
#include <vector>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "supervisor/process/orphans.h"
#include "tests/supervisor/process/testing.h"

namespace pievt::process::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

using ProcessHandleTest = ProcessTest;

std::variant<Process, Absence> reopened(const ProcessId& id) {
  Result<std::variant<Process, Absence>> answer = reopen(id);
  EXPECT_TRUE(answer.ok()) << answer.error().what;
  return std::move(answer).value();
}

Absence absence_of(const ProcessId& id) {
  const std::variant<Process, Absence> answer = reopened(id);
  EXPECT_TRUE(std::holds_alternative<Absence>(answer)) << "it was opened";
  return std::holds_alternative<Absence>(answer) ? std::get<Absence>(answer) : Absence{255};
}

TEST_F(ProcessHandleTest, TellsTheExitCode) {
  Child child = start({"exit", "7"});
  const ExitStatus status = end_of(child.process);
  EXPECT_EQ(status.knowledge, ExitKnowledge::observed);
  EXPECT_EQ(status.exit_code, 7);
  EXPECT_EQ(status.signal, std::nullopt);
}

TEST_F(ProcessHandleTest, TellsTheSignalAndWhetherCoreWasDumped) {
  Child killed = start({"kill-itself", std::to_string(SIGKILL)});
  const ExitStatus status = end_of(killed.process);
  EXPECT_EQ(status.exit_code, std::nullopt);
  EXPECT_EQ(status.signal, SIGKILL);
  EXPECT_EQ(status.core, CoreDump::none);

  // No core file: a limit of 0 keeps the kernel from writing one, and it then reports none.
  const rlimit none{0, 0};
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_CORE, &before), 0);
  const rlimit soft{none.rlim_cur, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_CORE, &soft), 0);
  Child aborted = start({"kill-itself", std::to_string(SIGABRT)});
  ASSERT_EQ(::setrlimit(RLIMIT_CORE, &before), 0);
  EXPECT_EQ(end_of(aborted.process).signal, SIGABRT);
}

TEST_F(ProcessHandleTest, TheFirstAnswerIsRemembered) {
  Child child = start({"exit", "4"});
  EXPECT_EQ(end_of(child.process).exit_code, 4);
  EXPECT_EQ(end_of(child.process).exit_code, 4);
  EXPECT_EQ(*child.process.signal(SIGTERM), Delivery::already_gone);
  EXPECT_EQ(absence_of(child.process.id()), Absence::ended);
}

TEST_F(ProcessHandleTest, ARunningProcessHasNoStatus) {
  Child child = start_ready({"wait"});
  EXPECT_FALSE(child.process.has_ended());
  EXPECT_EQ(*child.process.reap(), std::nullopt);
  EXPECT_EQ(*child.process.signal(SIGTERM), Delivery::sent);
  EXPECT_EQ(end_of(child.process).signal, SIGTERM);
}

TEST_F(ProcessHandleTest, OneThatIgnoresTermEndsByKill) {
  Child child = start_ready({"ignore-term"});
  EXPECT_EQ(*child.process.signal(SIGTERM), Delivery::sent);
  EXPECT_EQ(*child.process.signal(SIGTERM), Delivery::sent);
  EXPECT_EQ(*child.process.reap(), std::nullopt);
  EXPECT_EQ(*child.process.signal(SIGKILL), Delivery::sent);
  EXPECT_EQ(end_of(child.process).signal, SIGKILL);
}

TEST_F(ProcessHandleTest, OneThatClosedItsOutputIsStillThere) {
  Child child = start_ready({"close-output"});
  EXPECT_EQ(read_to_end(child.output.get()), "");
  EXPECT_FALSE(child.process.has_ended());
  EXPECT_EQ(*child.process.signal(SIGKILL), Delivery::sent);
  EXPECT_EQ(end_of(child.process).signal, SIGKILL);
}

TEST_F(ProcessHandleTest, RefusesASignalThatDoesNotExist) {
  Child child = start_ready({"wait"});
  EXPECT_EQ(child.process.signal(4711).error().code, Errc::invalid);
}

TEST_F(ProcessHandleTest, CountsProcessorTime) {
  Child child = start({"work"});
  const ResourceUse use = end_of(child.process).resources;
  EXPECT_GE(use.user_us + use.system_us, 40'000u);
  EXPECT_LT(use.user_us + use.system_us, 20'000'000u);
}

TEST_F(ProcessHandleTest, CountsMemoryWhereItCanBeTold) {
  // We are larger than a small child, and the kernel gives it our peak as its own.
  const std::vector<char> ballast(32u << 20, 'b');
  Child small = start({"exit", "0"});
  EXPECT_EQ(end_of(small.process).resources.peak_kib, std::nullopt);
  Child watched = start_ready({"eat-memory", "4096"});
  watched.process.note_peak();
  watched.input.reset();
  const std::optional<std::uint64_t> noted = end_of(watched.process).resources.peak_kib;
  ASSERT_TRUE(noted);
  EXPECT_GE(*noted, 4096u);
  EXPECT_LT(*noted, 32u << 10);

  rusage own{};
  ASSERT_EQ(::getrusage(RUSAGE_SELF, &own), 0);
  const auto more_kib = static_cast<std::uint64_t>(own.ru_maxrss) + (16u << 10);
  Child large = start_ready({"eat-memory", std::to_string(more_kib)});
  EXPECT_GE(*large.process.peak_kib(), more_kib);
  large.process.note_peak();
  large.input.reset();
  const ExitStatus status = end_of(large.process);
  EXPECT_EQ(status.exit_code, 0);
  ASSERT_TRUE(status.resources.peak_kib);
  EXPECT_GE(*status.resources.peak_kib, more_kib);
  EXPECT_EQ(large.process.peak_kib().error().code, Errc::not_found);
}

TEST_F(ProcessHandleTest, MeasuresALivingChildWithoutOurOwnPeak) {
  const std::vector<char> ballast(64u << 20, 'b');
  Child small = start_ready({"wait"});
  EXPECT_LT(*small.process.peak_kib(), 32u << 10);
}

TEST_F(ProcessHandleTest, AReusedNumberIsRefused) {
  Child child = start_ready({"wait"});
  ProcessId id = child.process.id();
  EXPECT_TRUE(std::holds_alternative<Process>(reopened(id)));
  ++id.start_ticks;
  EXPECT_EQ(absence_of(id), Absence::number_reused);
  id = child.process.id();
  id.boot_id.back() = id.boot_id.back() == '0' ? '1' : '0';
  EXPECT_EQ(absence_of(id), Absence::machine_restarted);
  id = child.process.id();
  ++id.pid_namespace;
  EXPECT_EQ(reopen(id).error().code, Errc::unsupported);
  id.pid_namespace = 0;
  EXPECT_TRUE(std::holds_alternative<Process>(reopened(id)));
  for (const pid_t pid : {0, -1}) {
    id.pid = pid;
    EXPECT_EQ(reopen(id).error().code, Errc::invalid);
  }
  EXPECT_FALSE(child.process.has_ended());
}

TEST_F(ProcessHandleTest, AnAdoptedStrangerIsSeenToEndWithoutAStatus) {
  Child parent = start({"leave-grandchild"});
  const pid_t pid = std::stoi(read_line(parent.output.get()));
  EXPECT_EQ(end_of(parent.process).exit_code, 0);
  const Result<ProcessId> id = identify(pid);
  ASSERT_TRUE(id.ok());
  std::variant<Process, Absence> answer = reopened(*id);
  ASSERT_TRUE(std::holds_alternative<Process>(answer));
  Process& stranger = std::get<Process>(answer);

  EXPECT_EQ(*stranger.reap(), std::nullopt) << "not ours and still there";
  stranger.note_peak();
  EXPECT_EQ(*stranger.signal(SIGKILL), Delivery::sent);
  const ExitStatus status = end_of(stranger);
  EXPECT_EQ(status.knowledge, ExitKnowledge::ended_unobserved);
  EXPECT_EQ(status.exit_code, std::nullopt);
  EXPECT_EQ(status.signal, std::nullopt);
  EXPECT_GT(status.resources.peak_kib, 0u) << "noted while it was there";
}

TEST_F(ProcessHandleTest, AZombieOpensAndHasEnded) {
  Child child = start({"exit", "0"});
  ASSERT_TRUE(child.process.wait_for_end(patience()));
  std::variant<Process, Absence> answer = reopened(child.process.id());
  ASSERT_TRUE(std::holds_alternative<Process>(answer));
  EXPECT_TRUE(std::get<Process>(answer).has_ended());
  EXPECT_EQ(end_of(std::get<Process>(answer)).knowledge, ExitKnowledge::observed);
}

TEST_F(ProcessHandleTest, WaitingEndsAtItsDeadline) {
  Child child = start_ready({"wait"});
  const Moment deadline = Clock::now() + std::chrono::milliseconds(5);
  EXPECT_FALSE(child.process.wait_for_end(deadline));
  EXPECT_GE(Clock::now(), deadline);
}

TEST_F(ProcessHandleTest, ThereIsNothingToIdentifyBehindAFreeNumber) {
  Child child = start({"exit", "0"});
  end_of(child.process);
  EXPECT_EQ(identify(child.process.id().pid).error().code, Errc::not_found);
  EXPECT_EQ(open_pidfd(child.process.id().pid).error().code, Errc::not_found);
}

class OrphanTest : public ProcessTest {
 protected:
  /// The descriptor of a process that is not in a Process, to wait for its end.
  static Fd open_end(pid_t pid) {
    Result<Fd> pidfd = open_pidfd(pid);
    EXPECT_TRUE(pidfd.ok());
    return std::move(pidfd).value();
  }

 private:
  SubreaperForNow subreaper_;
};

TEST_F(OrphanTest, AGrandchildComesToUsAndIsReaped) {
  Child parent = start({"leave-ending-grandchild"});
  const pid_t pid = std::stoi(read_line(parent.output.get()));
  const Fd end = open_end(pid);
  end_of(parent.process);
  ASSERT_TRUE(wait_readable(end.get()));
  EXPECT_THAT(*reap_orphans({}), ElementsAre(pid));
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "nothing is left";
}

TEST_F(OrphanTest, TrackedChildrenAreNotDisturbed) {
  Child tracked = start({"exit", "9"});
  ASSERT_TRUE(tracked.process.wait_for_end(patience()));
  Child parent = start({"leave-ending-grandchild"});
  const pid_t orphan = std::stoi(read_line(parent.output.get()));
  const Fd end = open_end(orphan);
  const std::vector<pid_t> pids{tracked.process.id().pid, parent.process.id().pid};
  EXPECT_EQ(end_of(parent.process).exit_code, 0);
  ASSERT_TRUE(wait_readable(end.get()));

  EXPECT_THAT(*reap_orphans(pids), Not(Contains(tracked.process.id().pid)));
  EXPECT_EQ(end_of(tracked.process).exit_code, 9);
  // Now nothing stands before it, if it was not reaped above.
  EXPECT_TRUE(reap_orphans(pids).ok());
  EXPECT_EQ(::waitpid(orphan, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST_F(OrphanTest, WhatAChildLeftIsAChildOfOursAlsoWithoutItsMarker) {
  Child tracked = start_ready({"wait"});
  SpawnRequest wanted = request({"leave-grandchild"});
  wanted.environment.clear();
  Pipe output = make_pipe();
  wanted.output = BorrowedFd{output.writer.get()};
  Result<Spawned> parent = spawn(wanted);
  ASSERT_TRUE(parent.ok());
  const pid_t orphan = std::stoi(read_line(output.reader.get()));
  const Fd end = open_end(orphan);
  end_of(parent->process);

  const std::vector<pid_t> pids{tracked.process.id().pid};
  EXPECT_THAT(*other_children(pids), ElementsAre(orphan));
  ::kill(orphan, SIGKILL);
  ASSERT_TRUE(wait_readable(end.get()));
  EXPECT_THAT(*reap_orphans(pids), ElementsAre(orphan));
  EXPECT_THAT(*other_children(pids), ElementsAre());
}

TEST_F(OrphanTest, WithoutChildrenThereIsNothingToReap) {
  EXPECT_THAT(*reap_orphans({}), ElementsAre());
}

}  // namespace
}  // namespace pievt::process::testing
