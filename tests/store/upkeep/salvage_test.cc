// What is intact is saved, what is lost is named, and the damaged store is only read. The tests
// know from the undamaged store what was where.
#include <fstream>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pievt/query.h"
#include "store/format/keys.h"
#include "store/log/head.h"
#include "store/log/stored_page.h"
#include "tests/store/upkeep/sample_store.h"

namespace pievt {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class SalvageTest : public SampleStoreTest {
 protected:
  void SetUp() override {
    make_runs();
    remember();
  }

  // From here on it is known what the store holds.
  void remember() { pages_ = contents(store(), Family::log); }

  // Removes pages so that no file has them any more. What was only deleted, or lies in a log that
  // is not yet reused, would be found.
  void burn(const std::vector<PageRange>& pages) {
    Result<Rocks> rocks = Rocks::open_writer(log_directory(store()), Rocks::Create::never);
    ASSERT_TRUE(rocks.ok()) << rocks.error().what;
    WriteSet set(*rocks);
    for (const PageRange& page : pages) set.remove(Family::log, format::log_key(page.last));
    ASSERT_TRUE(rocks->write(std::move(set), Durability::fsync).ok());
    ASSERT_TRUE(rocks->compact(Family::log).ok());
    ASSERT_TRUE(rocks->close().ok());
    burn_logs();
  }

  std::map<std::string, std::string> all_files() const {
    std::map<std::string, std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(store())) {
      if (entry.is_regular_file())
        all[entry.path().string()] =
            bytes_of(entry.path()) +
            std::to_string(entry.last_write_time().time_since_epoch().count());
    }
    return all;
  }

  // Salvages, and checks what holds whatever was damaged.
  SalvageReport salvaged() {
    const auto before = all_files();
    const auto done = salvage(store(), copy());
    EXPECT_TRUE(done.ok()) << done.error().what;
    if (!done.ok()) return {};
    EXPECT_EQ(all_files(), before);
    EXPECT_FALSE(fs::exists(directory() / "copy.salvaging"));
    check_pages(*done);
    check_reading(*done);
    check_going_on(*done);
    return *done;
  }

  // Every page that is there is what was written, and what is not there is lost, and named so.
  void check_pages(const SalvageReport& report) {
    std::set<std::uint64_t> gone;
    for (const LostEvents& range : report.lost)
      for (std::uint64_t at = range.first.value; at <= range.last.value; ++at) gone.insert(at);
    EXPECT_EQ(gone.size(), report.events_lost);
    const auto saved = contents(copy(), Family::log);
    for (const auto& [key, value] : saved) {
      StoredPage page;
      ASSERT_TRUE(page.load(value, 0).ok());
      if (!page.view().is_lost()) {
        EXPECT_EQ(value, pages_[key]);
        EXPECT_FALSE(gone.contains(page.last()));
      }
    }
    for (const auto& [key, value] : pages_) {
      const std::uint64_t last = *format::get_u64(key);
      EXPECT_EQ(gone.contains(last), !saved.contains(key) || saved.at(key) != value) << last;
    }
  }

  static Verdict expected_verdict(const SalvageReport& report) {
    const bool all = report.lost.empty() && report.copy.problems.empty();
    return all ? Verdict::whole : Verdict::incomplete;
  }

  void check_reading(const SalvageReport& report) {
    const VerifyReport found = verified(copy());
    EXPECT_EQ(found.verdict, expected_verdict(report));
    std::size_t named = 0;
    for (const Finding& finding : found.findings) named += finding.check == "pages";
    EXPECT_EQ(named, report.lost.size());
    const Log log = Log::open(copy(), {.mode = OpenMode::read}).value();
    std::uint64_t events = 0;
    for (const Direction direction : {Direction::forward, Direction::backward}) {
      auto all = log.read({}, {}, direction);
      while (all.next()) ++events;
      EXPECT_TRUE(all.status().ok()) << all.status().error().what;
    }
    EXPECT_EQ(events, 2 * report.copy.events);
    std::uint64_t in_streams = 0;
    const auto streams = log.streams();
    for (const std::string& stream : streams.value()) {
      auto reader = log.read_stream(stream, {});
      std::uint64_t here = 0;
      while (reader.next()) ++here;
      EXPECT_TRUE(reader.status().ok()) << stream << ": " << reader.status().error().what;
      // What the stream has and what it has lost make up its revisions.
      std::uint64_t lost_here = 0;
      for (const LostRevisions& part : report.streams) {
        if (part.stream == stream) lost_here += part.last.value - part.first.value + 1;
      }
      EXPECT_EQ(here + lost_here, log.stream_head(stream)->value) << stream;
      in_streams += here;
    }
    EXPECT_EQ(in_streams, report.copy.events);
  }

