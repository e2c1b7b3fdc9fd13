// A backup is the log up to a moment, byte for byte, with all it refers to; whatever cuts it off.
#include <csignal>
#include <cstdlib>
#include <thread>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pievt/query.h"
#include "store/format/keys.h"
#include "tests/store/upkeep/sample_store.h"

namespace pievt {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view backup_role = "--backup";
constexpr std::string_view restore_role = "--restore";

// <from> <to> <cut>: copies, and kills itself after so many pages. In a process of its own, so that
// the source is another process's store and what a SIGKILL leaves is real.
int copy_and_die(std::string_view role, const std::string& from, const std::string& to, int cut) {
  int pages = 0;
  const UpkeepProgress progress = [&](std::uint64_t, std::uint64_t) {
    if (++pages == cut) static_cast<void>(::raise(SIGKILL));
  };
  if (role == restore_role) {
    RestoreOptions options;
    options.progress = progress;
    return restore(from, to, options).ok() ? 0 : 1;
  }
  const Result<Log> log = Log::open(from, {.mode = OpenMode::read});
  if (!log.ok()) return 2;
  const auto done = backup(*log, to, {.preview = Preview::no, .progress = progress});
  if (!done.ok()) fmt::print(stderr, "{}\n", done.error().what);
  return done.ok() ? 0 : 1;
}

// Its exit status, or minus the signal that ended it.
int in_other_process(std::string_view role, const fs::path& from, const fs::path& to, int cut) {
  std::string arguments[] = {"upkeep_test", std::string(role), from.string(), to.string(),
                             std::to_string(cut)};
  char* argv[] = {arguments[0].data(), arguments[1].data(), arguments[2].data(),
                  arguments[3].data(), arguments[4].data(), nullptr};
  pid_t child = 0;
  EXPECT_EQ(::posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, argv, environ), 0);
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

class BackupTest : public SampleStoreTest {
 protected:
  CopyReport make_backup(const CopyOptions& options = {}) const {
    const Log from = open_reader();
    const Result<CopyReport> made = backup(from, copy(), options);
    EXPECT_TRUE(made.ok()) << made.error().what;
    return made.ok() ? *made : CopyReport{};
  }

