// The private directory shares what pi writes through and keeps apart what it must not.
#include "supervisor/launch/agent_dir.h"

#include <filesystem>

#include <gmock/gmock.h>

#include "tests/supervisor/launch/testing.h"

namespace pievt::launch {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::mode_of;
using testing::read_file;
using ::testing::SizeIs;
using testing::write_file;

class PrepareAgentDir : public ::testing::Test {
 protected:
  Result<AgentDirReport> prepare() { return prepare_agent_dir({own(), user(), {1, 5, 2}}); }
  fs::path own() const { return dir_ / "own"; }
  fs::path user() const { return dir_ / "home" / ".pi" / "agent"; }

  testing::TempDir dir_;
};

TEST_F(PrepareAgentDir, LinksToTheUsersFiles) {
  write_file(user() / "auth.json", R"({"a":1})");
  write_file(user() / "models.json", "{}");
  write_file(user() / "settings.json", R"({"theme":"dark","packages":["npm:x"]})");
  write_file(user() / "bin" / "rg", "");
  const auto report = prepare();
  ASSERT_TRUE(report.ok()) << report.error().what;
  EXPECT_THAT(report->warnings, IsEmpty());
  EXPECT_THAT(report->dropped, ElementsAre("packages"));
  EXPECT_EQ(mode_of(own()), 0700u);
  for (const char* name : {"auth.json", "models.json", "bin"})
    EXPECT_EQ(fs::read_symlink(own() / name), user() / name);
  EXPECT_FALSE(fs::is_symlink(own() / "settings.json"));
  EXPECT_EQ(mode_of(own() / "settings.json"), 0600u);
  EXPECT_THAT(read_file(own() / "settings.json"), HasSubstr("\"theme\": \"dark\""));

  write_file(own() / "auth.json", R"({"a":2})");
  EXPECT_EQ(read_file(user() / "auth.json"), R"({"a":2})") << "a refreshed token is the user's";
}

TEST_F(PrepareAgentDir, MakesWhatIsMissingOnTheUsersSide) {
  const auto report = prepare();
  ASSERT_TRUE(report.ok()) << report.error().what;
  EXPECT_EQ(read_file(user() / "auth.json"), "{}");
  EXPECT_EQ(mode_of(user() / "auth.json"), 0600u);
  EXPECT_EQ(mode_of(user()), 0700u);
  EXPECT_TRUE(fs::is_directory(own() / "bin"));
  EXPECT_FALSE(fs::exists(fs::symlink_status(own() / "models.json")));
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(user())) names.push_back(entry.path().filename());
  EXPECT_THAT(names, ::testing::UnorderedElementsAre("auth.json", "bin")) << "no temporary files";
}

TEST_F(PrepareAgentDir, LinksPastTheUsersOwnLinks) {
  const auto real = write_file(dir_ / "dotfiles/auth.json", "{}");
  fs::create_directories(user());
  fs::create_symlink(real, user() / "auth.json");
  ASSERT_TRUE(prepare().ok());
  EXPECT_EQ(fs::read_symlink(own() / "auth.json"), real);
}

TEST_F(PrepareAgentDir, ABrokenSettingsFileIsAWarning) {
  write_file(user() / "settings.json", "{ nonsense");
  const auto broken = prepare();
  ASSERT_TRUE(broken.ok());
  EXPECT_THAT(broken->warnings, ElementsAre(HasSubstr("pi's defaults are used")));
  EXPECT_THAT(read_file(own() / "settings.json"), HasSubstr("\"enableInstallTelemetry\": false"));
}

TEST_F(PrepareAgentDir, APipeForSettingsIsAWarningAndNoWait) {
  fs::create_directories(user());
  ASSERT_EQ(::mkfifo((user() / "settings.json").c_str(), 0600), 0);
  const auto report = prepare();
  ASSERT_TRUE(report.ok());
  EXPECT_THAT(report->warnings, ElementsAre(HasSubstr("is not a plain file")));
}

TEST_F(PrepareAgentDir, ADanglingModelsFileIsAWarningADanglingAuthFileAnError) {
  fs::create_directories(user());
  fs::create_symlink(dir_ / "nowhere", user() / "models.json");
  const auto report = prepare();
  ASSERT_TRUE(report.ok());
  EXPECT_THAT(report->warnings, SizeIs(1));
  fs::remove_all(own());
  fs::remove(user() / "auth.json");
  fs::create_symlink(dir_ / "nowhere", user() / "auth.json");
  const auto refused = prepare();
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::invalid);
  EXPECT_THAT(refused.error().what, HasSubstr("leads nowhere"));
}

TEST_F(PrepareAgentDir, NeedsAPlaceOfItsOwn) {
  ASSERT_TRUE(prepare().ok());
  EXPECT_EQ(prepare().error().code, Errc::conflict);

  fs::remove_all(own());
  fs::create_directory(dir_ / "elsewhere");
  fs::create_directory_symlink(dir_ / "elsewhere", own());
  EXPECT_EQ(prepare().error().code, Errc::invalid);
  EXPECT_TRUE(fs::is_empty(dir_ / "elsewhere"));
  EXPECT_EQ(prepare_agent_dir({"own", user(), {1, 5, 2}}).error().code, Errc::invalid);
  EXPECT_EQ(prepare_agent_dir({own(), "user", {1, 5, 2}}).error().code, Errc::invalid);
}

TEST_F(PrepareAgentDir, TakesADirectoryThatWaitsEmptyAndMakesItPrivate) {
  fs::create_directory(own());
  ASSERT_EQ(::chmod(own().c_str(), 0755), 0);
  ASSERT_TRUE(prepare().ok());
  EXPECT_EQ(mode_of(own()), 0700u);
}

}  // namespace
}  // namespace pievt::launch