  void check_going_on(const SalvageReport& report) {
    fs::copy(copy(), directory() / "goes on", fs::copy_options::recursive);
    Result<Log> log = Log::open(directory() / "goes on", {.mode = OpenMode::write});
    ASSERT_TRUE(log.ok()) << log.error().what;
    const auto done = log->append("run/r1", Expected::exists(), {text_event("after")});
    ASSERT_TRUE(done.ok()) << done.error().what;
    EXPECT_GT(done->first, report.copy.head);
    ASSERT_TRUE(log->close().ok());
    EXPECT_EQ(verified(directory() / "goes on").verdict, expected_verdict(report));
    // And it can be copied like any other.
    log = Log::open(directory() / "goes on", {.mode = OpenMode::read});
    ASSERT_TRUE(backup(*log, directory() / "copy of it").ok());
    for (const Family family : {Family::log, Family::streams, Family::ids, Family::index})
      EXPECT_EQ(contents(directory() / "copy of it", family),
                contents(directory() / "goes on", family));
  }

  std::map<std::string, std::string> pages_;
};

TEST_F(SalvageTest, AnUndamagedStoreComesOutAsItIs) {
  const SalvageReport report = salvaged();
  EXPECT_THAT(report.lost, IsEmpty());
  EXPECT_THAT(report.streams, IsEmpty());
  EXPECT_THAT(report.damage, IsEmpty());
  EXPECT_EQ(report.unrepeatable, 0u);
  EXPECT_EQ(report.copy.bodies_missing, 0u);
  for (const Family family : {Family::log, Family::streams, Family::ids, Family::index,
                              Family::schemas, Family::blobs, Family::meta})
    EXPECT_EQ(contents(store(), family), contents(copy(), family));
  EXPECT_FALSE(fs::exists(copy() / "SALVAGED"));
}

TEST_F(SalvageTest, AFlippedByteInATableCostsOneBlock) {
  burn_logs();
  const auto files_of_log = tables(Family::log);
  ASSERT_THAT(files_of_log, Not(IsEmpty()));
  // A table begins with its first block of pages.
  const fs::path largest = *std::ranges::max_element(
      files_of_log, {}, [](const fs::path& file) { return fs::file_size(file); });
  flip(largest, 100);
  const SalvageReport report = salvaged();
  EXPECT_THAT(report.lost, SizeIs(1));
  EXPECT_GT(report.events_lost, 0u);
  EXPECT_THAT(report.damage, Not(IsEmpty()));
  EXPECT_TRUE(fs::exists(copy() / "SALVAGED"));
}

TEST_F(SalvageTest, ATableWhoseIndexIsDamagedLosesNothing) {
  burn_logs();
  const auto files_of_log = tables(Family::log);
  // The last bytes of a table say that it is one and where its index is.
  flip(files_of_log[0], fs::file_size(files_of_log[0]) - 4);
  const SalvageReport report = salvaged();
  EXPECT_THAT(report.lost, IsEmpty());
  EXPECT_THAT(report.damage, Not(IsEmpty()));
}

TEST_F(SalvageTest, ADatabaseThatLostItsManifestLosesNothing) {
  for (const auto& entry : fs::directory_iterator(log_directory(store()))) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("MANIFEST") || name == "CURRENT") fs::remove(entry.path());
  }
  const SalvageReport report = salvaged();
  EXPECT_THAT(report.lost, IsEmpty());
  EXPECT_EQ(report.copy.bodies_missing, 0u);
  EXPECT_EQ(contents(store() / "..//copy", Family::log), pages_);
}

TEST_F(SalvageTest, ALostTableIsNamedByWhatWasInIt) {
  open(OpenMode::write);
  add_run("r4");
  close();
  open(OpenMode::write);
  close();
  remember();
  burn_logs();
  auto files_of_log = tables(Family::log);
  ASSERT_GE(files_of_log.size(), 2u);
  // The period in which r4 was added.
  const fs::path& table = files_of_log[files_of_log.size() - 2];
  std::vector<std::uint64_t> lasts;
  ASSERT_TRUE(read_table(table, [&](Family, std::string_view key, std::string_view) {
                lasts.push_back(*format::get_u64(key));
              }).ok());
  fs::remove(table);
  const SalvageReport report = salvaged();
  ASSERT_THAT(report.lost, SizeIs(1));
  EXPECT_EQ(report.lost[0].last.value, lasts.back());
  std::set<std::string> streams;
  for (const LostRevisions& part : report.streams) streams.insert(part.stream);
  EXPECT_EQ(streams, (std::set<std::string>{"run/r4", "store"}));
}

