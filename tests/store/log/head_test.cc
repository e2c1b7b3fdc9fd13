// HEAD's values: readers see a whole one or none, whatever was done to the file.
#include "store/log/head.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "store/log/fd.h"
#include "tests/store/log/head_fixture.h"

namespace pievt::test {
namespace {

namespace layout = head_layout;

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

}  // namespace
}  // namespace pievt::test
