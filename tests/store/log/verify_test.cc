// A record that was changed is never called whole. Faults are made in the stored values, where only
// the sums over them can tell, and in the bytes of the files, where anything may notice first.
#include "pievt/verify.h"

#include <cstring>
#include <fstream>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pievt/output.h"
#include "pievt/query.h"
#include "store/format/hash.h"
#include "store/format/keys.h"
#include "store/format/page.h"
#include "store/log/output_store.h"
#include "store/log/rocks.h"
#include "store/log/store_files.h"
#include "tests/store/log/temp_store.h"

namespace pievt {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* run = "r1";

class VerifyTest : public StoreTest {
 protected:
  // A small run with a plan in the blob store, output of an attempt, and saved states.
  void make_store() {
    open();
    schema::RunPlannedT planned;
    planned.run_id = run;
    planned.plan = std::make_unique<schema::BlobRef>(log().put_blob("the plan").value());
    schema::JobDeclaredT job;
    job.id = "only";
    schema::AttemptLaunchRequestedT launch;
    std::vector<NewEvent> events;
    events.push_back({std::move(planned)});
    events.push_back({std::move(job), {.job = 1}, {{1}, {1}}});
    events.push_back({std::move(launch), {.job = 1, .attempt = 1}, {{2}, {1}}});
    OutputPacker packer;
    OutputWriter writer({run, 1, 1, schema::OutputChannel::stdout});
    for (const char* text : {"what it said first", "and then"}) {
      auto chunks = writer.write(log(), packer, std::as_bytes(std::span(text, std::strlen(text))));
      for (auto& chunk : chunks.value())
        events.push_back({std::move(chunk), {.job = 1, .attempt = 1}});
    }
    ASSERT_TRUE(log().append(run_stream(run), Expected::no_stream(), std::move(events)).ok());
    for (int i = 0; i < 40; ++i) append(i % 2 == 0 ? "a" : "b", {std::string(200, 'x')});
    ASSERT_TRUE(save_views(log(), run).ok());
    close();
  }

  // Changes stored values as somebody with an editor for RocksDB would.
  void tamper(const std::function<void(Rocks&, WriteSet&)>& change) {
    Result<Rocks> rocks = Rocks::open_writer(log_directory(store()), Rocks::Create::never);
    ASSERT_TRUE(rocks.ok()) << rocks.error().what;
    WriteSet set(*rocks);
    change(*rocks, set);
    ASSERT_TRUE(rocks->write(std::move(set), Durability::fsync).ok());
    ASSERT_TRUE(rocks->close().ok());
  }

  VerifyReport report(const VerifyOptions& options = {}) const {
    const Log log = open_reader();
    Result<VerifyReport> made = verify(log, options);
    EXPECT_TRUE(made.ok()) << made.error().what;
    return made.ok() ? std::move(*made) : VerifyReport{};
  }
};

std::vector<std::string> checks_of(const VerifyReport& report) {
  std::vector<std::string> names;
  for (const Finding& finding : report.findings) names.push_back(finding.check);
  return names;
}

// Changes one byte of the last body of a page and makes the page's checksum right again.
std::string with_other_body(std::string_view page) {
  std::string bytes(page);
  const std::size_t at = bytes.rfind("xxxx");
  EXPECT_NE(at, std::string::npos);
  bytes[at] = 'y';
  const auto behind =
      std::as_bytes(std::span(bytes)).subspan(offsetof(format::PageHeader, version));
  const std::uint32_t crc = crc32c(behind);
  std::memcpy(bytes.data() + offsetof(format::PageHeader, crc32c), &crc, sizeof(crc));
  return bytes;
}

// The page before the last one, which is of WriterClosed.
std::pair<std::string, std::string> some_page(Rocks& rocks) {
  auto cursor = rocks.cursor(Family::log);
  cursor.seek_to_last();
  cursor.prev();
  cursor.prev();
  EXPECT_TRUE(cursor.valid());
  return {std::string(cursor.key()), std::string(cursor.value())};
}

TEST_F(VerifyTest, WhatWasWrittenIsWhole) {
  make_store();
  const VerifyReport all = report();
  EXPECT_EQ(all.verdict, Verdict::whole);
  EXPECT_THAT(all.findings, IsEmpty());
  EXPECT_EQ(all.chain.size(), 64u);
  for (const VerifyCheck& check : all.checks) EXPECT_GT(check.examined, 0u) << check.name;
  // The same history has the same name, and one more event another.
  EXPECT_EQ(report().chain, all.chain);
  open(OpenMode::write);
  close();
  EXPECT_NE(report().chain, all.chain);
}

TEST_F(VerifyTest, AWriterCanVerifyWhatItWrites) {
  open();
  append("a", {"one", "two"});
  const auto made = verify(log());
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->verdict, Verdict::whole);
  EXPECT_EQ(made->head, log().head());
}

