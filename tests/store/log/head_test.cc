// HEAD: readers see a whole value or none, hear of new ones, and survive whatever is done to it.
#include "store/log/head.h"

#include <atomic>
#include <csignal>
#include <fstream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/store/log/roles.h"
#include "tests/store/log/temporary_store.h"

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

StoreId store_id(unsigned char last) {
  StoreId id{};
  id[15] = static_cast<std::byte>(last);
  return id;
}

class HeadTest : public testing::Test {
 protected:
  std::filesystem::path head_path() const { return store.path() / "HEAD"; }

  HeadWriter writer(std::uint64_t epoch = 1, const StoreId& id = store_id(1)) const {
    auto opened = HeadWriter::open(store.path(), id, epoch);
    if (!opened.ok()) ADD_FAILURE() << opened.error().what;
    return std::move(*opened);
  }

  HeadWaiter waiter() const {
    auto opened = HeadWaiter::open(store.path());
    if (!opened.ok()) ADD_FAILURE() << opened.error().what;
    return std::move(*opened);
  }

  // The sequence in HEAD; nothing if there is no valid one.
  std::optional<std::uint64_t> committed() const {
    const auto value = read_head(store.path());
    EXPECT_TRUE(value.ok());
    if (!value.ok() || !*value) return std::nullopt;
    return (*value)->committed;
  }

  std::string content() const {
    std::ifstream file(head_path(), std::ios::binary);
    std::ostringstream bytes;
    bytes << file.rdbuf();
    return bytes.str();
  }
  void write_content(const std::string& bytes) const {
    std::ofstream(head_path(), std::ios::binary | std::ios::trunc) << bytes;
  }

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

  TemporaryStore store;
};

TEST_F(HeadTest, IsNothingBeforeTheFirstPublication) {
  EXPECT_EQ(committed(), std::nullopt);
  EXPECT_EQ(HeadWaiter::open(store.path()).error().code, Errc::not_found);
  const HeadWriter head = writer();
  EXPECT_EQ(committed(), std::nullopt);
  EXPECT_EQ(waiter().read(), std::nullopt);
}

TEST_F(HeadTest, GivesTheLastPublication) {
  HeadWriter head = writer(7, store_id(9));
  for (const std::uint64_t value : {1u, 2u, 3u, 1000u}) {
    ASSERT_TRUE(head.publish(value).ok());
    EXPECT_EQ(committed(), value);
  }
  const HeadValue value{store_id(9), current_boot_id(), 7, 1000};
  EXPECT_EQ(*read_head(store.path()), value);
  EXPECT_EQ(waiter().read(), value);

  struct stat status {};
  ASSERT_EQ(::stat(head_path().c_str(), &status), 0);
  EXPECT_EQ(status.st_size, 4096);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_GT(status.st_blocks, 0);
}

TEST_F(HeadTest, ALaterEpochWinsOverAHigherSequence) {
  { ASSERT_TRUE(writer(1).publish(500).ok()); }
  HeadWriter head = writer(2);
  EXPECT_EQ(committed(), 500u);
  ASSERT_TRUE(head.publish(400).ok());
  EXPECT_EQ(committed(), 400u);
}

TEST_F(HeadTest, ClearsWhatWouldWinOverItsOwnValues) {
  for (const std::uint64_t epoch : {5u, 6u}) {
    HeadWriter before = writer(epoch);
    ASSERT_TRUE(before.publish(100).ok());
    ASSERT_TRUE(before.publish(101).ok());
    HeadWriter head = writer(5);
    EXPECT_EQ(committed(), std::nullopt);
    ASSERT_TRUE(head.publish(50).ok());
    EXPECT_EQ(committed(), 50u);
  }
  HeadWriter foreign = writer(9, store_id(2));
  EXPECT_EQ(committed(), std::nullopt);
  ASSERT_TRUE(foreign.publish(1).ok());
  EXPECT_EQ(committed(), 1u);
}

TEST_F(HeadTest, ATornSlotLeavesTheOneBefore) {
  HeadWriter head = writer();
  ASSERT_TRUE(head.publish(1).ok());
  const std::string before = content();
  ASSERT_TRUE(head.publish(2).ok());
  const std::string after = content();
  // The second slot, written up to any byte.
  const std::size_t begin = layout::slot_offsets[1];
  for (std::size_t cut = 0; cut < layout::slot_bytes; ++cut) {
    std::string torn = before;
    torn.replace(begin, cut, after.substr(begin, cut));
    write_content(torn);
    const bool is_whole = torn.substr(begin, 64) == after.substr(begin, 64);
    EXPECT_EQ(committed(), is_whole ? 2u : 1u) << "torn at " << cut;
  }
}

TEST_F(HeadTest, NoFlippedBitMakesAnotherValue) {
  HeadWriter head = writer(3);
  ASSERT_TRUE(head.publish(41).ok());
  ASSERT_TRUE(head.publish(42).ok());
  const HeadValue last{store_id(1), current_boot_id(), 3, 42};
  const HeadValue before{store_id(1), current_boot_id(), 3, 41};
  const Fd file(::open(head_path().c_str(), O_RDWR | O_CLOEXEC));
  const std::string bytes = content();
  ASSERT_EQ(bytes.size(), layout::file_bytes);
  const std::size_t last_slot = layout::slot_offsets[1];
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const bool in_last = i >= last_slot && i < last_slot + layout::slot_bytes;
    for (int bit = 0; bit < 8; ++bit) {
      const char flipped = static_cast<char>(bytes[i] ^ (1 << bit));
      ASSERT_EQ(::pwrite(file.get(), &flipped, 1, static_cast<off_t>(i)), 1);
      const auto value = read_head(store.path());
      ASSERT_TRUE(value.ok());
      ASSERT_EQ(*value, in_last ? before : last) << "byte " << i << " bit " << bit;
    }
    ASSERT_EQ(::pwrite(file.get(), &bytes[i], 1, static_cast<off_t>(i)), 1);
  }
}

