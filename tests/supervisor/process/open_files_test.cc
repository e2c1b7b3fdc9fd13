// The limit of open files, ours and that of children; and what is left of the disk.
#include "supervisor/process/open_files.h"

#include <cstdint>
#include <memory>

#include <fcntl.h>
#include <sys/resource.h>

#include <gmock/gmock.h>

#include "supervisor/process/free_space.h"
#include "supervisor/process/limits.h"
#include "tests/supervisor/process/testing.h"

namespace pievt::process::testing {
namespace {

using ::testing::ElementsAre;

rlimit file_limit() {
  rlimit limit{};
  EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  return limit;
}

/// Sets the soft limit, and back at the end.
class OpenFilesTest : public ProcessTest {
 protected:
  OpenFilesTest() : before_(file_limit()) {}
  ~OpenFilesTest() override { EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before_), 0); }

  void set_soft_limit(rlim_t files) const {
    const rlimit wanted{files, before_.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &wanted), 0);
  }
  rlim_t hard_limit() const { return before_.rlim_max; }

 private:
  rlimit before_;
};

TEST_F(OpenFilesTest, TheLimitIsRaisedForUsAndAsItWasForChildren) {
  set_soft_limit(200);
  {
    const RaisedFileLimit raised = RaisedFileLimit::raise().value();
    EXPECT_EQ(raised.original(), 200u);
    EXPECT_EQ(file_limit().rlim_cur, hard_limit());
    SpawnRequest wanted = request({"report"});
    wanted.output = OutputFile{path("report")};
    wanted.open_files_max = raised.original();
    Process child = spawn(wanted).value().process;
    EXPECT_EQ(end_of(child).exit_code, 0);
    EXPECT_THAT(lines_with(read_file(path("report")), "open files "), ElementsAre("200"));
    EXPECT_EQ(file_limit().rlim_cur, hard_limit());
  }
  EXPECT_EQ(file_limit().rlim_cur, 200u);
}

TEST_F(OpenFilesTest, AMovedLimitIsGivenBackOnce) {
  set_soft_limit(200);
  auto raised = std::make_unique<RaisedFileLimit>(RaisedFileLimit::raise().value());
  auto moved = std::make_unique<RaisedFileLimit>(std::move(*raised));
  raised.reset();
  EXPECT_EQ(file_limit().rlim_cur, hard_limit());
  moved.reset();
  EXPECT_EQ(file_limit().rlim_cur, 200u);
}

TEST_F(OpenFilesTest, WhatIsKeptHighLeavesLowNumbersFree) {
  if (hard_limit() < 1024) GTEST_SKIP() << "the hard limit of open files is " << hard_limit();
  set_soft_limit(1024);
  write_file(path("file"), "content");
  const Fd high = kept_high(Fd(::open(path("file").c_str(), O_RDONLY | O_CLOEXEC)));
  EXPECT_GE(high.get(), limits::high_fd_min);
  EXPECT_EQ(::fcntl(high.get(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(read_to_end(high.get()), "content");

  set_soft_limit(limits::high_fd_min);
  const Fd low = kept_high(Fd(::open(path("file").c_str(), O_RDONLY | O_CLOEXEC)));
  EXPECT_LT(low.get(), limits::high_fd_min) << "there is no room above";
  EXPECT_EQ(read_to_end(low.get()), "content");
  EXPECT_EQ(read_to_end(high.get()), "") << "a lower limit closes nothing";
}

TEST_F(OpenFilesTest, FreeSpaceIsToldWhereThereIsADirectory) {
  write_file(path("file"), "content");
  EXPECT_GT(free_bytes(path("")).value(), 0u);
  EXPECT_EQ(free_bytes(path("absent")).error().code, Errc::not_found);
  EXPECT_EQ(free_bytes("/proc").value(), UINT64_MAX) << "it does not count";
}

}  // namespace
}  // namespace pievt::process::testing