TEST_F(VerifyTest, ABodyThatWasRewrittenBreaksTheChainAlthoughItsChecksumIsRight) {
  make_store();
  tamper([](Rocks& rocks, WriteSet& set) {
    const auto [key, value] = some_page(rocks);
    set.put(Family::log, key, with_other_body(value));
  });
  const VerifyReport found = report();
  EXPECT_EQ(found.verdict, Verdict::damaged);
  ASSERT_THAT(checks_of(found), testing::ElementsAre("chain"));
  EXPECT_NE(found.findings[0].page.value, 0u);
}

TEST_F(VerifyTest, ADamagedPageIsOneFindingAndTheOthersAreStillRead) {
  make_store();
  tamper([](Rocks& rocks, WriteSet& set) {
    auto [key, value] = some_page(rocks);
    value[value.size() / 2] = static_cast<char>(value[value.size() / 2] ^ 1);
    set.put(Family::log, key, value);
  });
  const VerifyReport found = report();
  EXPECT_EQ(found.verdict, Verdict::damaged);
  ASSERT_THAT(checks_of(found), testing::ElementsAre("pages"));
  EXPECT_THAT(found.findings[0].what, HasSubstr("crc32c"));
}

TEST_F(VerifyTest, APageThatIsGoneIsNamedByTheEventsThatWereInIt) {
  make_store();
  std::uint64_t last = 0;
  tamper([&](Rocks& rocks, WriteSet& set) {
    const auto [key, value] = some_page(rocks);
    last = *format::get_u64(key);
    set.remove(Family::log, key);
  });
  const VerifyReport found = report();
  EXPECT_EQ(found.verdict, Verdict::damaged);
  ASSERT_THAT(checks_of(found), testing::ElementsAre("pages"));
  EXPECT_THAT(found.findings[0].what, HasSubstr("@" + std::to_string(last)));
}

TEST_F(VerifyTest, IndexesThatLieAreFound) {
  make_store();
  tamper([](Rocks& rocks, WriteSet& set) {
    auto ids = rocks.cursor(Family::ids);
    ids.seek_to_last();
    std::string entry(ids.value());
    entry[7] = static_cast<char>(entry[7] + 1);
    set.put(Family::ids, ids.key(), entry);
    auto streams = rocks.cursor(Family::streams);
    streams.seek_to_last();
    set.remove(Family::streams, streams.key());
  });
  const VerifyReport found = report();
  EXPECT_EQ(found.verdict, Verdict::damaged);
  EXPECT_THAT(checks_of(found), Contains("appends"));
  EXPECT_THAT(checks_of(found), Contains("index"));
  EXPECT_THAT(checks_of(found), Not(Contains("pages")));
}

TEST_F(VerifyTest, ARedactedBodyLeavesTheRecordIncompleteAndNotDamaged) {
  make_store();
  tamper([](Rocks& rocks, WriteSet& set) {
    auto cursor = rocks.cursor(Family::blobs);
    cursor.seek("m");
    set.remove(Family::blobs, cursor.key());
    set.remove(Family::blobs, output_chunk_key({run, 1, 1, schema::OutputChannel::stdout}, 0));
  });
  const VerifyReport found = report();
  EXPECT_EQ(found.verdict, Verdict::incomplete);
  EXPECT_THAT(checks_of(found), testing::UnorderedElementsAre("bodies", "output"));
  EXPECT_EQ(found.findings[0].stream, "run/r1");
  EXPECT_EQ(found.findings[0].revision.value, 1u);
}

TEST_F(VerifyTest, ABodyThatWasReplacedIsDamage) {
  make_store();
  tamper([](Rocks& rocks, WriteSet& set) {
    auto cursor = rocks.cursor(Family::blobs);
    cursor.seek("m");
    std::string value(cursor.value());
    value.back() = static_cast<char>(value.back() ^ 1);
    set.put(Family::blobs, cursor.key(), value);
    const auto key = output_chunk_key({run, 1, 1, schema::OutputChannel::stdout}, 1);
    set.put(Family::blobs, key, "not a frame");
  });
  const VerifyReport found = report();
  EXPECT_EQ(found.verdict, Verdict::damaged);
  EXPECT_THAT(checks_of(found), testing::UnorderedElementsAre("bodies", "output"));
  // Another run's bodies are nobody's business who asks about one.
  EXPECT_EQ(report({.run = run, .progress = {}}).verdict, Verdict::damaged);
}

