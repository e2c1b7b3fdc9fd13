// What the kernel tells of real processes that write, and what it does not. Where it may not be
// asked (CAP_SYS_ADMIN), nothing is tested but that.
#include "supervisor/process/write_watch.h"

#include <algorithm>
#include <fstream>
#include <set>

#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "supervisor/process/limits.h"
#include "supervisor/process/marker_cache.h"
#include "supervisor/process/proc_files.h"
#include "supervisor/process/sweep.h"
#include "tests/supervisor/process/testing.h"

namespace pievt::process::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSubsetOf;
using ::testing::UnorderedElementsAre;

class Watched : public ProcessTest {
 protected:
  void SetUp() override {
    auto made = WriteWatch::create();
    if (!made.ok()) GTEST_SKIP() << made.error().what;
    watch_.emplace(std::move(*made));
    const Status watched = watch_->watch(path("").parent_path().string());
    if (!watched.ok()) GTEST_SKIP() << watched.error().what;
    if (!identify_file(make("x"))) GTEST_SKIP() << "no times of birth are kept here";
  }

  std::string make(std::string_view name) {
    write_file(path(name), "x");
    return path(name).string();
  }

  /// A shell that bears `attempt` and does `what` when it is told to; until its input ends it
  /// lives.
  Child shell(const std::string& attempt, const std::string& what) const {
    Pipe input = make_pipe(), output = make_pipe();
    SpawnRequest wanted = request({});
    wanted.argv = {"/bin/sh", "-c",
                   "echo ready; read go; " + what + "; echo written; read end; exit 0"};
    wanted.environment = {{"PATH", "/usr/bin:/bin"}};
    if (!attempt.empty()) wanted.environment.push_back({std::string(marker_name), attempt});
    wanted.input = BorrowedFd{input.reader.get()};
    wanted.output = BorrowedFd{output.writer.get()};
    Result<Spawned> spawned = spawn(wanted);
    if (!spawned.ok()) throw std::runtime_error(spawned.error().what);
    Child child{std::move(spawned->process), std::move(input.writer), std::move(output.reader)};
    EXPECT_EQ(read_line(child.output.get()), "ready");
    return child;
  }

  static void go(const Child& child) { EXPECT_EQ(::write(child.input.get(), "go\n", 3), 3); }

  static void let_write(const Child& child) {
    go(child);
    EXPECT_EQ(read_line(child.output.get()), "written");
  }

  static void let_end(Child& child) {
    child.input.reset();
    EXPECT_EQ(end_of(child.process).exit_code, 0);
  }

  /// All that is to be told by now.
  std::vector<SeenWrite> told() {
    std::vector<SeenWrite> all;
    for (;;) {
      const auto seen = watch_->read();
      EXPECT_TRUE(seen.ok());
      missed_ = missed_ || seen->missed;
      all.insert(all.end(), seen->writes.begin(), seen->writes.end());
      if (!seen->more) return all;
    }
  }

  /// "attempt name", each once.
  static std::set<std::string> rows(const std::vector<SeenWrite>& writes) {
    std::set<std::string> out;
    for (const SeenWrite& write : writes)
      out.insert(write.attempt + " " + std::filesystem::path(write.path).filename().string());
    return out;
  }

  std::optional<WriteWatch> watch_;
  bool missed_ = false;
};

TEST_F(Watched, TwoAtOnceInOneDirectoryAreToldApart) {
  Child a = shell("a/1/1", "for i in 1 2 3; do echo x > a$i; done");
  Child b = shell("b/2/1", "for i in 1 2 3; do echo x > b$i; done; echo y >> x");
  make("x");
  told();
  go(a);
  go(b);
  EXPECT_EQ(read_line(a.output.get()), "written");
  EXPECT_EQ(read_line(b.output.get()), "written");
  const auto writes = told();
  EXPECT_THAT(rows(writes), UnorderedElementsAre("a/1/1 a1", "a/1/1 a2", "a/1/1 a3", "b/2/1 b1",
                                                 "b/2/1 b2", "b/2/1 b3", "b/2/1 x"));
  for (const SeenWrite& write : writes) {
    EXPECT_EQ(write.program, "sh");
    EXPECT_EQ(write.pid, (write.attempt == "a/1/1" ? a : b).process.id().pid);
    EXPECT_EQ(identify_file(write.path), write.file);
  }
  EXPECT_FALSE(missed_);
  let_end(a);
  let_end(b);
}

