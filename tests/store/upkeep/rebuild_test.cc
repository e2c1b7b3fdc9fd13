// Everything but the events can be lost and comes back the same.
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pievt/query.h"
#include "store/format/keys.h"
#include "tests/store/upkeep/living_supervisor.h"
#include "tests/store/upkeep/sample_store.h"

namespace pievt {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;
using testing::Not;

class RebuildTest : public SampleStoreTest {
 protected:
  void SetUp() override { make_runs(); }

  RebuildReport rebuilt(const CopyOptions& options = {}) const {
    const auto done = rebuild(store(), options);
    EXPECT_TRUE(done.ok()) << done.error().what;
    EXPECT_FALSE(fs::exists(store() / "rebuild"));
    return done.ok() ? *done : RebuildReport{};
  }
};

TEST_F(RebuildTest, DerivedFamiliesComeBackByteForByte) {
  const auto before = everything();
  for (const Family family : {Family::streams, Family::index}) {
    tamper([&](Rocks& rocks, WriteSet& set) {
      for (const auto& [key, value] : contents(rocks, family)) set.remove(family, key);
    });
    EXPECT_EQ(verified(store()).verdict, Verdict::damaged);
    EXPECT_TRUE(rebuilt().replaced);
    EXPECT_EQ(everything(), before);
    EXPECT_EQ(verified(store()).verdict, Verdict::whole);
  }
}

class MendTest : public RebuildTest {
 protected:
  void empty(Family family) const {
    tamper([family](Rocks& rocks, WriteSet& set) {
      for (const auto& [key, value] : contents(rocks, family)) set.remove(family, key);
    });
  }