  void expect_same_log(const fs::path& other) const {
    for (const Family family :
         {Family::log, Family::streams, Family::ids, Family::index, Family::schemas, Family::blobs})
      EXPECT_EQ(contents(store(), family), contents(other, family)) << static_cast<int>(family);
    auto meta = contents(store(), Family::meta), copied = contents(other, Family::meta);
    EXPECT_EQ(meta, copied);
  }
};

TEST_F(BackupTest, ACopyIsByteForByteWhatWasWritten) {
  make_runs();
  const CopyReport report = make_backup();
  EXPECT_EQ(report.before.value, 0u);
  EXPECT_EQ(report.head, open_reader().head());
  EXPECT_EQ(report.events, report.head.value);
  EXPECT_EQ(report.bodies_missing + report.bodies_damaged, 0u);
  expect_same_log(copy());
  EXPECT_EQ(verified(copy()).verdict, Verdict::whole);
  EXPECT_EQ(verified(copy()).chain, report.chain);
}

TEST_F(BackupTest, ASecondBackupCopiesOnlyWhatIsNew) {
  make_runs();
  const CopyReport first = make_backup();
  const CopyReport nothing = make_backup();
  EXPECT_EQ(nothing.pages, 0u);
  EXPECT_EQ(nothing.bodies, 0u);
  EXPECT_EQ(nothing.head, first.head);
  open(OpenMode::write);
  add_run("r4");
  const CopyReport beside_writer = make_backup();
  EXPECT_EQ(beside_writer.before, first.head);
  EXPECT_EQ(beside_writer.head, log().head());
  EXPECT_EQ(beside_writer.events, log().head().value - first.head.value);
  close();
  make_backup();
  expect_same_log(copy());
  EXPECT_EQ(verified(copy()).verdict, Verdict::whole);
}

TEST_F(BackupTest, BesideAWriterInAnotherProcessItIsAWholePrefix) {
  open();
  std::atomic<bool> over = false;
  std::thread writer([&] {
    for (int i = 0; !over; ++i) {
      schema::RunPausedT paused;
      const auto ref = log().put_blob(fmt::format("body {}", i));
      schema::RunPlannedT planned;
      planned.run_id = std::to_string(i);
      planned.plan = std::make_unique<schema::BlobRef>(ref.value());
      std::vector<NewEvent> events;
      events.push_back({std::move(planned)});
      if (!log().append("run/x", Expected::any(), std::move(events)).ok()) break;
    }
  });
  for (int round = 0; round < 4; ++round)
    EXPECT_EQ(in_other_process(backup_role, store(), copy(), 0), 0);
  over = true;
  writer.join();
  const VerifyReport report = verified(copy());
  EXPECT_EQ(report.verdict, Verdict::whole);
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_EQ(in_other_process(backup_role, store(), copy(), 0), 0);
  EXPECT_EQ(verified(copy()).head, log().head());
}

TEST_F(BackupTest, CutOffAnywhereItIsAPrefixAndGoesOn) {
  make_runs();
  const std::size_t pages = pages_of(store()).size();
  for (std::size_t cut = 1; cut <= pages; cut += 7) {
    fs::remove_all(copy());
    ASSERT_EQ(in_other_process(backup_role, store(), copy(), static_cast<int>(cut)), -SIGKILL);
    if (fs::exists(log_directory(copy()) / "CURRENT")) {
      // What is there is right, and it is known that it is not all.
      const VerifyReport report = verified(copy());
      EXPECT_EQ(report.verdict, Verdict::incomplete) << "cut at page " << cut;
      ASSERT_EQ(report.findings.size(), 1u) << "cut at page " << cut;
      EXPECT_THAT(report.findings.front().what, HasSubstr("it was cut off"));
      const auto restored = restore(copy(), directory() / fmt::format("of {}", cut));
      ASSERT_TRUE(restored.ok()) << restored.error().what;
      EXPECT_EQ(restored->unfinished, open_reader().head());
    }
    make_backup();
    expect_same_log(copy());
    EXPECT_EQ(verified(copy()).verdict, Verdict::whole);
  }
}

TEST_F(BackupTest, APreviewCountsAndWritesNothing) {
  make_runs();
  const CopyReport preview = make_backup({.preview = Preview::yes});
  EXPECT_FALSE(fs::exists(copy()));
  const CopyReport real = make_backup();
  EXPECT_EQ(preview.pages, real.pages);
  EXPECT_EQ(preview.bodies, real.bodies);
  EXPECT_EQ(preview.body_bytes, real.body_bytes);
  EXPECT_EQ(preview.chain, real.chain);
}

TEST_F(BackupTest, PlacesThatAreNoneAreRefused) {
  make_runs();
  const Log from = open_reader();
  const auto refused = [&](const fs::path& to, Errc code) {
    const auto done = backup(from, to);
    EXPECT_FALSE(done.ok()) << to;
    if (done.ok()) return;
    EXPECT_EQ(done.error().code, code) << done.error().what;
  };
  refused(store(), Errc::invalid);
  refused(store() / "inside", Errc::invalid);
  refused(directory(), Errc::invalid);
  fs::create_directory(directory() / "full");
  fs::create_directory(directory() / "full/of things");
  refused(directory() / "full", Errc::invalid);
  ASSERT_TRUE(Log::open(directory() / "other", {.mode = OpenMode::create}).ok());
  refused(directory() / "other", Errc::invalid);
  const Result<Log> other = Log::open(directory() / "other", {.mode = OpenMode::read});
  ASSERT_TRUE(backup(*other, directory() / "of other").ok());
  refused(directory() / "of other", Errc::conflict);
}

TEST_F(BackupTest, AnotherHistoryOfTheSameStoreIsRefused) {
  make_runs();
  copy_files(directory() / "twin");
  open(OpenMode::write);
  append("a", {"one"});
  close();
  make_backup();
  Result<Log> twin = Log::open(directory() / "twin", {.mode = OpenMode::write});
  ASSERT_TRUE(twin.ok());
  EXPECT_EQ(backup(*twin, copy()).error().code, Errc::conflict);  // shorter
  for (int i = 0; i < 5; ++i)
    ASSERT_TRUE(twin->append("a", Expected::any(), {text_event("other")}).ok());
  const auto done = backup(*twin, copy());
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, Errc::conflict);
  EXPECT_THAT(done.error().what, HasSubstr("two histories"));
}

TEST_F(BackupTest, NobodyWritesToABackup) {
  make_runs();
  make_backup();
  const auto opened = Log::open(copy(), {.mode = OpenMode::write});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, Errc::invalid);
  EXPECT_THAT(opened.error().what, HasSubstr("pievt restore"));
  EXPECT_TRUE(load_run(*Log::open(copy(), {.mode = OpenMode::read}), "r2").ok());
}

TEST_F(BackupTest, WhatIsMissingOrDamagedIsNamedAndTheRestIsCopied) {
  make_runs();
  tamper([](Rocks& rocks, WriteSet& set) {
    auto cursor = rocks.cursor(Family::blobs);
    cursor.seek("c");
    std::string chunk(cursor.value());
    chunk.back() = static_cast<char>(chunk.back() ^ 1);
    set.put(Family::blobs, cursor.key(), chunk);
    cursor.seek("o");
    set.remove(Family::blobs, cursor.key());
  });
  const CopyReport report = make_backup();
  EXPECT_EQ(report.bodies_missing, 1u);
  EXPECT_EQ(report.bodies_damaged, 1u);
  ASSERT_EQ(report.problems.size(), 2u);
  EXPECT_EQ(report.head, open_reader().head());
}

TEST_F(BackupTest, ADamagedPageEndsItBeforeTheDamage) {
  make_runs();
  const std::vector<PageRange> pages = pages_of(store());
  const PageRange& bad = pages[pages.size() / 2];
  tamper([&](Rocks& rocks, WriteSet& set) {
    std::string value = *rocks.get(Family::log, format::log_key(bad.last)).value();
    value[value.size() / 2] = static_cast<char>(value[value.size() / 2] ^ 1);
    set.put(Family::log, format::log_key(bad.last), value);
  });
  const Log from = open_reader();
  const auto done = backup(from, copy());
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, Errc::corrupt);
  EXPECT_THAT(done.error().what, HasSubstr(fmt::format("@{}", bad.last)));
}

