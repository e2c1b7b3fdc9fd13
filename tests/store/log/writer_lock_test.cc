// One writer a store: between processes, within one, and across fork.
#include "store/log/writer_lock.h"

#include <atomic>
#include <barrier>
#include <csignal>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/store/log/roles.h"
#include "tests/store/log/writer_lock_fixture.h"

namespace pievt::test {

int hold_lock(Arguments arguments) {
  const std::chrono::milliseconds wait(std::stoi(arguments[2]));
  say("trying");
  const auto lock = WriterLock::acquire(arguments[0], this_process(arguments[1]), wait);
  say(lock.ok() ? "held" : lock.error().what);
  wait_for_end_of_input();
  return lock.ok() ? 0 : 1;
}

int hold_lock_and_fork(Arguments arguments) {
  const auto lock =
      WriterLock::acquire(arguments[0], this_process("forker"), std::chrono::milliseconds(0));
  const bool is_child = ::fork() == 0;
  if (is_child) say(lock.ok() ? "forked" : lock.error().what);
  wait_for_end_of_input();
  if (is_child) say("over");
  return 0;
}

namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::HasSubstr;

TEST_F(WriterLockTest, HoldsReleasesAndTellsItsOwner) {
  EXPECT_EQ(WriterLock::current_owner(store.path()), std::nullopt);
  {
    const auto lock = acquire();
    ASSERT_TRUE(lock.ok()) << lock.error().what;
    EXPECT_TRUE(lock->keep().ok());
    EXPECT_EQ(lock->owner().program, "tester");
    EXPECT_GT(lock->owner().acquired_wall_ns, 0);
    EXPECT_EQ(WriterLock::current_owner(store.path()), lock->owner());
  }
  EXPECT_EQ(WriterLock::current_owner(store.path()), std::nullopt);
  struct stat status {};
  ASSERT_EQ(::stat(lock_path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_TRUE(acquire().ok());
}

TEST_F(WriterLockTest, MovesWithoutLettingGo) {
  auto first = acquire();
  ASSERT_TRUE(first.ok());
  WriterLock second = std::move(*first);
  EXPECT_TRUE(second.keep().ok());
  EXPECT_EQ(acquire().error().code, Errc::busy);
  const TempDirectory elsewhere;
  auto third = WriterLock::acquire(elsewhere.path(), this_process("tester"), 0ms);
  ASSERT_TRUE(third.ok());
  {
    const WriterLock last = std::move(second);
    second = std::move(*third);
    EXPECT_TRUE(last.keep().ok());
  }
  EXPECT_TRUE(acquire().ok());
  EXPECT_TRUE(second.keep().ok());
}

TEST_F(WriterLockTest, IsBusyForThisVeryProcessAtOnce) {
  const auto lock = acquire();
  ASSERT_TRUE(lock.ok());
  const auto second = acquire(patience);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Errc::busy);
  EXPECT_THAT(second.error().what, AllOf(HasSubstr("tester"), HasSubstr("this very process")));
  EXPECT_TRUE(lock->keep().ok());
}

TEST_F(WriterLockTest, IsBusyForAnotherProcessAndNamesTheOwner) {
  const auto lock = acquire();
  ASSERT_TRUE(lock.ok());
  Actor actor = other(20ms);
  EXPECT_THAT(outcome(actor), AllOf(HasSubstr(fmt::format("tester (process {})", ::getpid())),
                                    HasSubstr(" since 20"), HasSubstr(", for ")));
}

TEST_F(WriterLockTest, SeesTheOwnerInAnotherProcess) {
  Actor actor = other();
  ASSERT_EQ(outcome(actor), "held");
  const auto owner = WriterLock::current_owner(store.path());
  ASSERT_TRUE(owner);
  EXPECT_EQ(owner->pid, actor.pid());
  EXPECT_EQ(owner->program, "another");
  EXPECT_EQ(acquire().error().code, Errc::busy);
  actor.let_go();
  EXPECT_EQ(actor.wait(), 0);
  EXPECT_EQ(WriterLock::current_owner(store.path()), std::nullopt);
}

// Closing any descriptor of LOCK in this process would drop the lock.
TEST_F(WriterLockTest, LookingAtTheOwnerDoesNotLoseTheLock) {
  const auto lock = acquire();
  ASSERT_TRUE(lock.ok());
  EXPECT_EQ(WriterLock::current_owner(store.path()), lock->owner());
  EXPECT_FALSE(acquire().ok());
  // The directory's lock alone would keep the other one out; the owner is only seen by LOCK's.
  Actor actor = other();
  EXPECT_THAT(outcome(actor), HasSubstr("tester"));
}

TEST_F(WriterLockTest, GoesWithAKilledOwner) {
  Actor actor = other();
  ASSERT_EQ(outcome(actor), "held");
  EXPECT_EQ(actor.kill(), -SIGKILL);
  const auto lock = acquire();
  ASSERT_TRUE(lock.ok()) << lock.error().what;
  EXPECT_EQ(WriterLock::current_owner(store.path())->pid, ::getpid());
}

TEST_F(WriterLockTest, IsTakenOverByWhoWaits) {
  auto lock = acquire();
  ASSERT_TRUE(lock.ok());
  Actor actor = other(patience);
  ASSERT_EQ(actor.line(), "trying");
  { const WriterLock released = std::move(*lock); }
  EXPECT_EQ(actor.line(), "held");
  EXPECT_EQ(WriterLock::current_owner(store.path())->pid, actor.pid());
}

TEST_F(WriterLockTest, HardLinksToLockDoNotMatterToItsHolder) {
  const auto lock = acquire();
  ASSERT_TRUE(lock.ok());
  const TempDirectory backup;
  std::filesystem::create_hard_link(lock_path(), backup.path() / "LOCK");
  EXPECT_TRUE(lock->keep().ok());
  // It is one file, so this process must not open it over there either.
  const auto copy = WriterLock::acquire(backup.path(), this_process("tester"), 0ms);
  ASSERT_FALSE(copy.ok());
  EXPECT_EQ(copy.error().code, Errc::busy);
  EXPECT_EQ(WriterLock::current_owner(backup.path()), lock->owner());
  Actor actor("hold_lock", {backup.path(), "another", "0"});
  EXPECT_THAT(outcome(actor), HasSubstr("tester"));
}

TEST_F(WriterLockTest, AnUnreadableRecordStillHasAPid) {
  Actor actor = other();
  ASSERT_EQ(outcome(actor), "held");
  for (const std::string& record :
       {std::string(), std::string("garbage\n"), std::string(10'000, '\0')}) {
    std::ofstream(lock_path(), std::ios::trunc) << record;
    const auto owner = WriterLock::current_owner(store.path());
    ASSERT_TRUE(owner);
    EXPECT_EQ(owner->pid, actor.pid());
    EXPECT_EQ(owner->program, "");
    EXPECT_THAT(acquire().error().what, HasSubstr(fmt::format("by process {};", actor.pid())));
  }
  EXPECT_EQ(actor.kill(), -SIGKILL);
  EXPECT_TRUE(acquire().ok());
  EXPECT_EQ(WriterLock::current_owner(store.path()), std::nullopt);
}

TEST_F(WriterLockTest, TheFormerOwnersRecordIsNotTakenForThePresentOnes) {
  Actor actor = other();
  ASSERT_EQ(outcome(actor), "held");
  Owner former = this_process("former");
  std::ofstream(lock_path(), std::ios::trunc) << to_record(former);
  const auto owner = WriterLock::current_owner(store.path());
  ASSERT_TRUE(owner);
  EXPECT_EQ(owner->pid, actor.pid());
  EXPECT_EQ(owner->program, "");
  // The pids of another namespace mean nothing here; then the record is all there is.
  former.pid_namespace += 1;
  std::ofstream(lock_path(), std::ios::trunc) << to_record(former);
  EXPECT_EQ(WriterLock::current_owner(store.path()), former);
}

TEST_F(WriterLockTest, SaysWhenSomebodyElseLockedTheDirectory) {
  const Fd directory(::open(store.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(::flock(directory.get(), LOCK_EX | LOCK_NB), 0);
  EXPECT_EQ(acquire().error().code, Errc::busy);
  ASSERT_EQ(::flock(directory.get(), LOCK_UN), 0);
  EXPECT_TRUE(acquire().ok());
}

TEST_F(WriterLockTest, RefusesWhatIsNoStoreAndNoLockFile) {
  const auto nowhere = WriterLock::acquire(store.path() / "nowhere", this_process("tester"), 0ms);
  EXPECT_EQ(nowhere.error().code, Errc::not_found);
  EXPECT_EQ(WriterLock::current_owner(store.path() / "nowhere"), std::nullopt);
  std::filesystem::create_directory(lock_path());
  EXPECT_EQ(acquire().error().code, Errc::io);
  std::filesystem::remove(lock_path());
  std::filesystem::create_symlink("/dev/null", lock_path());
  EXPECT_EQ(acquire().error().code, Errc::io);
  std::filesystem::remove(lock_path());
  ASSERT_EQ(::mkfifo(lock_path().c_str(), 0600), 0);
  EXPECT_EQ(acquire().error().code, Errc::io);
  std::filesystem::remove(lock_path());
  EXPECT_TRUE(acquire().ok());
}

TEST_F(WriterLockTest, NoDescriptorOfItSurvivesExec) {
  const auto lock = acquire();
  ASSERT_TRUE(lock.ok());
  int seen = 0;
  for (int fd = 3; fd < 200; ++fd) {
    std::error_code error;
    const auto target = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), error);
    if (error || !target.string().starts_with(store.path().string())) continue;
    ++seen;
    EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0) << target;
  }
  EXPECT_EQ(seen, 3);  // the directory, LOCK, and Boost's own LOCK
}

TEST_F(WriterLockTest, OfManyThreadsOneGetsIt) {
  constexpr int threads = 8;
  for (int round = 0; round < 5; ++round) {
    std::barrier together(threads);
    std::atomic<int> holders = 0;
    std::vector<std::thread> all;
    for (int i = 0; i < threads; ++i) {
      all.emplace_back([&] {
        together.arrive_and_wait();
        const auto lock = acquire();
        if (lock.ok()) ++holders;
        EXPECT_TRUE(WriterLock::current_owner(store.path()));
        together.arrive_and_wait();
      });
    }
    for (std::thread& thread : all) thread.join();
    EXPECT_EQ(holders, 1);
  }
}

// What a forked child finds, as bits of its exit status.
enum Finding : int { not_fenced = 1, wrong_owner = 2, not_busy = 4 };

int look_from_child(const WriterLock& lock, const std::filesystem::path& store) {
  int findings = 0;
  const Status status = lock.keep();
  if (status.ok() || status.error().code != Errc::fenced) findings |= not_fenced;
  const auto owner = WriterLock::current_owner(store);
  if (!owner || owner->pid != ::getppid()) findings |= wrong_owner;
  const auto own = WriterLock::acquire(store, this_process("child"), 0ms);
  if (own.ok() || own.error().code != Errc::busy) findings |= not_busy;
  return findings;
}

TEST_F(WriterLockTest, AForkedChildDoesNotHaveIt) {
  auto lock = acquire();
  ASSERT_TRUE(lock.ok());
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const int findings = look_from_child(*lock, store.path());
    { const WriterLock destroyed = std::move(*lock); }
    ::_exit(findings);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  // And the child's end took nothing away.
  EXPECT_TRUE(lock->keep().ok());
  Actor actor = other();
  EXPECT_THAT(outcome(actor), HasSubstr("tester"));
}

TEST_F(WriterLockTest, AForkedChildThatOutlivesAKilledOwnerDoesNotKeepIt) {
  Actor actor("hold_lock_and_fork", {store.path()});
  ASSERT_EQ(actor.line(), "forked");
  EXPECT_EQ(acquire().error().code, Errc::busy);
  EXPECT_EQ(actor.kill(), -SIGKILL);
  const auto lock = acquire();
  EXPECT_TRUE(lock.ok()) << lock.error().what;
  // Only now does the child end, with its input.
  actor.let_go();
  EXPECT_EQ(actor.line(), "over");
}

TEST_F(WriterLockTest, AChildForkedAtTheMomentOfReleaseDoesNotKeepIt) {
  for (int round = 0; round < 20; ++round) {
    auto lock = acquire();
    ASSERT_TRUE(lock.ok()) << "round " << round << ": " << lock.error().what;
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) ::_exit(0);
    { const WriterLock released = std::move(*lock); }
    EXPECT_TRUE(acquire().ok()) << "round " << round;
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  }
}

}  // namespace
}  // namespace pievt::test