TEST_F(VerifyTest, SavedStatesThatDifferFromTheirEventsAreFound) {
  make_store();
  tamper([](Rocks& rocks, WriteSet& set) {
    for (const char* name : {"runs", "run/r1"}) {
      std::string saved = rocks.get(Family::projections, name).value().value();
      saved[saved.rfind(run)] = 's';  // inside the state, not in its header
      std::string right;
      format::put_u32(right, crc32c(std::as_bytes(std::span(saved)).subspan(4)));
      set.put(Family::projections, name, right + saved.substr(4));
    }
  });
  const VerifyReport found = report();
  EXPECT_EQ(found.verdict, Verdict::damaged);
  EXPECT_THAT(checks_of(found), testing::ElementsAre("views", "views"));
  EXPECT_THAT(found.findings[0].what, HasSubstr("differs"));
}

TEST_F(VerifyTest, ASavedStateThatReadersPassOverIsNamed) {
  make_store();
  tamper([](Rocks&, WriteSet& set) { set.put(Family::projections, "run/r1", "garbage"); });
  const VerifyReport found = report();
  EXPECT_EQ(found.verdict, Verdict::damaged);
  EXPECT_THAT(checks_of(found), testing::ElementsAre("views"));
}

TEST_F(VerifyTest, ARunThatDoesNotExistIsNotWhole) {
  make_store();
  const Log log = open_reader();
  const auto made = verify(log, {.run = "nobody", .progress = {}});
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, Errc::not_found);
}

// Everything a reader can see, as one text.
std::string everything(const Log& log) {
  std::string all;
  auto reader = log.read({1});
  while (reader.next()) {
    all.append(reinterpret_cast<const char*>(reader.event().body.data()),
               reader.event().body.size());
  }
  return reader.status().ok() ? all : "error: " + reader.status().error().what;
}

class FlipTest : public VerifyTest {
 protected:
  // Flips a bit of every `step`th byte of `file`, one at a time. A flip must be noticed, or else
  // have changed nothing: files have padding that no checksum covers.
  void flip_all(const fs::path& where, const fs::path& file, std::size_t step) {
    const std::string before = everything(Log::open(where, {.mode = OpenMode::read}).value());
    const auto size = static_cast<std::size_t>(fs::file_size(file));
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    for (std::size_t at = step / 2; at < size; at += step) {
      SCOPED_TRACE(file.filename().string() + " byte " + std::to_string(at));
      flip(stream, at);
      const Result<Log> log = Log::open(where, {.mode = OpenMode::read});
      if (log.ok()) {
        const auto made = verify(*log);
        const bool noticed = !made.ok() || made->verdict != Verdict::whole;
        if (!noticed) {
          ++unnoticed_;
          EXPECT_EQ(everything(*log), before);
        }
      }
      ++flips_;
      flip(stream, at);
    }
  }

  static void flip(std::fstream& stream, std::size_t at) {
    stream.seekg(static_cast<std::streamoff>(at));
    const char changed = static_cast<char>(stream.get() ^ 0x10);
    stream.seekp(static_cast<std::streamoff>(at));
    stream.put(changed);
    stream.flush();
    ASSERT_TRUE(stream.good());
  }

  static std::vector<fs::path> files(const fs::path& where, std::string_view extension) {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(log_directory(where))) {
      if (entry.path().extension() == extension && entry.file_size() > 0)
        found.push_back(entry.path());
    }
    return found;
  }

  std::size_t flips_ = 0, unnoticed_ = 0;
};

TEST_F(FlipTest, AFlippedByteInATableIsNeverSilent) {
  make_store();
  const auto tables = files(store(), ".sst");
  ASSERT_THAT(tables, Not(IsEmpty()));
  for (const fs::path& table : tables) flip_all(store(), table, 149);
  EXPECT_GT(flips_, 20u);
  EXPECT_LE(unnoticed_, flips_ / 10);
}

TEST_F(FlipTest, AFlippedByteInTheWriteAheadLogOfADeadWriterIsNeverSilent) {
  open();
  append("a", {"one", "two"});
  append("b", {std::string(500, 'x')});
  append("a", {"three"});
  // What a killed writer leaves behind: its files as they are now, without its locks.
  const fs::path left = directory() / "left";
  fs::create_directory(left);
  for (const char* name : {"STORE", "HEAD"}) fs::copy_file(store() / name, left / name);
  fs::copy(log_directory(store()), log_directory(left));
  const auto logs = files(left, ".log");
  ASSERT_THAT(logs, Not(IsEmpty()));
  for (const fs::path& file : logs) flip_all(left, file, 61);
  EXPECT_GT(flips_, 20u);
  EXPECT_LE(unnoticed_, flips_ / 10);
}

}  // namespace
}  // namespace pievt