TEST_F(SalvageTest, TheEndOfALogIsMissedByItsIndexAndItsHead) {
  // Pages of the last period vanish; HEAD and the entries of the indexes tell of them.
  const std::vector<PageRange> pages = pages_of(store());
  const std::size_t from = pages.size() - 3;
  burn({pages.begin() + static_cast<std::ptrdiff_t>(from), pages.end()});
  const SalvageReport report = salvaged();
  ASSERT_THAT(report.lost, SizeIs(1));
  EXPECT_EQ(report.lost[0].first.value, pages[from].first);
  EXPECT_EQ(report.lost[0].last.value, pages.back().last);
}

TEST_F(SalvageTest, APageAmongOthersIsNamedWithItsRevisions) {
  const Log log = open_reader();
  const RunState before = *load_run(log, "r2");
  // The page of the revision in the middle of r2.
  auto reader = log.read_stream("run/r2", {8}, {8});
  ASSERT_TRUE(reader.next());
  const std::uint64_t at = reader.event().sequence.value;
  burn({{at, at}});
  const SalvageReport report = salvaged();
  ASSERT_THAT(report.lost, SizeIs(1));
  EXPECT_EQ(report.lost[0].first.value, at);
  EXPECT_EQ(report.lost[0].last.value, at);
  ASSERT_THAT(report.streams, SizeIs(1));
  EXPECT_EQ(report.streams[0].stream, "run/r2");
  EXPECT_EQ(report.streams[0].first.value, 8u);
  EXPECT_EQ(report.streams[0].last.value, 8u);
  EXPECT_EQ(load_run(*Log::open(copy(), {.mode = OpenMode::read}), "r2")->revision,
            before.revision);
}

TEST_F(SalvageTest, TheFirstPageMayBeLostWithTheNamesOfStreams) {
  const std::vector<PageRange> pages = pages_of(store());
  burn({pages.begin(), pages.begin() + 3});
  const SalvageReport report = salvaged();
  ASSERT_THAT(report.lost, SizeIs(1));
  EXPECT_EQ(report.lost[0].first.value, 1u);
  const Log log = Log::open(copy(), {.mode = OpenMode::read}).value();
  EXPECT_THAT(*log.streams(), Contains("run/r1"));
}

TEST_F(SalvageTest, APageThatWasOnlyDeletedIsFoundAgain) {
  const std::vector<PageRange> pages = pages_of(store());
  tamper([&](Rocks&, WriteSet& set) {
    set.remove(Family::log, format::log_key(pages[pages.size() / 2].last));
  });
  EXPECT_EQ(verified(store()).verdict, Verdict::damaged);
  EXPECT_THAT(salvaged().lost, IsEmpty());
}

// A writer that was killed, and whose write-ahead log is damaged at any place.
class DeadWriterTest : public SalvageTest {};

TEST_F(DeadWriterTest, DamageInTheWriteAheadLogCostsWhatItHits) {
  open(OpenMode::write);
  add_run("r4");
  for (int i = 0; i < 200; ++i) append("run/r4", {std::string(400, 'y')});
  remember();
  const fs::path dead = directory() / "dead";
  copy_files(dead);
  close();
  fs::remove_all(store());
  std::size_t losses = 0;
  for (int step = 1; step < 8; ++step) {
    fs::remove_all(store());
    fs::remove_all(copy());
    fs::remove_all(directory() / "goes on");
    fs::remove_all(directory() / "copy of it");
    fs::copy(dead, store(), fs::copy_options::recursive);
    const fs::path wal = files(".log").back();
    flip(wal, fs::file_size(wal) * static_cast<std::size_t>(step) / 8);
    const SalvageReport report = salvaged();
    // One 32 KiB block at most, and what was written across its edges.
    EXPECT_LE(report.events_lost, 150u) << step;
    losses += report.events_lost > 0;
  }
  EXPECT_GT(losses, 0u);
}

TEST_F(SalvageTest, TheStoresIdIsFoundWithoutSTORE) {
  const std::string id = open_reader().info().store_id;
  fs::remove(store() / "STORE");
  EXPECT_EQ(salvage(store(), directory() / "by head")->store_id, id);
  fs::remove(store() / "HEAD");
  EXPECT_EQ(salvage(store(), directory() / "by event")->store_id, id);
  EXPECT_EQ(verified(directory() / "by event").verdict, Verdict::whole);
}

TEST_F(SalvageTest, ALivingWriterIsLeftAlone) {
  open(OpenMode::write);
  const auto done = salvage(store(), copy());
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, Errc::busy);
}

TEST_F(SalvageTest, APreviewLeavesNothingBehind) {
  const auto done = salvage(store(), copy(), {.preview = Preview::yes, .progress = {}});
  ASSERT_TRUE(done.ok()) << done.error().what;
  EXPECT_EQ(done->copy.events, done->copy.head.value);
  EXPECT_FALSE(fs::exists(copy()));
  EXPECT_FALSE(fs::exists(directory() / "copy.salvaging"));
}

}  // namespace
}  // namespace pievt
