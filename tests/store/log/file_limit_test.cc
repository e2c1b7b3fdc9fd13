// A log with more files than a process may have open is opened all the same, where the machine lets
// it be; where not, it is said what to raise. In processes of their own: a limit is a process's.
#include "store/log/file_limit.h"

#include <fstream>

#include <sys/resource.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/store/log/temp_store.h"

namespace pievt {
namespace {

class FileLimit : public testing::Test {
 protected:
  void SetUp() override {
    for (int i = 0; i < files; ++i) std::ofstream(directory_.path() / fmt::format("{:06}.sst", i));
  }

  // Says on stderr what comes of it, for death tests.
  [[noreturn]] void report_with(rlim_t soft, rlim_t hard) const {
    const rlimit before{soft, hard};
    if (::setrlimit(RLIMIT_NOFILE, &before) != 0) std::abort();
    const Status made = make_room_for_files(directory_.path());
    rlimit after{};
    ::getrlimit(RLIMIT_NOFILE, &after);
    fmt::print(stderr, "{} files may be open; {}\n", after.rlim_cur,
               made.ok() ? "fine" : made.error().what);
    ::_exit(0);
  }

  static constexpr int files = 600;
  TempDirectory directory_;
};

TEST_F(FileLimit, IsRaisedAsFarAsALargeLogNeeds) {
  EXPECT_EXIT(report_with(300, 4000), testing::ExitedWithCode(0), "^1712 files may be open; fine");
  EXPECT_EXIT(report_with(300, 1000), testing::ExitedWithCode(0), "^1000 files may be open; fine");
}

TEST_F(FileLimit, IsLeftAloneWhereThereIsRoom) {
  EXPECT_EXIT(report_with(1112, 4000), testing::ExitedWithCode(0), "^1112 files may be open; fine");
  for (int i = 256; i < files; ++i)
    std::filesystem::remove(directory_.path() / fmt::format("{:06}.sst", i));
  EXPECT_EXIT(report_with(300, 4000), testing::ExitedWithCode(0), "^300 files may be open; fine");
}

TEST_F(FileLimit, ThatIsTooHardSaysWhatToRaise) {
  EXPECT_EXIT(report_with(300, 700), testing::ExitedWithCode(0),
              "^300 files may be open; the log in .* has 600 files, and this process may open 700: "
              "raise the hard limit");
  EXPECT_TRUE(make_room_for_files(directory_.path() / "nothing").ok());
}

}  // namespace
}  // namespace pievt
