// Everything but the events can be lost and comes back the same; gc takes what nobody refers to and
// nothing else.
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pievt/output.h"
#include "store/format/keys.h"
#include "store/log/output_store.h"
#include "tests/store/upkeep/sample_store.h"

namespace pievt {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;
using testing::Not;

using Contents = std::map<std::string, std::string>;

class RebuildTest : public SampleStoreTest {
 protected:
  void SetUp() override { make_runs(); }

  std::map<Family, Contents> everything() const {
    std::map<Family, Contents> all;
    for (const Family family : {Family::log, Family::streams, Family::ids, Family::index,
                                Family::schemas, Family::blobs, Family::meta})
      all[family] = contents(store(), family);
    return all;
  }

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

class GcTest : public RebuildTest {
 protected:
  GcReport collected(const GcOptions& options = {}) const {
    const auto done = collect_garbage(store(), options);
    EXPECT_TRUE(done.ok()) << done.error().what;
    return done.ok() ? *done : GcReport{};
  }
};

TEST_F(GcTest, WhatEventsReferToStays) {
  const auto before = everything();
  const GcReport report = collected();
  EXPECT_EQ(report.texts + report.chunks + report.output_chunks + report.bytes, 0u);
  EXPECT_EQ(everything(), before);
}

TEST_F(GcTest, WhatNobodyRefersToGoesWithItsBytes) {
  const auto before = everything();
  open(OpenMode::write);
  ASSERT_TRUE(log().put_blob("nobody refers to me").ok());
  std::string large(700'000, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * i >> 7);
  ASSERT_TRUE(log().put_blob(large).ok());
  // Of a run that nobody knows and of one that is not finished.
  OutputPacker packer;
  for (const char* run : {"unknown", "r1"}) {
    OutputWriter writer({run, 9, 9, schema::OutputChannel::stderr});
    ASSERT_TRUE(writer.write(log(), packer, std::as_bytes(std::span("some", 4))).ok());
  }
  close();
  std::uint64_t bytes = 0;
  for (const auto& [key, value] : contents(store(), Family::blobs)) {
    const bool kept = key.starts_with(std::string("or1\0", 4));
    if (!before.at(Family::blobs).contains(key) && !kept) bytes += key.size() + value.size();
  }
  const GcReport preview =
      collected({.preview = Preview::yes, .progress = {}, .remove_attempt = {}});
  const GcReport report = collected();
  EXPECT_EQ(report.texts, 2u);
  EXPECT_GT(report.chunks, 1u);
  EXPECT_EQ(report.output_chunks, 1u);
  EXPECT_EQ(report.kept_for_runs, 1u);
  EXPECT_EQ(report.bytes, bytes);
  EXPECT_EQ(preview.bytes, bytes);
  Contents left = contents(store(), Family::blobs);
  std::erase_if(left, [](const auto& entry) {
    return entry.first.starts_with(std::string("or1\0", 4)) && entry.first[11] == 9;
  });
  EXPECT_EQ(left.size(), before.at(Family::blobs).size());
  EXPECT_EQ(verified(store()).verdict, Verdict::whole);
  EXPECT_EQ(collected().bytes, 0u);
}

TEST_F(GcTest, ALivingWriterAndADamagedLogAreLeftAlone) {
  open(OpenMode::write);
  ASSERT_TRUE(log().put_blob("put, and not referred to yet").ok());
  EXPECT_EQ(collect_garbage(store()).error().code, Errc::busy);
  // Who only looks is not in the way.
  collected({.preview = Preview::yes, .progress = {}, .remove_attempt = {}});
  close();
  const std::vector<PageRange> pages = pages_of(store());
  tamper([&](Rocks&, WriteSet& set) { set.remove(Family::log, format::log_key(pages[5].last)); });
  const auto before = contents(store(), Family::blobs);
  EXPECT_EQ(collect_garbage(store()).error().code, Errc::corrupt);
  EXPECT_EQ(contents(store(), Family::blobs), before);
}

}  // namespace
}  // namespace pievt