  // Everything a reader can ask the index for.
  static std::string answers(const Log& log) {
    std::string all;
    const auto streams = log.streams();
    if (!streams.ok()) return streams.error().what;
    for (std::uint32_t number = 1; number <= streams->size(); ++number) {
      const std::string& name = (*streams)[number - 1];
      EXPECT_EQ(log.stream_name(number).value(), name);
      const auto head = log.stream_head(name);
      EXPECT_TRUE(head.ok()) << head.error().what;
      all += fmt::format("{} #{}:", name, head.ok() ? head->value : 0);
      for (const Direction way : {Direction::forward, Direction::backward}) {
        auto reader = log.read_stream(name, {}, {}, way);
        while (reader.next()) all += fmt::format(" {}", reader.event().sequence.value);
        EXPECT_TRUE(reader.status().ok()) << reader.status().error().what;
      }
      all += "\n";
    }
    return all;
  }
};

TEST_F(MendTest, AWriterMakesItsIndexesAnewAndSaysSoOnce) {
  const std::string before = answers(open_reader());
  const std::uint64_t events = open_reader().head().value;
  for (const Family family : {Family::streams, Family::ids, Family::index}) {
    empty(family);
    const auto log = Log::open(store(), {.mode = OpenMode::write});
    ASSERT_TRUE(log.ok()) << log.error().what;
    EXPECT_THAT(mended(*log), testing::HasSubstr("this has been done"));
    EXPECT_GT(log->head().value, events);
    EXPECT_EQ(verified(store()).verdict, Verdict::whole);
  }
  open(OpenMode::write);
  EXPECT_EQ(mended(log()), "");
  for (auto reader = log().read_stream("run/r1", {1}); reader.next();)
    EXPECT_THAT(before, testing::HasSubstr(fmt::format(" {}", reader.event().sequence.value)));
}

TEST_F(MendTest, AReaderAnswersFromThePagesWhereTheIndexIsGone) {
  const std::string before = answers(open_reader());
  EXPECT_EQ(mended(open_reader()), "");
  for (const Family family : {Family::streams, Family::index}) {
    empty(family);
    const Log reader = open_reader();
    EXPECT_THAT(mended(reader), testing::HasSubstr("pievt doctor --rebuild"));
    EXPECT_EQ(answers(reader), before);
  }
}

// A table of the log that is gone takes its pages along, and what is left looks like a log.
TEST_F(MendTest, AReaderKnowsByTheIndexThatPagesAreGone) {
  const std::vector<PageRange> pages = pages_of(store());
  const auto remove_pages_from = [&](std::size_t first) {
    tamper([&](Rocks&, WriteSet& set) {
      for (std::size_t i = first; i < pages.size(); ++i)
        set.remove(Family::log, format::log_key(pages[i].last));
    });
  };
  for (const std::size_t left : {std::size_t{3}, std::size_t{0}}) {
    remove_pages_from(left);
    const auto reader = Log::open(store());
    ASSERT_FALSE(reader.ok()) << left;
    EXPECT_EQ(reader.error().code, Errc::corrupt);
    EXPECT_THAT(reader.error().what, testing::HasSubstr("pages are missing"));
  }
}

TEST_F(MendTest, AReaderWithoutIndexAndWithADamagedPageSaysWhatToDo) {
  const std::vector<PageRange> pages = pages_of(store());
  empty(Family::index);
  tamper([&](Rocks& rocks, WriteSet& set) {
    const std::string key = format::log_key(pages[5].last);
    std::string value = rocks.get(Family::log, key).value().value();
    value[100] ^= 1;
    set.put(Family::log, key, value);
  });
  {
    // Or the page as it was would still lie in a file, and be found there.
    auto rocks = Rocks::open_writer(log_directory(store()), Rocks::Create::never);
    ASSERT_TRUE(rocks.ok() && rocks->compact(Family::log).ok() && rocks->close().ok());
  }
  const Log reader = open_reader();
  EXPECT_EQ(reader.streams().error().code, Errc::corrupt);
  auto stream = reader.read_stream("run/r1", {1});
  EXPECT_FALSE(stream.next());
  EXPECT_THAT(stream.status().error().what, testing::HasSubstr("pievt doctor --rebuild"));
  // What needs no index is there as before, and a writer does not make the loss final.
  EXPECT_TRUE(reader.read({1}).next());
  const auto writer = Log::open(store(), {.mode = OpenMode::write});
  ASSERT_FALSE(writer.ok());
  EXPECT_THAT(writer.error().what, testing::HasSubstr("pievt salvage"));
}

// The look at the last page does not see it, and whoever runs into it leaves word.
TEST_F(MendTest, AnIndexDamagedFurtherBackIsMendedByTheNextWriter) {
  open(OpenMode::write);
  append("old", {"one"});
  append("new", {"two"});
  const std::uint32_t number = static_cast<std::uint32_t>(log().streams().value().size()) - 1;
  close();
  tamper([&](Rocks&, WriteSet& set) {
    set.put(Family::streams, format::stream_key(number, 1), "damaged");
  });
  open(OpenMode::write);
  const auto refused = log().append("old", Expected::any(), {text_event("three")});
  EXPECT_EQ(refused.error().code, Errc::corrupt);
  EXPECT_TRUE(fs::exists(store() / "DAMAGED"));
  close();
  open(OpenMode::write);
  EXPECT_FALSE(fs::exists(store() / "DAMAGED"));
  EXPECT_THAT(mended(log()), testing::HasSubstr("DAMAGED"));
  EXPECT_EQ(append("old", {"three"}).streams.front().last.value, 2u);
}

TEST_F(RebuildTest, LostIdsComeBackOrRefuse) {
  open(OpenMode::write);
  const AppendId id = new_append_id();
  const Appended first = append("a", {"one", "two"}, {.id = id});
  close();
  const auto before = everything();
  tamper([&](Rocks& rocks, WriteSet& set) {
    for (const auto& [key, value] : contents(rocks, Family::ids)) set.remove(Family::ids, key);
  });
  // What was only checked and never written left no name behind: three appends are of that kind.
  EXPECT_EQ(rebuilt().unrepeatable, 3u);
  EXPECT_EQ(contents(store(), Family::ids).size(), before.at(Family::ids).size());
  open(OpenMode::write);
  const Appended again = append("a", {"one", "two"}, {.id = id});
  EXPECT_EQ(again.outcome, AppendOutcome::already_there);
  EXPECT_EQ(again.first, first.first);
}

TEST_F(RebuildTest, ADamagedTableOfAnIndexIsNoLoss) {
  const auto before = everything();
  for (const auto& entry : fs::directory_iterator(log_directory(store()))) {
    if (entry.path().extension() == ".log") fs::remove(entry.path());
  }
  std::size_t deleted = 0;
  for (const auto& entry : fs::directory_iterator(log_directory(store()))) {
    if (entry.path().extension() != ".sst") continue;
    bool derived = false;
    ASSERT_TRUE(read_table(entry.path(), [&](Family family, auto, auto) {
                  derived = family == Family::streams || family == Family::projections;
                }).ok());
    if (derived) deleted += fs::remove(entry.path());
  }
  ASSERT_GT(deleted, 0u);
  fs::remove(store() / "HEAD");
  EXPECT_TRUE(rebuilt().replaced);
  EXPECT_EQ(everything(), before);
  EXPECT_EQ(verified(store()).verdict, Verdict::whole);
  EXPECT_TRUE(fs::exists(store() / "HEAD"));
}

TEST_F(RebuildTest, LostEventsAreNotPaperedOver) {
  const std::vector<PageRange> pages = pages_of(store());
  Result<Rocks> rocks = Rocks::open_writer(log_directory(store()), Rocks::Create::never);
  ASSERT_TRUE(rocks.ok());
  WriteSet set(*rocks);
  set.remove(Family::log, format::log_key(pages[3].last));
  ASSERT_TRUE(rocks->write(std::move(set), Durability::fsync).ok());
  ASSERT_TRUE(rocks->compact(Family::log).ok());
  ASSERT_TRUE(rocks->close().ok());
  rocks = Error{Errc::io, "closed"};
  for (const auto& entry : fs::directory_iterator(log_directory(store()))) {
    if (entry.path().extension() == ".log") fs::remove(entry.path());
  }
  const auto before = everything();
  const auto done = rebuild(store());
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, Errc::corrupt);
  EXPECT_THAT(done.error().what, testing::HasSubstr("pievt salvage"));
  EXPECT_EQ(everything(), before);
  EXPECT_FALSE(fs::exists(store() / "rebuild"));
}

