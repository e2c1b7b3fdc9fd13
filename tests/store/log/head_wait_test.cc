// HEAD's bell: who waits hears of new values, in other processes too, and of the end of the file.
#include <atomic>
#include <csignal>
#include <memory>
#include <thread>
#include <vector>

#include <unistd.h>

#include <gtest/gtest.h>

#include "store/log/head.h"
#include "tests/store/log/head_fixture.h"
#include "tests/store/log/roles.h"

namespace pievt::test {

int follow_head(Arguments arguments) {
  const std::uint64_t last = std::stoull(arguments[1]);
  const auto waiter = HeadWaiter::open(arguments[0]);
  say(waiter.ok() ? "ready" : waiter.error().what);
  if (!waiter.ok()) return 1;
  for (std::uint64_t seen = 0; seen < last;) {
    const std::uint32_t word = waiter->word();
    const auto value = waiter->read();
    if (value && value->committed > seen) {
      seen = value->committed;
      say(std::to_string(seen));
    } else if (waiter->wait(word, head_wait_max) == HeadWaiter::Outcome::replaced) {
      say("replaced");
      return 2;
    }
  }
  return 0;
}

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using Outcome = HeadWaiter::Outcome;
namespace layout = head_layout;

class HeadWaitTest : public HeadTest {
 protected:
  // Publishes, and makes the wake if it is owed, without giving up the processor.
  static void publish(HeadWriter& head, std::uint64_t value) {
    ASSERT_TRUE(head.publish(value).ok());
    while (head.owed_at()) ASSERT_TRUE(head.flush_owed().ok());
  }