class RestoreTest : public BackupTest {};

TEST_F(RestoreTest, IdsAndIdempotenceHold) {
  make_runs();
  open(OpenMode::write);
  const AppendId id = new_append_id();
  const Appended first = append("idempotent", {"once"}, {.id = id});
  close();
  make_backup();
  const fs::path to = directory() / "restored";
  RestoreOptions options;
  options.verification = Verification::yes;
  const auto done = restore(copy(), to, options);
  ASSERT_TRUE(done.ok()) << done.error().what;
  EXPECT_TRUE(done->restored);
  EXPECT_EQ(done->verified->verdict, Verdict::whole);
  EXPECT_FALSE(fs::exists(done->stage));
  expect_same_log(to);

  Result<Log> log = Log::open(to, {.mode = OpenMode::write});
  ASSERT_TRUE(log.ok()) << log.error().what;
  const auto again =
      log->append("idempotent", Expected::no_stream(), {text_event("once")}, {.id = id});
  // The expectation is part of the request: the test's helper expects anything.
  EXPECT_EQ(again.error().code, Errc::id_reused);
  const auto same = log->append("idempotent", Expected::any(), {text_event("once")}, {.id = id});
  ASSERT_TRUE(same.ok()) << same.error().what;
  EXPECT_EQ(same->outcome, AppendOutcome::already_there);
  EXPECT_EQ(same->first, first.first);
  ASSERT_TRUE(log->close().ok());
  EXPECT_EQ(verified(to).verdict, Verdict::whole);
}

// A backup has none: they follow from the events, and without them whoever asks folds them all.
TEST_F(RestoreTest, SavedStatesAreMadeAnew) {
  make_runs();
  ASSERT_TRUE(backup(open_reader(), copy()).ok());
  EXPECT_THAT(contents(copy(), Family::projections), testing::IsEmpty());
  const fs::path to = directory() / "restored";
  const auto done = restore(copy(), to, {.verification = Verification::yes});
  ASSERT_TRUE(done.ok()) << done.error().what;
  EXPECT_EQ(done->verified->verdict, Verdict::whole);
  EXPECT_EQ(contents(to, Family::projections).size(), 4u) << "three runs and their list";
  EXPECT_EQ(contents(to, Family::log), contents(store(), Family::log));
}

TEST_F(RestoreTest, NothingIsOverwritten) {
  make_runs();
  make_backup();
  EXPECT_EQ(restore(copy(), store()).error().code, Errc::invalid);
  EXPECT_EQ(restore(directory() / "nothing", directory() / "x").error().code, Errc::not_found);
  fs::create_directory(directory() / "empty");
  EXPECT_TRUE(restore(copy(), directory() / "empty").ok());
  EXPECT_EQ(restore(copy(), directory() / "empty").error().code, Errc::invalid);
}

TEST_F(RestoreTest, ADamagedBackupIsNotPublished) {
  make_runs();
  make_backup();
  Result<Rocks> rocks = Rocks::open_writer(log_directory(copy()), Rocks::Create::never);
  ASSERT_TRUE(rocks.ok());
  WriteSet set(*rocks);
  // Its checksums are right, so only unpacking it tells.
  auto cursor = std::optional(rocks->cursor(Family::blobs));
  cursor->seek("o");
  set.put(Family::blobs, cursor->key(), "not a frame");
  cursor.reset();
  ASSERT_TRUE(rocks->write(std::move(set), Durability::fsync).ok());
  ASSERT_TRUE(rocks->close().ok());
  RestoreOptions options;
  options.verification = Verification::yes;
  const auto done = restore(copy(), directory() / "restored", options);
  ASSERT_TRUE(done.ok()) << done.error().what;
  EXPECT_FALSE(done->restored);
  EXPECT_EQ(done->verified->verdict, Verdict::damaged);
  EXPECT_FALSE(fs::exists(directory() / "restored"));
}

TEST_F(RestoreTest, CutOffAnywhereItIsNotThereOrWholeAndGoesOn) {
  make_runs();
  make_backup();
  const std::size_t pages = pages_of(store()).size();
  const fs::path to = directory() / "restored";
  for (std::size_t cut = 1; cut <= pages; cut += 11) {
    ASSERT_EQ(in_other_process(restore_role, copy(), to, static_cast<int>(cut)), -SIGKILL);
    EXPECT_FALSE(fs::exists(to));
  }
  ASSERT_TRUE(restore(copy(), to).ok());
  expect_same_log(to);
}

}  // namespace
}  // namespace pievt

int main(int argc, char** argv) {
  using namespace pievt;
  if (argc == 5 && (argv[1] == backup_role || argv[1] == restore_role))
    return copy_and_die(argv[1], argv[2], argv[3], std::atoi(argv[4]));
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