TEST_F(RebuildTest, APreviewChangesNothingAndAWriterIsLeftAlone) {
  tamper([](Rocks& rocks, WriteSet& set) {
    for (const auto& [key, value] : contents(rocks, Family::index)) set.remove(Family::index, key);
  });
  EXPECT_FALSE(rebuilt({.preview = Preview::yes, .progress = {}}).replaced);
  EXPECT_THAT(contents(store(), Family::index), IsEmpty());
  rebuilt();
  open(OpenMode::write);
  EXPECT_EQ(rebuild(store()).error().code, Errc::busy);
}

TEST_F(RebuildTest, APreviewLooksBesideAWriterAndSeesWhatItHasWritten) {
  open(OpenMode::write);
  append("a", {"beside"});
  for (int round = 0; round < 3; ++round) {
    const std::uint64_t before = log().head().value;
    append("a", {fmt::format("{}", round)});
    const auto preview = rebuild(store(), {.preview = Preview::yes, .progress = {}});
    ASSERT_TRUE(preview.ok()) << preview.error().what;
    EXPECT_FALSE(preview->replaced);
    EXPECT_GT(preview->copy.head.value, before);
    EXPECT_EQ(preview->verified.verdict, Verdict::whole);
    EXPECT_THAT(preview->damage, IsEmpty());
    EXPECT_FALSE(fs::exists(store() / "rebuild.preview"));
  }
  const auto refused = rebuild(store());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::busy);
  EXPECT_THAT(refused.error().what, testing::HasSubstr("is being written by"));
}

// The log it reads would be replaced below it, and it need not be the one who writes.
TEST_F(RebuildTest, ARunThatIsSupervisedKeepsItsLog) {
  const LivingSupervisor supervisor(store(), "r1");
  const auto before = everything();
  const auto refused = rebuild(store());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::busy);
  EXPECT_THAT(refused.error().what,
              testing::HasSubstr(fmt::format("run r1 is being supervised by somebody (process {})",
                                             supervisor.pid())));
  EXPECT_EQ(everything(), before);
  EXPECT_FALSE(fs::exists(store() / "rebuild"));
  EXPECT_TRUE(rebuild(store(), {.preview = Preview::yes, .progress = {}}).ok());
}

TEST_F(RebuildTest, SavedStatesAreMadeForEveryRun) {
  tamper([&](Rocks& rocks, WriteSet& set) {
    for (const auto& [key, value] : contents(rocks, Family::projections))
      set.remove(Family::projections, key);
  });
  EXPECT_TRUE(rebuilt().replaced);
  EXPECT_THAT(contents(store(), Family::projections),
              testing::ElementsAre(testing::Key("run/r1"), testing::Key("run/r2"),
                                   testing::Key("run/r3"), testing::Key("runs")));
  EXPECT_EQ(verified(store()).verdict, Verdict::whole);
  const Log reader = open_reader();
  EXPECT_EQ(load_runs(reader)->runs.size(), 3u);
}

TEST_F(RebuildTest, ALogElsewhereIsNotLeftThere) {
  const fs::path elsewhere = directory() / "elsewhere";
  fs::rename(log_directory(store()), elsewhere);
  fs::create_directory_symlink(elsewhere, log_directory(store()));
  const auto before = everything();
  const auto done = rebuild(store());
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, Errc::invalid);
  EXPECT_TRUE(fs::is_symlink(log_directory(store())));
  EXPECT_EQ(everything(), before);
}

TEST_F(RebuildTest, AStoreOfALaterFormatIsNotTouched) {
  fs::remove(store() / "LOCK");
  std::ofstream(store() / "STORE")
      << "pievt store\nid: " << to_string(new_append_id()) << "\nformat: 2\n";
  EXPECT_EQ(rebuild(store()).error().code, Errc::too_new);
  EXPECT_FALSE(fs::exists(store() / "LOCK"));
  const auto report = diagnose(store());
  ASSERT_TRUE(report.ok());
  for (const Diagnosis& check : report->checks)
    EXPECT_THAT(check.next, Not(testing::HasSubstr("--rebuild")));
}

}  // namespace
}  // namespace pievt
