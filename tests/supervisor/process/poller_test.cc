// One wait for everything, and signals as input.
#include "supervisor/process/poller.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <optional>
#include <set>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "supervisor/process/signals.h"
#include "tests/supervisor/process/testing.h"

namespace pievt::process::testing {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class PollerTest : public ProcessTest {
 protected:
  PollerTest() : poller_(Poller::create().value()) {}

  Poller& poller() { return poller_; }

  std::vector<Wakeup> wait(std::optional<Moment> deadline) {
    const Result<std::span<const Wakeup>> woke = poller_.wait(deadline);
    EXPECT_TRUE(woke.ok());
    return woke.ok() ? std::vector<Wakeup>(woke->begin(), woke->end()) : std::vector<Wakeup>();
  }

 private:
  Poller poller_;
};

const Wakeup seven_readable{.token = 7, .readable = true, .writable = false, .closed = false};

TEST_F(PollerTest, WakesAtTheEndOfAProcess) {
  Child child = start_ready({"wait"});
  ASSERT_TRUE(poller().add(child.process.fd(), Interest::read, 7).ok());
  EXPECT_THAT(wait(Clock::now()), IsEmpty());
  EXPECT_TRUE(child.process.signal(SIGTERM).ok());
  EXPECT_THAT(wait(patience()), ElementsAre(seven_readable));
  EXPECT_THAT(wait(patience()), ElementsAre(seven_readable)) << "told until it is removed";
  EXPECT_EQ(end_of(child.process).signal, SIGTERM);
  ASSERT_TRUE(poller().remove(child.process.fd()).ok());
  EXPECT_THAT(wait(Clock::now()), IsEmpty());
}

TEST_F(PollerTest, WakesAtItsDeadlineAndNotBefore) {
  for (const milliseconds time : {milliseconds(0), milliseconds(1), milliseconds(30)}) {
    const Moment deadline = Clock::now() + time;
    EXPECT_THAT(wait(deadline), IsEmpty());
    EXPECT_GE(Clock::now(), deadline);
  }
  EXPECT_THAT(wait(Clock::now() - std::chrono::hours(1)), IsEmpty());
  EXPECT_THAT(wait(Moment{}), IsEmpty());
}

TEST_F(PollerTest, AnEarlierDeadlineReplacesALaterOneAndTheOtherWayRound) {
  Pipe pipe = make_pipe();
  ASSERT_TRUE(poller().add(pipe.reader.get(), Interest::read, 7).ok());
  ASSERT_EQ(::write(pipe.writer.get(), "x", 1), 1);
  EXPECT_THAT(wait(Clock::now() + std::chrono::hours(1)), ElementsAre(seven_readable));
  EXPECT_THAT(wait(Clock::now() + milliseconds(5)), ElementsAre(seven_readable));
  ASSERT_TRUE(poller().remove(pipe.reader.get()).ok());
  const Moment later = Clock::now() + milliseconds(20);  // the 5 ms may be armed still
  EXPECT_THAT(wait(later), IsEmpty());
  EXPECT_GE(Clock::now(), later);
}

TEST_F(PollerTest, WithoutADeadlineAnOldOneDoesNotWakeIt) {
  Pipe pipe = make_pipe();
  ASSERT_TRUE(poller().add(pipe.reader.get(), Interest::read, 7).ok());
  ASSERT_EQ(::write(pipe.writer.get(), "x", 1), 1);
  wait(Clock::now() + milliseconds(1));
  char byte = 0;
  ASSERT_EQ(::read(pipe.reader.get(), &byte, 1), 1);
  // The child ends some milliseconds after the old deadline has passed.
  Child child = start({"work"});
  ASSERT_TRUE(poller().add(child.process.fd(), Interest::read, 8).ok());
  const std::vector<Wakeup> woke = wait(std::nullopt);
  ASSERT_EQ(woke.size(), 1u);
  EXPECT_EQ(woke[0].token, 8u);
}

volatile std::sig_atomic_t alarms = 0;

TEST_F(PollerTest, IsNotInterruptedBySignals) {
  struct sigaction action {};
  struct sigaction before {};
  action.sa_handler = [](int) { alarms = alarms + 1; };
  ASSERT_EQ(::sigaction(SIGALRM, &action, &before), 0);
  const itimerval each_ms{{0, 1000}, {0, 1000}};
  const itimerval never{};
  ASSERT_EQ(::setitimer(ITIMER_REAL, &each_ms, nullptr), 0);
  const Moment deadline = Clock::now() + milliseconds(40);
  EXPECT_THAT(wait(deadline), IsEmpty());
  EXPECT_GE(Clock::now(), deadline);
  ASSERT_EQ(::setitimer(ITIMER_REAL, &never, nullptr), 0);
  ASSERT_EQ(::sigaction(SIGALRM, &before, nullptr), 0);
  EXPECT_GT(alarms, 0);
}

TEST_F(PollerTest, TellsReadingWritingAndTheOtherEndsLeaving) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const Fd here(ends[0]);
  Fd there(ends[1]);
  ASSERT_TRUE(poller().add(here.get(), Interest::read, 1).ok());
  EXPECT_THAT(wait(Clock::now()), IsEmpty());
  ASSERT_TRUE(poller().change(here.get(), Interest::read_and_write, 2).ok());
  EXPECT_THAT(wait(patience()), ElementsAre(Wakeup{2, false, true, false}));
  ASSERT_EQ(::write(there.get(), "x", 1), 1);
  EXPECT_THAT(wait(patience()), ElementsAre(Wakeup{2, true, true, false}));
  there.reset();
  EXPECT_THAT(wait(patience()), ElementsAre(Wakeup{2, true, true, true}));
}

