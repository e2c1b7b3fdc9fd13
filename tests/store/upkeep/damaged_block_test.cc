// A block that cannot be read costs what is in it, and is never mistaken for something that was not
// there: neither by a copy nor by what is made of the copy.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/store/upkeep/sample_store.h"

namespace pievt {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::Field;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class DamagedBlockTest : public SampleStoreTest {
 protected:
  void SetUp() override {
    make_runs();
    burn_logs();
  }

  // In the largest table of the family; `part` of it lies before the damage.
  void damage(Family family, double part = 0.5) const {
    fs::path largest;
    for (const fs::path& table : tables(family))
      if (largest.empty() || fs::file_size(table) > fs::file_size(largest)) largest = table;
    ASSERT_FALSE(largest.empty());
    flip(largest, static_cast<std::size_t>(part * static_cast<double>(fs::file_size(largest))));
  }

  static void expect_named(const CopyReport& report) {
    EXPECT_GT(report.bodies_damaged, 0u);
    EXPECT_THAT(report.problems, Contains(Field(&BodyProblem::stream, StartsWith("run/r"))));
  }
};

TEST_F(DamagedBlockTest, ABackupGoesOnBehindDamagedTexts) {
  damage(Family::blobs);
  const auto done = backup(open_reader(), copy());
  ASSERT_TRUE(done.ok()) << done.error().what;
  expect_named(*done);
  EXPECT_EQ(done->head, open_reader().head());
  EXPECT_EQ(verified(copy()).verdict, Verdict::incomplete);
}

// Without it no text can be compared with its digest. Every event can be read, and an earlier copy
// has the key.
TEST_F(DamagedBlockTest, ADamagedKeyOfTheTextsEndsNeitherReadingNorABackup) {
  const fs::path earlier = directory() / "earlier";
  ASSERT_TRUE(backup(open_reader(), earlier).ok());
  for (const fs::path& table : tables(Family::meta)) flip(table, 10);
  const Log reader = open_reader();
  EXPECT_THAT(mended(reader), HasSubstr("pievt salvage"));
  const auto fresh = backup(reader, copy());
  ASSERT_TRUE(fresh.ok()) << fresh.error().what;
  EXPECT_EQ(fresh->head, reader.head());
  EXPECT_EQ(fresh->bodies_damaged, 1u);
  EXPECT_THAT(fresh->problems.front().what, HasSubstr("texts are copied and not compared"));
  EXPECT_EQ(contents(copy(), Family::blobs), contents(store(), Family::blobs));
  EXPECT_EQ(verified(copy()).verdict, Verdict::damaged);

  const auto later = backup(reader, earlier);
  ASSERT_TRUE(later.ok()) << later.error().what;
  EXPECT_THAT(later->problems.front().what, HasSubstr("the copy has it"));
  EXPECT_EQ(verified(earlier).verdict, Verdict::whole);

  const VerifyReport found = verified(store());
  EXPECT_EQ(found.verdict, Verdict::damaged);
  EXPECT_EQ(found.remedy, Remedy::salvage);
  // Whoever writes would give the store another key, and a new log made of this one had none.
  EXPECT_EQ(Log::open(store(), {.mode = OpenMode::write}).error().code, Errc::corrupt);
  EXPECT_EQ(rebuild(store()).error().code, Errc::corrupt);
}

TEST_F(DamagedBlockTest, ASalvageSaysWhoseTextsItLostAndSoDoesWhatItMade) {
  damage(Family::blobs);
  const auto done = salvage(store(), copy());
  ASSERT_TRUE(done.ok()) << done.error().what;
  expect_named(done->copy);
  EXPECT_TRUE(done->lost.empty());
  std::ifstream in(copy() / "SALVAGED");
  const std::string account{std::istreambuf_iterator<char>(in), {}};
  EXPECT_THAT(account, HasSubstr("damaged: run/r"));
  const VerifyReport found = verified(copy());
  EXPECT_EQ(found.verdict, Verdict::incomplete);
  ASSERT_FALSE(found.findings.empty());
  EXPECT_THAT(found.findings.front().what, HasSubstr("lost to damage"));
}

TEST_F(DamagedBlockTest, ARebuildKeepsTheLogThatHasTheDamagedTexts) {
  damage(Family::blobs);
  const auto before = contents(store(), Family::log);
  const auto done = rebuild(store());
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, Errc::corrupt);
  EXPECT_THAT(done.error().what, HasSubstr("pievt salvage"));
  EXPECT_EQ(contents(store(), Family::log), before);
  EXPECT_EQ(verified(store()).verdict, Verdict::damaged);
}

TEST_F(DamagedBlockTest, VerifyGoesOnBehindIt) {
  const VerifyReport before = verified(store());
  damage(Family::log, 0.05);
  const VerifyReport found = verified(store());
  EXPECT_EQ(found.verdict, Verdict::damaged);
  EXPECT_EQ(found.remedy, Remedy::salvage);
  std::uint64_t of_pages = 0;
  for (const Finding& finding : found.findings) {
    if (finding.check != "pages") continue;
    ++of_pages;
    EXPECT_THAT(finding.what, HasSubstr("cannot be read where they lie"));
  }
  EXPECT_EQ(of_pages, 1u);
  EXPECT_EQ(found.head, before.head);
  // Taken up behind the block, the chain ends with the value it had.
  EXPECT_EQ(found.chain, before.chain);
}

}  // namespace
}  // namespace pievt
