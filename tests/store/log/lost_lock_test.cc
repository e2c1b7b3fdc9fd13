// LOCK meddled with while it is held: deleted, replaced, or taken away with the store.
#include <csignal>
#include <functional>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/store/log/writer_lock_fixture.h"

namespace pievt::test {

int lock_a_file(Arguments arguments) {
  const Fd file(::open(arguments[0].c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  struct flock whole {};
  whole.l_type = F_WRLCK;
  say(::fcntl(file.get(), F_SETLK, &whole) == 0 ? "locked" : "busy");
  wait_for_end_of_input();
  return 0;
}

namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

using LostLockTest = WriterLockTest;

TEST_F(LostLockTest, IsTakenAgainWhenLockIsDeletedOrReplaced) {
  auto lock = acquire();
  ASSERT_TRUE(lock.ok());
  const auto moved = store.path() / "moved";
  const std::vector<std::function<void()>> meddlings = {
      [&] { std::filesystem::remove(lock_path()); }, [&] { replace_lock(); },
      [&] { std::filesystem::rename(lock_path(), moved); },
      [&] { std::filesystem::rename(moved, lock_path()); }};
  for (const auto& meddle : meddlings) {
    meddle();
    ASSERT_TRUE(lock->keep().ok()) << lock->keep().error().what;
    EXPECT_EQ(WriterLock::current_owner(store.path()), lock->owner());
    // Others are told by LOCK who has it, as before.
    Actor actor = other();
    EXPECT_THAT(outcome(actor), HasSubstr(fmt::format("tester (process {})", ::getpid())));
  }
  { const WriterLock released = std::move(*lock); }
  Actor actor = other();
  EXPECT_EQ(outcome(actor), "held");
}

TEST_F(LostLockTest, WritesNothingWhileAnotherProgramHasTheNewLock) {
  auto lock = acquire();
  ASSERT_TRUE(lock.ok());
  std::filesystem::remove(lock_path());
  std::filesystem::create_directory(lock_path());
  EXPECT_EQ(lock->keep().error().code, Errc::io);
  std::filesystem::remove(lock_path());
  // Not one of ours, which would have been kept out by the directory's lock.
  Actor actor("lock_a_file", {lock_path().string()});
  ASSERT_EQ(actor.line(), "locked");
  EXPECT_EQ(lock->keep().error().code, Errc::fenced);
  actor.let_go();
  ASSERT_EQ(actor.wait(), 0);
  EXPECT_TRUE(lock->keep().ok());
  EXPECT_EQ(WriterLock::current_owner(store.path()), lock->owner());
}

TEST_F(LostLockTest, IsFencedWhileTheStoreIsTakenAway) {
  const auto home = store.path() / "home", elsewhere = store.path() / "elsewhere";
  std::filesystem::create_directory(home);
  auto lock = WriterLock::acquire(home, this_process("tester"), 0ms);
  ASSERT_TRUE(lock.ok());
  std::filesystem::rename(home, elsewhere);
  EXPECT_EQ(lock->keep().error().code, Errc::fenced);
  std::filesystem::create_directory(home);  // another store in its place
  EXPECT_EQ(lock->keep().error().code, Errc::fenced);
  EXPECT_FALSE(std::filesystem::exists(home / "LOCK"));
  std::filesystem::remove(home);
  std::filesystem::rename(elsewhere, home);
  EXPECT_TRUE(lock->keep().ok());
  std::filesystem::remove_all(home);
  EXPECT_EQ(lock->keep().error().code, Errc::fenced);
}

TEST_F(LostLockTest, TheDirectoryKeepsASecondWriterOutWhenLockWasReplaced) {
  Actor actor = other();
  ASSERT_EQ(outcome(actor), "held");
  for (const bool deleted : {true, false}) {
    if (deleted) std::filesystem::remove(lock_path());
    if (!deleted) replace_lock();
    const auto lock = acquire(10ms);
    ASSERT_FALSE(lock.ok());
    EXPECT_EQ(lock.error().code, Errc::busy);
    EXPECT_THAT(lock.error().what, HasSubstr(fmt::format("by process {}", actor.pid())));
  }
  EXPECT_EQ(actor.kill(), -SIGKILL);
  EXPECT_TRUE(acquire().ok());
}

}  // namespace
}  // namespace pievt::test