TEST_F(HeadTest, AnyLengthOfTheFileIsAValueOrNone) {
  HeadWriter head = writer();
  ASSERT_TRUE(head.publish(1).ok());
  ASSERT_TRUE(head.publish(2).ok());
  for (off_t size = layout::file_bytes; size-- > 0;) {
    ASSERT_EQ(::truncate(head_path().c_str(), size), 0);
    const std::optional<std::uint64_t> expected = size >= 576  ? std::optional(2u)
                                                  : size >= 64 ? std::optional(1u)
                                                               : std::nullopt;
    ASSERT_EQ(committed(), expected) << size;
    EXPECT_EQ(HeadWaiter::open(store.path()).error().code, Errc::not_found);
  }
}

TEST_F(HeadTest, MakesANewFileWhereTheOldOneCannotBeUsed) {
  for (const std::string& bytes : {std::string(), std::string("x"), std::string(5000, 'x')}) {
    write_content(bytes);
    ASSERT_TRUE(writer().publish(5).ok());
    EXPECT_EQ(committed(), 5u);
  }
  std::filesystem::remove(head_path());
  std::filesystem::create_symlink("/dev/null", head_path());
  EXPECT_FALSE(read_head(store.path()).ok());
  ASSERT_TRUE(writer().publish(6).ok());
  EXPECT_EQ(committed(), 6u);
  std::filesystem::remove(head_path());
  std::filesystem::create_directory(head_path());
  EXPECT_FALSE(HeadWriter::open(store.path(), store_id(1), 1).ok());
  EXPECT_EQ(HeadWriter::open(store.path() / "nowhere", store_id(1), 1).error().code,
            Errc::not_found);
}

TEST_F(HeadTest, WaitsNoLongerThanAskedAndNoLongerThanItsBound) {
  HeadWriter head = writer();
  const HeadWaiter reader = waiter();
  EXPECT_EQ(reader.wait(reader.word(), 0ms), Outcome::timeout);
  EXPECT_EQ(reader.wait(reader.word(), -5ms), Outcome::timeout);
  const auto begin = Clock::now();
  EXPECT_EQ(reader.wait(reader.word(), 1h), Outcome::timeout);
  EXPECT_GE(Clock::now() - begin, head_wait_max);
}

TEST_F(HeadTest, DoesNotSleepOnAnOldWord) {
  HeadWriter head = writer();
  const HeadWaiter reader = waiter();
  const std::uint32_t word = reader.word();
  ASSERT_TRUE(head.publish(1).ok());
  EXPECT_EQ(reader.wait(word, 1h), Outcome::woken);
  EXPECT_EQ(reader.word(), word + 1);
}

TEST_F(HeadTest, MakesNoWakeWhenNobodyWaits) {
  HeadWriter head = writer();
  const HeadWaiter reader = waiter();
  for (std::uint64_t value = 1; value <= 100; ++value) ASSERT_TRUE(head.publish(value).ok());
  EXPECT_EQ(head.wakes(), 0u);
  EXPECT_EQ(head.owed_at(), std::nullopt);
}

TEST_F(HeadTest, OneAnnouncementIsOneWake) {
  HeadWriter head = writer();
  const HeadWaiter reader = waiter();
  EXPECT_EQ(reader.wait(reader.word(), 0ms), Outcome::timeout);
  ASSERT_TRUE(head.publish(1).ok());
  EXPECT_EQ(head.wakes(), 1u);
  spin_until(Clock::now() + head_wake_interval);
  ASSERT_TRUE(head.publish(2).ok());
  EXPECT_EQ(head.wakes(), 1u);
}

TEST_F(HeadTest, AWakeTooSoonIsOwedAndMadeUpFor) {
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

TEST_F(HeadTest, AnnouncementsDoNotOutliveTheirWake) {
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

TEST_F(HeadTest, WakesAtMostOncePerInterval) {
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
TEST_F(HeadTest, WakesAnotherProcess) {
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

TEST_F(HeadTest, WakesEightProcesses) {
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

TEST_F(HeadTest, AKilledSleeperLeavesNothingBehind) {
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

TEST_F(HeadTest, ThreadsSeeOnlyGrowingValuesAndTheLastOne) {
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

TEST_F(HeadTest, AReaderNoticesADeletedAndAReplacedFile) {
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
TEST_F(HeadTest, ATruncatedFileIsNoticedByReadersAndReplacedByTheWriter) {
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

TEST_F(HeadTest, ASleeperIsToldWhenTheFileIsCutUnderIt) {
  HeadWriter head = writer();
  Actor actor("follow_head", {store.path(), "2"});
  ASSERT_EQ(actor.line(), "ready");
  publish(head, 1);
  ASSERT_EQ(actor.line(), "1");
  ASSERT_EQ(::truncate(head_path().c_str(), 100), 0);
  EXPECT_EQ(actor.line(), "replaced");
  EXPECT_EQ(actor.wait(), 2);
}

TEST_F(HeadTest, TheNextWriterGoesOnInTheSameFile) {
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