TEST_F(PollerTest, HandsOverMoreThanFitsInSeveralCalls) {
  constexpr std::uint64_t count = 600;
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit enough{std::max<rlim_t>(before.rlim_cur, 1024), before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &enough), 0);
  Pipe pipe = make_pipe();
  ASSERT_EQ(::write(pipe.writer.get(), "x", 1), 1);
  std::vector<Fd> copies;
  for (std::uint64_t token = 0; token < count; ++token) {
    copies.emplace_back(::fcntl(pipe.reader.get(), F_DUPFD_CLOEXEC, 0));
    ASSERT_TRUE(poller().add(copies.back().get(), Interest::read, token).ok());
  }
  std::set<std::uint64_t> tokens;
  for (int calls = 0; calls < 3; ++calls)
    for (const Wakeup& each : wait(patience())) tokens.insert(each.token);
  EXPECT_EQ(tokens.size(), count) << "nobody is kept from his turn";
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST_F(PollerTest, RefusesWhatCannotBeWaitedFor) {
  write_file(path("file"), "x");
  const Fd file(::open(path("file").c_str(), O_RDONLY | O_CLOEXEC));
  const Pipe pipe = make_pipe();
  EXPECT_EQ(poller().add(file.get(), Interest::read, 1).error().code, Errc::invalid);
  EXPECT_EQ(poller().add(-1, Interest::read, 1).error().code, Errc::invalid);
  EXPECT_EQ(poller().add(pipe.reader.get(), Interest::read, Poller::reserved_token).error().code,
            Errc::invalid);
  EXPECT_EQ(poller().change(pipe.reader.get(), Interest::read, 1).error().code, Errc::invalid);
  EXPECT_EQ(poller().remove(pipe.reader.get()).error().code, Errc::invalid);
  EXPECT_TRUE(poller().add(pipe.reader.get(), Interest::read, 1).ok());
  EXPECT_EQ(poller().add(pipe.reader.get(), Interest::read, 2).error().code, Errc::invalid);
}

/// Puts back what Signals::block changes for the whole process.
class SignalsTest : public PollerTest {
 protected:
  SignalsTest() {
    ::sigprocmask(SIG_BLOCK, nullptr, &mask_);
    ::sigaction(SIGPIPE, nullptr, &pipe_);
    ::sigaction(SIGCHLD, nullptr, &child_);
  }
  ~SignalsTest() override {
    ::sigaction(SIGPIPE, &pipe_, nullptr);
    ::sigaction(SIGCHLD, &child_, nullptr);
    ::sigprocmask(SIG_SETMASK, &mask_, nullptr);
  }

 private:
  sigset_t mask_{};
  struct sigaction pipe_ {};
  struct sigaction child_ {};
};

TEST_F(SignalsTest, AreReadFromOneDescriptor) {
  const Signals signals = Signals::block().value();
  ASSERT_TRUE(poller().add(signals.fd(), Interest::read, 7).ok());
  EXPECT_EQ(*signals.next(), std::nullopt);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
    ASSERT_EQ(::kill(::getpid(), number), 0);
    EXPECT_THAT(wait(patience()), ElementsAre(seven_readable));
    const Result<std::optional<ReceivedSignal>> received = signals.next();
    ASSERT_TRUE(received.ok());
    ASSERT_TRUE(*received);
    EXPECT_EQ((*received)->number, number);
    EXPECT_EQ((*received)->sender_pid, ::getpid());
    EXPECT_EQ((*received)->sender_user, ::getuid());
    EXPECT_EQ(*signals.next(), std::nullopt);
  }
}

TEST_F(SignalsTest, ALostReaderIsAnErrorAndNotTheEnd) {
  const Signals signals = Signals::block().value();
  Pipe pipe = make_pipe();
  pipe.reader.reset();
  EXPECT_EQ(::write(pipe.writer.get(), "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
}

TEST_F(SignalsTest, AParentThatIgnoredChildrenDoesNotCostUsTheirEnds) {
  ::signal(SIGCHLD, SIG_IGN);
  const Signals signals = Signals::block().value();
  Child child = start({"exit", "7"});
  EXPECT_EQ(end_of(child.process).exit_code, 7);
}

}  // namespace
}  // namespace pievt::process::testing
