// Where the user's directory is, and which locks in it are rubbish.
#include "supervisor/launch/user_agent.h"

#include <array>
#include <ctime>
#include <filesystem>

#include <fcntl.h>
#include <sys/stat.h>

#include <gmock/gmock.h>

#include "tests/supervisor/launch/testing.h"

namespace pievt::launch {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST(UserAgentDir, IsFoundAsPiFindsIt) {
  const struct {
    std::vector<process::Variable> environment;
    std::string path;
  } cases[] = {
      {{{"HOME", "/h"}}, "/h/.pi/agent"},
      {{{"HOME", "/h"}, {"PI_CODING_AGENT_DIR", "/x/y"}}, "/x/y"},
      {{{"HOME", "/h"}, {"PI_CODING_AGENT_DIR", ""}}, "/h/.pi/agent"},
      {{{"HOME", "/h"}, {"PI_CODING_AGENT_DIR", "~/z"}}, "/h/z"},
      {{{"PI_CODING_AGENT_DIR", "/x/../y"}}, "/y"},
  };
  for (const auto& each : cases) {
    const auto found = user_agent_dir(each.environment);
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(*found, each.path);
  }
  const auto from_database = user_agent_dir({});
  ASSERT_TRUE(from_database.ok());
  EXPECT_EQ(from_database->filename(), "agent");
}

TEST(UserAgentDir, IsNeverRelative) {
  EXPECT_EQ(user_agent_dir({{"PI_CODING_AGENT_DIR", "x"}}).error().code, Errc::invalid);
  EXPECT_EQ(user_agent_dir({{"HOME", "h"}}).error().code, Errc::invalid);
}

TEST(ReadUserFile, TakesPlainFilesOfReasonableSize) {
  const testing::TempDir dir;
  const auto file = testing::write_file(dir / "a", "text");
  fs::create_symlink(file, dir / "link");
  EXPECT_EQ(*read_user_file(dir / "link"), "text");
  EXPECT_EQ(read_user_file(dir / "none").error().code, Errc::not_found);
  EXPECT_EQ(read_user_file(dir.path()).error().code, Errc::invalid);
  testing::write_file(dir / "large", std::string(5u << 20, 'x'));
  EXPECT_EQ(read_user_file(dir / "large").error().code, Errc::invalid);
}

fs::path make_lock(const fs::path& path, std::time_t age_s) {
  fs::create_directories(path);
  const std::time_t then = std::time(nullptr) - age_s;
  const std::array<timespec, 2> times{timespec{then, 0}, timespec{then, 0}};
  EXPECT_EQ(::utimensat(AT_FDCWD, path.c_str(), times.data(), 0), 0);
  return path;
}

TEST(CleanStaleLocks, RemovesOnlyWhatNobodyHolds) {
  const testing::TempDir dir;
  testing::write_file(dir / "auth.json", "{}");
  const auto lock = make_lock(dir / "auth.json.lock", 45);
  EXPECT_THAT(*clean_stale_locks(dir.path()), IsEmpty());
  EXPECT_TRUE(fs::exists(lock)) << "pi may hold a lock it renewed so long ago";
  make_lock(lock, -3600);
  EXPECT_THAT(*clean_stale_locks(dir.path()), IsEmpty()) << "a clock that was set back";
  make_lock(lock, 120);
  EXPECT_THAT(*clean_stale_locks(dir.path()), ElementsAre(lock));
  EXPECT_FALSE(fs::exists(lock));
  EXPECT_THAT(*clean_stale_locks(dir.path()), IsEmpty());
}

TEST(CleanStaleLocks, LeavesWhatIsNoLock) {
  const testing::TempDir dir;
  const auto lock = dir / "auth.json.lock";
  testing::write_file(lock / "inside", "x");
  make_lock(lock, 1000);
  EXPECT_THAT(*clean_stale_locks(dir.path()), IsEmpty());
  EXPECT_TRUE(fs::exists(lock / "inside"));
  fs::remove_all(lock);
  make_lock(dir / "other", 1000);
  fs::create_directory_symlink(dir / "other", lock);
  EXPECT_THAT(*clean_stale_locks(dir.path()), IsEmpty());
  EXPECT_TRUE(fs::exists(dir / "other"));
  EXPECT_THAT(*clean_stale_locks(dir / "missing"), IsEmpty());
}

TEST(CleanStaleLocks, LooksBesideTheRealFileToo) {
  const testing::TempDir dir;
  const auto real = testing::write_file(dir / "real/auth.json", "{}");
  fs::create_directory(dir / "user");
  fs::create_symlink(real, dir / "user/auth.json");
  const auto one = make_lock(dir / "real/auth.json.lock", 100);
  const auto two = make_lock(dir / "user/auth.json.lock", 100);
  EXPECT_THAT(*clean_stale_locks(dir / "user"), UnorderedElementsAre(one, two));
}

}  // namespace
}  // namespace pievt::launch
