// The live directory of an attempt: its layout, and that nothing leads out of it.
#include "supervisor/launch/attempt_files.h"

#include <filesystem>
#include <thread>

#include <gmock/gmock.h>

#include "tests/supervisor/launch/testing.h"

namespace pievt::launch {
namespace {

namespace fs = std::filesystem;
using testing::mode_of;
using testing::read_file;

TEST(PathComponent, IsTheIdOrAHash) {
  const std::string longest(100, 'a');
  for (const std::string& id : {std::string("a"), std::string("Job-1.2_x"), longest})
    EXPECT_EQ(path_component(id), id);
  for (const std::string& id :
       {std::string(), std::string("."), std::string(".."), std::string("a/b"), std::string("-x"),
        std::string("a b"), std::string("a\0b", 3), longest + "a", std::string("\xc3\xa4")}) {
    const std::string made = path_component(id);
    EXPECT_EQ(made.size(), 65u);
    EXPECT_EQ(made.find('/'), std::string::npos);
    EXPECT_NE(path_component(made), made) << "no id can take the place of another's hash";
  }
  EXPECT_EQ(path_component(""),
            "~e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

class AttemptFilesTest : public ::testing::Test {
 protected:
  const AttemptName name_{"run-1", "job-1", 3};
  testing::TempDir dir_;
};

TEST_F(AttemptFilesTest, AreMadePrivate) {
  const mode_t before = ::umask(0);
  const auto made = create_attempt_files(dir_.path(), name_, std::string("do\0it", 5));
  ::umask(before);
  ASSERT_TRUE(made.ok()) << made.error().what;
  EXPECT_EQ(made->directory, dir_ / "attempts/run-1/job-1/3");
  EXPECT_EQ(read_file(made->prompt), std::string("do\0it", 5));
  for (const auto& file : {made->prompt, made->output, made->error})
    EXPECT_EQ(mode_of(file), 0600u);
  for (const auto& directory : {made->directory, made->agent_directory, made->temporary_directory,
                                dir_ / "attempts", dir_ / "attempts/run-1"})
    EXPECT_EQ(mode_of(directory), 0700u) << directory;
  EXPECT_FALSE(fs::exists(made->session));
  EXPECT_EQ(made->session, attempt_files(dir_.path(), name_).session);
}

TEST_F(AttemptFilesTest, AreMadeOnce) {
  ASSERT_TRUE(create_attempt_files(dir_.path(), name_, "first").ok());
  const auto again = create_attempt_files(dir_.path(), name_, "second");
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, Errc::conflict);
  EXPECT_EQ(read_file(attempt_files(dir_.path(), name_).prompt), "first");
}

TEST_F(AttemptFilesTest, NeedAnExistingStoreWithAnAbsolutePath) {
  EXPECT_EQ(create_attempt_files("store", name_, "").error().code, Errc::invalid);
  EXPECT_EQ(create_attempt_files(dir_ / "none", name_, "").error().code, Errc::not_found);
}

TEST_F(AttemptFilesTest, NoLinkBelowTheStoreIsFollowed) {
  for (const char* part : {"attempts", "attempts/run-1", "attempts/run-1/job-1"}) {
    const testing::TempDir store;
    const testing::TempDir outside;
    testing::write_file(outside / "3/precious", "x");
    fs::create_directories((store / part).parent_path());
    fs::create_directory_symlink(outside.path(), store / part);
    EXPECT_EQ(create_attempt_files(store.path(), name_, "").error().code, Errc::invalid) << part;
    EXPECT_EQ(remove_attempt_files(store.path(), name_).error().code, Errc::invalid) << part;
    EXPECT_EQ(read_file(outside / "3/precious"), "x");
    EXPECT_EQ(std::distance(fs::directory_iterator(outside.path()), {}), 1);
  }
}

TEST_F(AttemptFilesTest, ALinkInPlaceOfTheAttemptIsRemovedAndNotWhatItLeadsTo) {
  const testing::TempDir outside;
  testing::write_file(outside / "precious", "x");
  fs::create_directories(dir_ / "attempts/run-1/job-1");
  fs::create_directory_symlink(outside.path(), dir_ / "attempts/run-1/job-1/3");
  ASSERT_TRUE(remove_attempt_files(dir_.path(), name_).ok());
  EXPECT_EQ(read_file(outside / "precious"), "x");
  EXPECT_FALSE(fs::exists(dir_ / "attempts/run-1"));
}

TEST_F(AttemptFilesTest, RemovingLeavesTheOthersAttempts) {
  ASSERT_TRUE(create_attempt_files(dir_.path(), name_, "").ok());
  const AttemptName other{"run-1", "job-2", 1};
  ASSERT_TRUE(create_attempt_files(dir_.path(), other, "").ok());
  ASSERT_TRUE(remove_attempt_files(dir_.path(), name_).ok());
  EXPECT_FALSE(fs::exists(dir_ / "attempts/run-1/job-1"));
  EXPECT_TRUE(fs::exists(attempt_files(dir_.path(), other).prompt));
  ASSERT_TRUE(remove_attempt_files(dir_.path(), name_).ok()) << "once more is no error";
  ASSERT_TRUE(remove_attempt_files(dir_.path(), other).ok());
  EXPECT_FALSE(fs::exists(dir_ / "attempts/run-1"));
  EXPECT_TRUE(fs::exists(dir_ / "attempts"));
}

// One attempt's files go while another's are made: the directories they share may vanish under the
// second one's hands.
TEST_F(AttemptFilesTest, AreMadeAndRemovedAtTheSameTime) {
  const auto come_and_go = [&](const AttemptName& name) {
    for (int i = 0; i < 200; ++i) {
      const auto made = create_attempt_files(dir_.path(), name, "");
      EXPECT_TRUE(made.ok()) << made.error().what;
      EXPECT_TRUE(remove_attempt_files(dir_.path(), name).ok());
    }
  };
  std::thread same_job([&] { come_and_go({"run-1", "job-1", 1}); });
  std::thread same_run([&] { come_and_go({"run-1", "job-2", 1}); });
  come_and_go(name_);
  same_job.join();
  same_run.join();
  EXPECT_FALSE(fs::exists(dir_ / "attempts/run-1"));
}

}  // namespace
}  // namespace pievt::launch