TEST_F(Watched, WhatAProcessWroteBeforeItsEndIsStillItsOwn) {
  Child a = shell("a/1/1", "echo x > first");
  let_write(a);
  EXPECT_THAT(rows(told()), ElementsAre("a/1/1 first"));
  Child b = shell("b/1/1", "echo x > early; echo written; read on; echo x > late");
  let_write(b);
  EXPECT_THAT(rows(told()), ElementsAre("b/1/1 early"));
  go(b);
  EXPECT_EQ(read_line(b.output.get()), "written");
  let_end(b);
  EXPECT_THAT(rows(told()), ElementsAre("b/1/1 late")) << "it was looked at while it lived";
  let_end(a);
}

TEST_F(Watched, OfAProcessThatIsGoneNothingIsKnown) {
  Child a = shell("a/1/1", "echo x > gone");
  let_write(a);
  let_end(a);
  EXPECT_THAT(rows(told()), ElementsAre(" gone"));
}

TEST_F(Watched, AZombieBelongsToWhereItsParentDoes) {
  // The first shell's child ends and is not waited for while its parent reads on.
  Child a = shell("a/1/1", "(echo x > of-a-child) & read on");
  go(a);
  ASSERT_TRUE(wait_readable(watch_->fd()));
  std::set<std::string> seen;
  while (!seen.contains("a/1/1 of-a-child") && wait_readable(watch_->fd())) {
    for (const std::string& row : rows(told())) seen.insert(row);
  }
  EXPECT_THAT(seen, ElementsAre("a/1/1 of-a-child"));
  go(a);
  EXPECT_EQ(read_line(a.output.get()), "written");
  let_end(a);
}

TEST_F(Watched, AFileKeepsItsIdentityWhereverItIsMoved) {
  Child a = shell("a/1/1", "echo x > draft; mv draft final");
  let_write(a);
  const auto writes = told();
  ASSERT_FALSE(writes.empty());
  EXPECT_EQ(writes.front().file, identify_file(path("final").string()));
  // Another file of the same name, perhaps of the same number; the clock of births ticks 250 times
  // a second.
  const Moment deadline = patience();
  do {
    std::filesystem::remove(path("final"));
    make("final");
  } while (writes.front().file == identify_file(path("final").string()) && Clock::now() < deadline);
  EXPECT_NE(writes.front().file, identify_file(path("final").string()));
  let_end(a);
}

TEST_F(Watched, OthersAndWeOurselvesAreNoNews) {
  Child stranger = shell("", "echo x > theirs");
  let_write(stranger);
  make("ours");
  EXPECT_THAT(told(), IsEmpty());
  let_end(stranger);
}

TEST_F(Watched, WhereNobodyLooksNothingIsTold) {
  std::filesystem::create_directories(path("store/deep"));
  watch_->except(path("store").string());
  Child a = shell("a/1/1",
                  "echo x > store/deep/y; echo x > storey; echo x > ../elsewhere-$$; "
                  "rm ../elsewhere-$$");
  let_write(a);
  EXPECT_THAT(rows(told()), ElementsAre("a/1/1 storey"));
  watch_->clear();
  let_end(a);
  Child b = shell("b/1/1", "echo x > later");
  let_write(b);
  EXPECT_THAT(told(), IsEmpty());
  let_end(b);
}

// One that writes byte by byte is told of at once and at its end, and not a thousand times between.
TEST_F(Watched, AFileThatIsKeptOpenIsMuted) {
  Child a = shell("a/1/1",
                  "exec 5> log; echo 0 >&5; echo written; read on; i=0; "
                  "while [ $i -lt 1000 ]; do echo $i >&5; i=$((i+1)); done; "
                  "echo written; read on; exec 5>&-");
  let_write(a);
  EXPECT_THAT(rows(told()), ElementsAre("a/1/1 log"));
  let_write(a);
  EXPECT_THAT(told(), IsEmpty());
  let_write(a);
  EXPECT_THAT(rows(told()), ElementsAre("a/1/1 log"));
  Child b = shell("b/1/1", "exec 5>> log; echo x >&5; echo written; read on");
  let_write(b);
  EXPECT_THAT(rows(told()), ElementsAre("b/1/1 log")) << "its writes are heard again";
  go(b);
  EXPECT_EQ(read_line(b.output.get()), "written");
  let_end(a);
  let_end(b);
}

