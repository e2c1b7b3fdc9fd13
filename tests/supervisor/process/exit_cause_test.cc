// Who sent the signal, from what is known.
#include "supervisor/process/exit_cause.h"

#include <csignal>
#include <vector>

#include <gtest/gtest.h>

#include "supervisor/process/oom_counter.h"
#include "tests/supervisor/process/testing.h"

namespace pievt::process::testing {
namespace {

const MemoryKills quiet{3, 3};
const MemoryKills one_more{3, 4};
const MemoryKills not_known{};

ExitStatus by_code(int code) {
  ExitStatus status;
  status.knowledge = ExitKnowledge::observed;
  status.exit_code = code;
  return status;
}

ExitStatus by_signal(int number) {
  ExitStatus status;
  status.knowledge = ExitKnowledge::observed;
  status.signal = number;
  return status;
}

std::vector<SentSignal> sent(std::initializer_list<int> numbers) {
  std::vector<SentSignal> all;
  Moment at{};
  for (const int number : numbers) all.push_back({number, at += std::chrono::seconds(2)});
  return all;
}

SignalSender sender(const ExitStatus& status, const std::vector<SentSignal>& signals,
                    const MemoryKills& kills) {
  return exit_cause(status, signals, kills).sender;
}

TEST(ExitCause, AnEndByItselfHasNoSender) {
  for (const int code : {0, 1, 2, 98, 128, 255}) {
    EXPECT_EQ(sender(by_code(code), sent({SIGTERM}), one_more), SignalSender::nobody) << code;
    EXPECT_EQ(signal_behind(by_code(code)), std::nullopt) << code;
  }
}

TEST(ExitCause, PiTurnsSignalsIntoExitCodes) {
  EXPECT_EQ(signal_behind(by_code(143)), SIGTERM);
  EXPECT_EQ(signal_behind(by_code(129)), SIGHUP);
  EXPECT_EQ(signal_behind(by_code(137)), SIGKILL);
  EXPECT_EQ(sender(by_code(143), sent({SIGTERM}), quiet), SignalSender::ours);
  EXPECT_EQ(sender(by_code(143), {}, quiet), SignalSender::somebody_else);
  EXPECT_EQ(sender(by_code(129), sent({SIGTERM}), quiet), SignalSender::somebody_else);
}

TEST(ExitCause, OursIsWhatWeSentAndWhenWeFirstDid) {
  const std::vector<SentSignal> ladder = sent({SIGTERM, SIGTERM, SIGKILL});
  const ExitCause term = exit_cause(by_signal(SIGTERM), ladder, quiet);
  EXPECT_EQ(term.sender, SignalSender::ours);
  EXPECT_EQ(term.signal, SIGTERM);
  EXPECT_EQ(term.sent_at, ladder[0].at);
  EXPECT_EQ(exit_cause(by_signal(SIGKILL), ladder, one_more).sent_at, ladder[2].at);
}

TEST(ExitCause, AKillThatIsNotOursIsTheKernelsOrSomebodys) {
  EXPECT_EQ(sender(by_signal(SIGKILL), sent({SIGTERM}), one_more),
            SignalSender::kernel_out_of_memory);
  EXPECT_EQ(sender(by_code(137), {}, one_more), SignalSender::kernel_out_of_memory);
  EXPECT_EQ(sender(by_signal(SIGKILL), sent({SIGTERM}), quiet), SignalSender::somebody_else);
  EXPECT_EQ(sender(by_signal(SIGKILL), {}, not_known), SignalSender::unknown);
  EXPECT_EQ(sender(by_signal(SIGKILL), {}, {3, std::nullopt}), SignalSender::unknown);
}

TEST(ExitCause, AFaultIsItsOwn) {
  for (const int number : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGPIPE, SIGXCPU})
    EXPECT_EQ(sender(by_signal(number), sent({SIGTERM}), one_more), SignalSender::nobody) << number;
  EXPECT_EQ(sender(by_signal(SIGINT), {}, one_more), SignalSender::somebody_else);
  EXPECT_EQ(sender(by_signal(SIGTERM), {}, one_more), SignalSender::somebody_else);
}

TEST(ExitCause, NothingIsKnownOfAnEndNobodySaw) {
  const ExitCause cause = exit_cause(ExitStatus{}, sent({SIGTERM, SIGKILL}), one_more);
  EXPECT_EQ(cause.sender, SignalSender::unknown);
  EXPECT_EQ(cause.signal, std::nullopt);
  EXPECT_EQ(cause.sent_at, std::nullopt);
}

using ExitCauseOfAProcess = ProcessTest;

TEST_F(ExitCauseOfAProcess, ATermThatBecameACodeIsOurs) {
  Child child = start_ready({"exit-143"});
  const SentSignal term{SIGTERM, Clock::now()};
  EXPECT_TRUE(child.process.signal(SIGTERM).ok());
  const ExitStatus status = end_of(child.process);
  EXPECT_EQ(status.exit_code, 143);
  EXPECT_EQ(exit_cause(status, {&term, 1}, quiet).sender, SignalSender::ours);
}

TEST_F(ExitCauseOfAProcess, AKillBySomebodyElseIsNotTheKernels) {
  const Result<OomCounter> counter = OomCounter::open();
  Child child = start_ready({"wait"});
  const auto before = counter.ok() ? counter->read() : std::nullopt;
  const std::string kill = "kill -KILL " + std::to_string(child.process.id().pid);
  SpawnRequest killer = request({});
  killer.argv = {"/bin/sh", "-c", kill};
  Result<Spawned> spawned = spawn(killer);
  ASSERT_TRUE(spawned.ok());
  EXPECT_EQ(end_of(spawned->process).exit_code, 0);
  const auto after = counter.ok() ? counter->read() : std::nullopt;
  const ExitCause cause = exit_cause(end_of(child.process), {}, {before, after});
  EXPECT_EQ(cause.signal, SIGKILL);
  // A machine without a counter cannot tell; one that kills for memory just now tells that.
  const SignalSender expected = !counter.ok()      ? SignalSender::unknown
                                : *after > *before ? SignalSender::kernel_out_of_memory
                                                   : SignalSender::somebody_else;
  EXPECT_EQ(cause.sender, expected);
}

TEST(OomCounter, FindsTheCgroup) {
  constexpr std::string_view hybrid = "9:name=systemd:/\n4:cpu,memory:/a/b:c\n0::/unified\n";
  EXPECT_EQ(cgroup_path(hybrid, "memory"), "/a/b:c");
  EXPECT_EQ(cgroup_path(hybrid, ""), "/unified");
  EXPECT_EQ(cgroup_path(hybrid, "name=systemd"), "/");
  EXPECT_EQ(cgroup_path(hybrid, "mem"), std::nullopt);
  EXPECT_EQ(cgroup_path("nonsense\n4:memory\n", "memory"), std::nullopt);
  EXPECT_EQ(cgroup_path("", ""), std::nullopt);
}

TEST(OomCounter, NeverCountsBackwards) {
  const Result<OomCounter> counter = OomCounter::open();
  ASSERT_TRUE(counter.ok()) << counter.error().what;
  const auto first = counter->read();
  const auto second = counter->read();
  ASSERT_TRUE(first);
  ASSERT_TRUE(second);
  EXPECT_LE(*first, *second);
}

}  // namespace
}  // namespace pievt::process::testing
