// Children that are started beside the loop: what comes back, whose they are, and what is done when
// there is no time left.
#include "supervisor/process/starter.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <mutex>

#include <pthread.h>
#include <sys/wait.h>

#include <gmock/gmock.h>

#include "supervisor/process/orphans.h"
#include "supervisor/process/proc_files.h"
#include "tests/supervisor/process/testing.h"

namespace pievt::process::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

/// Opens once, for all who wait.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
};

class StarterTest : public ProcessTest {
 protected:
  static std::unique_ptr<Starter> make(std::size_t threads) {
    return Starter::create(threads).value();
  }

  Starter::Start child(std::vector<std::string> arguments) const {
    return [wanted = request(std::move(arguments))] { return spawn(wanted); };
  }

  /// Takes until there are so many.
  static std::vector<Starter::Started> take(Starter& starter, std::size_t count) {
    std::vector<Starter::Started> all;
    while (all.size() < count) {
      EXPECT_TRUE(wait_readable(starter.fd()));
      for (Starter::Started& each : starter.take()) all.push_back(std::move(each));
    }
    return all;
  }

 private:
  SubreaperForNow subreaper_;
};

TEST_F(StarterTest, WhatWasStartedComesBackUnderItsToken) {
  const auto starter = make(2);
  starter->start(7, child({"exit", "3"}));
  starter->start(8, [] { return Result<Spawned>(Error{Errc::not_found, "no such program"}); });
  auto started = take(*starter, 2);
  std::ranges::sort(started, {}, &Starter::Started::token);
  EXPECT_EQ(started[0].token, 7u);
  EXPECT_EQ(end_of(started[0].spawned.value().process).exit_code, 3);
  EXPECT_EQ(started[1].token, 8u);
  EXPECT_EQ(started[1].spawned.error().what, "no such program");
  EXPECT_THAT(starter->take(), IsEmpty());
}

TEST_F(StarterTest, AStartThatHangsKeepsNobodyWaiting) {
  const auto starter = make(2);
  Gate gate;
  starter->start(1, [&] {
    gate.wait();
    return Result<Spawned>(Error{Errc::io, "hung"});
  });
  starter->start(2, child({"exit", "0"}));
  starter->start(3, child({"exit", "0"}));
  auto started = take(*starter, 2);
  EXPECT_THAT((std::vector{started[0].token, started[1].token}), UnorderedElementsAre(2u, 3u));
  for (auto& each : started) end_of(each.spawned.value().process);
  gate.open();
  EXPECT_EQ(take(*starter, 1).front().token, 1u);
}

// The loop reaps orphans while children are being started: one that ends before it was taken is
// still its taker's.
TEST_F(StarterTest, AChildThatNobodyHasTakenYetIsNoOrphan) {
  const auto starter = make(1);
  starter->start(1, child({"exit", "9"}));
  starter->finish();
  const std::vector<pid_t> children = *list_children_of(starter->threads().front());
  ASSERT_THAT(children, SizeIs(1));
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(children.front()), &info, WEXITED | WNOWAIT), 0);
  EXPECT_THAT(*reap_orphans({}, starter->threads()), IsEmpty());
  EXPECT_THAT(*other_children({}), IsEmpty());
  auto started = take(*starter, 1);
  EXPECT_EQ(end_of(started.front().spawned.value().process).exit_code, 9);
}

TEST_F(StarterTest, WhatItsChildrenLeaveBehindBecomesTheProcesssOwn) {
  const auto starter = make(1);
  Pipe output = make_pipe();
  SpawnRequest wanted = request({"leave-grandchild"});
  wanted.output = BorrowedFd{output.writer.get()};
  starter->start(1, [&] { return spawn(wanted); });
  auto started = take(*starter, 1);
  const pid_t orphan = std::stoi(read_line(output.reader.get()));
  const Fd end = open_pidfd(orphan).value();
  end_of(started.front().spawned.value().process);
  EXPECT_THAT(*other_children({}), ElementsAre(orphan));
  ::kill(orphan, SIGKILL);
  ASSERT_TRUE(wait_readable(end.get()));
  EXPECT_THAT(*reap_orphans({}, starter->threads()), ElementsAre(orphan));
}

TEST_F(StarterTest, ChoresAreDoneWhenItIsFinished) {
  const auto starter = make(2);
  std::atomic<int> done = 0;
  for (int i = 0; i < 100; ++i) starter->later([&] { ++done; });
  starter->finish();
  EXPECT_EQ(done, 100);
  EXPECT_THAT(starter->take(), IsEmpty());
}

TEST_F(StarterTest, AChildThatWasNotTakenRunsOn) {
  auto starter = make(1);
  starter->start(1, child({"wait"}));
  starter->finish();
  const std::vector<pid_t> children = *list_children_of(starter->threads().front());
  ASSERT_THAT(children, SizeIs(1));
  starter.reset();
  EXPECT_THAT(*other_children({}), ElementsAre(children.front()));
  EXPECT_NE(read_stat(children.front()).value().state, 'Z');
}

TEST_F(StarterTest, ItsThreadsTakeNoSignals) {
  const auto starter = make(1);
  sigset_t blocked;
  ::sigemptyset(&blocked);
  starter->later([&] { ::pthread_sigmask(SIG_SETMASK, nullptr, &blocked); });
  starter->finish();
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1})
    EXPECT_EQ(::sigismember(&blocked, number), 1) << number;
}

}  // namespace
}  // namespace pievt::process::testing