TEST_F(Watched, MoreThanTheKernelKeepsIsToldAsMissed) {
  const Result<std::string> text = read_proc_text("/proc/sys/fs/fanotify/max_queued_events");
  ASSERT_TRUE(text.ok());
  const unsigned long kept = std::strtoul(text->c_str(), nullptr, 10);
  if (kept > 40'000) GTEST_SKIP() << "the kernel keeps " << kept << " events";
  Child a = shell("a/1/1", fmt::format("mkdir many; i=0; while [ $i -lt {} ]; do : > many/$i; "
                                       "i=$((i+1)); done",
                                       kept + 10));
  let_write(a);
  const auto writes = told();
  EXPECT_TRUE(missed_);
  EXPECT_GT(writes.size(), kept / 2);
  EXPECT_LE(writes.size(), kept);
  missed_ = false;
  EXPECT_THAT(told(), IsEmpty());
  EXPECT_FALSE(missed_);
  let_end(a);
}

TEST(WriteWatch, WithoutTheRightThereIsNone) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::setresuid(65534, 65534, 65534) != 0 && ::getuid() == 0) std::_Exit(2);
    const auto made = WriteWatch::create();
    std::_Exit(!made.ok() && made.error().code == Errc::unsupported ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

using Cached = ProcessTest;

TEST_F(Cached, AProcessIsRememberedForAMomentAfterItsEnd) {
  Child child = start_ready({"wait"});
  const pid_t pid = child.process.id().pid;
  MarkerCache cache;
  const Moment now = Clock::now();
  const auto* seen = cache.find(pid, now);
  ASSERT_NE(seen, nullptr);
  EXPECT_EQ(seen->attempt, marker());
  EXPECT_EQ(seen->program, std::filesystem::path(PIEVT_CHILD_PROGRAM).filename());
  ASSERT_TRUE(child.process.signal(SIGKILL).ok());
  end_of(child.process);
  ASSERT_NE(cache.find(pid, now + limits::pid_trust_ms / 2), nullptr);
  EXPECT_EQ(cache.find(pid, now + limits::pid_trust_ms), nullptr);
  EXPECT_EQ(cache.size(), 0u);
}

TEST_F(Cached, WhoBearsNoneIsKnownToo) {
  MarkerCache cache;
  const auto* self = cache.find(::getpid(), Clock::now());
  ASSERT_NE(self, nullptr);
  EXPECT_EQ(self->attempt, "");
  EXPECT_EQ(cache.find(2'000'000'000, Clock::now()), nullptr);
}

TEST_F(Cached, AVariableIsItsWholeName) {
  SpawnRequest wanted = request({"wait"});
  Pipe output = make_pipe();
  wanted.environment = {{"XPIEVT_ATTEMPT", "a"},
                        {"PIEVT_ATTEMPT_2", "b"},
                        {"EMPTY", ""},
                        {"PIEVT_ATTEMPT", "the=one"},
                        {"PIEVT_ATTEMPTED", marker()}};
  wanted.output = BorrowedFd{output.writer.get()};
  Result<Spawned> spawned = spawn(wanted);
  ASSERT_TRUE(spawned.ok()) << spawned.error().what;
  EXPECT_EQ(read_line(output.reader.get()), "ready");
  const pid_t pid = spawned->process.id().pid;
  EXPECT_EQ(environment_value(pid, "PIEVT_ATTEMPT"), "the=one");
  EXPECT_EQ(environment_value(pid, "EMPTY"), "");
  EXPECT_EQ(environment_value(pid, "PIEVT"), "");
  ASSERT_TRUE(spawned->process.signal(SIGKILL).ok());
  ASSERT_TRUE(spawned->process.wait_for_end(patience()));
  EXPECT_EQ(environment_value(pid, "PIEVT_ATTEMPT"), std::nullopt) << "a zombie has none";
  end_of(spawned->process);
}

}  // namespace
}  // namespace pievt::process::testing