  // Lets head_wake_interval pass.
  static void spin_until(Clock::time_point time) {
    while (Clock::now() < time) {
    }
  }
};

TEST_F(HeadWaitTest, WaitsNoLongerThanAskedAndNoLongerThanItsBound) {
  HeadWriter head = writer();
  const HeadWaiter reader = waiter();
  EXPECT_EQ(reader.wait(reader.word(), 0ms), Outcome::timeout);
  EXPECT_EQ(reader.wait(reader.word(), -5ms), Outcome::timeout);
  const auto begin = Clock::now();
  EXPECT_EQ(reader.wait(reader.word(), 1h), Outcome::timeout);
  EXPECT_GE(Clock::now() - begin, head_wait_max);
}

TEST_F(HeadWaitTest, DoesNotSleepOnAnOldWord) {
  HeadWriter head = writer();
  const HeadWaiter reader = waiter();
  const std::uint32_t word = reader.word();
  ASSERT_TRUE(head.publish(1).ok());
  EXPECT_EQ(reader.wait(word, 1h), Outcome::woken);
  EXPECT_EQ(reader.word(), word + 1);
}

TEST_F(HeadWaitTest, MakesNoWakeWhenNobodyWaits) {
  HeadWriter head = writer();
  const HeadWaiter reader = waiter();
  for (std::uint64_t value = 1; value <= 100; ++value) ASSERT_TRUE(head.publish(value).ok());
  EXPECT_EQ(head.wakes(), 0u);
  EXPECT_EQ(head.owed_at(), std::nullopt);
}

TEST_F(HeadWaitTest, OneAnnouncementIsOneWake) {
  HeadWriter head = writer();
  const HeadWaiter reader = waiter();
  EXPECT_EQ(reader.wait(reader.word(), 0ms), Outcome::timeout);
  ASSERT_TRUE(head.publish(1).ok());
  EXPECT_EQ(head.wakes(), 1u);
  spin_until(Clock::now() + head_wake_interval);
  ASSERT_TRUE(head.publish(2).ok());
  EXPECT_EQ(head.wakes(), 1u);
}

TEST_F(HeadWaitTest, AWakeTooSoonIsOwedAndMadeUpFor) {
  HeadWriter head = writer();
  const HeadWaiter reader = waiter();
  std::uint64_t value = 0;
  const auto announce_and_publish = [&] {
    EXPECT_EQ(reader.wait(reader.word(), 0ms), Outcome::timeout);
    ASSERT_TRUE(head.publish(++value).ok());
  };
  // On a loaded machine half a millisecond may pass between two lines; then it is not too soon.
  do announce_and_publish();
  while (!head.owed_at());
  const std::uint64_t wakes = head.wakes();
  const Clock::time_point time = *head.owed_at();
  spin_until(time);
  ASSERT_TRUE(head.flush_owed().ok());
  EXPECT_EQ(head.wakes(), wakes + 1);
  EXPECT_EQ(head.owed_at(), std::nullopt);
  ASSERT_TRUE(head.flush_owed().ok());
  EXPECT_EQ(head.wakes(), wakes + 1);
  // Or the next publication makes it up.
  do announce_and_publish();
  while (!head.owed_at());
  const std::uint64_t more = head.wakes();
  spin_until(*head.owed_at());
  ASSERT_TRUE(head.publish(++value).ok());
  EXPECT_EQ(head.wakes(), more + 1);
  EXPECT_EQ(head.owed_at(), std::nullopt);
}

TEST_F(HeadWaitTest, AnnouncementsDoNotOutliveTheirWake) {
  HeadWriter head = writer();
  const HeadWaiter reader = waiter();
  for (std::uint64_t value = 1; value <= 5; ++value) {
    EXPECT_EQ(reader.wait(reader.word(), 0ms), Outcome::timeout);
    publish(head, value);
  }
  // Nobody waits any more; each publication follows the wake before it at once.
  const std::uint64_t wakes = head.wakes();
  EXPECT_GE(wakes, 1u);
  for (std::uint64_t value = 6; value <= 50; ++value) publish(head, value);
  EXPECT_EQ(head.wakes(), wakes);
}

TEST_F(HeadWaitTest, WakesAtMostOncePerInterval) {
  HeadWriter head = writer();
  std::atomic<bool> done = false;
  std::thread sleeper([&] {
    const HeadWaiter reader = waiter();
    while (!done) reader.wait(reader.word(), 1ms);
  });
  const auto begin = Clock::now();
  for (std::uint64_t value = 1; value <= 20'000; ++value) ASSERT_TRUE(head.publish(value).ok());
  const auto intervals = (Clock::now() - begin) / head_wake_interval;
  EXPECT_LE(head.wakes(), static_cast<std::uint64_t>(intervals) + 1);
  done = true;
  sleeper.join();
}

// Each publication is waited for by the other side, so a lost wake would cost a quarter second.
TEST_F(HeadWaitTest, WakesAnotherProcess) {
  constexpr std::uint64_t rounds = 100;
  HeadWriter head = writer();
  Actor actor("follow_head", {store.path(), std::to_string(rounds)});
  ASSERT_EQ(actor.line(), "ready");
  const auto begin = Clock::now();
  for (std::uint64_t value = 1; value <= rounds; ++value) {
    publish(head, value);
    ASSERT_EQ(actor.line(), std::to_string(value));
  }
  EXPECT_EQ(actor.wait(), 0);
  EXPECT_LT(Clock::now() - begin, rounds * head_wait_max / 2);
}

TEST_F(HeadWaitTest, WakesEightProcesses) {
  constexpr std::uint64_t rounds = 20;
  HeadWriter head = writer();
  std::vector<std::unique_ptr<Actor>> actors;
  for (int i = 0; i < 8; ++i) {
    actors.push_back(std::make_unique<Actor>(
        "follow_head", std::vector<std::string>{store.path(), std::to_string(rounds)}));
    ASSERT_EQ(actors.back()->line(), "ready");
  }
  const auto begin = Clock::now();
  for (std::uint64_t value = 1; value <= rounds; ++value) {
    publish(head, value);
    for (auto& actor : actors) ASSERT_EQ(actor->line(), std::to_string(value));
  }
  for (auto& actor : actors) EXPECT_EQ(actor->wait(), 0);
  EXPECT_LT(Clock::now() - begin, rounds * head_wait_max / 2);
}

TEST_F(HeadWaitTest, AKilledSleeperLeavesNothingBehind) {
  HeadWriter head = writer();
  Actor actor("follow_head", {store.path(), "100"});
  ASSERT_EQ(actor.line(), "ready");
  publish(head, 1);
  ASSERT_EQ(actor.line(), "1");
  EXPECT_EQ(actor.kill(), -SIGKILL);
  // At most the one announcement it had made is answered.
  publish(head, 2);
  const std::uint64_t wakes = head.wakes();
  for (std::uint64_t value = 3; value < 50; ++value) publish(head, value);
  EXPECT_LE(head.wakes(), wakes + 1);
}

TEST_F(HeadWaitTest, ThreadsSeeOnlyGrowingValuesAndTheLastOne) {
  constexpr std::uint64_t last = 5000;
  HeadWriter head = writer();
  std::vector<std::thread> readers;
  for (int i = 0; i < 8; ++i) {
    readers.emplace_back([this] {
      const HeadWaiter reader = waiter();
      for (std::uint64_t seen = 0; seen < last;) {
        const std::uint32_t word = reader.word();
        const auto value = reader.read();
        if (value && value->committed != seen) {
          ASSERT_GT(value->committed, seen);
          seen = value->committed;
        } else {
          ASSERT_NE(reader.wait(word, head_wait_max), Outcome::replaced);
        }
      }
    });
  }
  for (std::uint64_t value = 1; value <= last; ++value) ASSERT_TRUE(head.publish(value).ok());
  while (head.owed_at()) ASSERT_TRUE(head.flush_owed().ok());
  for (std::thread& reader : readers) reader.join();
}

TEST_F(HeadWaitTest, AReaderNoticesADeletedAndAReplacedFile) {
  HeadWriter head = writer();
  const HeadWaiter first = waiter();
  std::filesystem::remove(head_path());
  EXPECT_EQ(first.wait(first.word(), 1ms), Outcome::replaced);
  write_content(std::string(layout::file_bytes, '\0'));
  EXPECT_EQ(first.wait(first.word(), 1ms), Outcome::replaced);
  const HeadWaiter second = waiter();
  EXPECT_EQ(second.wait(second.word(), 0ms), Outcome::timeout);
}

// Through the mapping, each of these would be a SIGBUS.
TEST_F(HeadWaitTest, ATruncatedFileIsNoticedByReadersAndReplacedByTheWriter) {
  HeadWriter head = writer();
  const HeadWaiter reader = waiter();
  ASSERT_TRUE(head.publish(1).ok());
  ASSERT_EQ(::truncate(head_path().c_str(), 0), 0);
  EXPECT_EQ(reader.word(), 0u);
  EXPECT_EQ(reader.read(), std::nullopt);
  EXPECT_EQ(reader.wait(reader.word(), head_wait_max), Outcome::replaced);

  // The writer looks every 250 ms; until then its publications may go nowhere.
  std::uint64_t value = 1;
  const auto is_healed = [&] { return std::filesystem::file_size(head_path()) == 4096; };
  const auto deadline = Clock::now() + 30s;
  while (!is_healed() && Clock::now() < deadline) static_cast<void>(head.publish(++value));
  ASSERT_TRUE(is_healed());
  ASSERT_TRUE(head.publish(++value).ok());
  EXPECT_EQ(committed(), value);
  const HeadWaiter again = waiter();
  EXPECT_EQ(again.wait(again.word(), 0ms), Outcome::timeout);
}

TEST_F(HeadWaitTest, ASleeperIsToldWhenTheFileIsCutUnderIt) {
  HeadWriter head = writer();
  Actor actor("follow_head", {store.path(), "2"});
  ASSERT_EQ(actor.line(), "ready");
  publish(head, 1);
  ASSERT_EQ(actor.line(), "1");
  ASSERT_EQ(::truncate(head_path().c_str(), 100), 0);
  EXPECT_EQ(actor.line(), "replaced");
  EXPECT_EQ(actor.wait(), 2);
}

TEST_F(HeadWaitTest, TheNextWriterGoesOnInTheSameFile) {
  const auto first = std::make_unique<HeadWriter>(writer(1));
  const HeadWaiter reader = waiter();
  ASSERT_TRUE(first->publish(10).ok());
  const std::uint32_t word = reader.word();
  HeadWriter second = writer(2);
  EXPECT_EQ(reader.wait(word, 0ms), Outcome::timeout);
  ASSERT_TRUE(second.publish(11).ok());
  EXPECT_EQ(reader.wait(word, 1h), Outcome::woken);
  EXPECT_EQ(reader.read()->committed, 11u);
}

}  // namespace
}  // namespace pievt::test
