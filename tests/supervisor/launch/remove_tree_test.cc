// Trees nobody would build by accident.
#include "supervisor/launch/remove_tree.h"

#include <filesystem>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "supervisor/launch/directory.h"
#include "tests/supervisor/launch/testing.h"

namespace pievt::launch {
namespace {

namespace fs = std::filesystem;

/// For its life this process has the rights of an ordinary user, also when the tests run as root,
/// who is stopped by no permission.
class OrdinaryUser {
 public:
  explicit OrdinaryUser(const fs::path& home) {
    if (::geteuid() != 0) return;
    EXPECT_EQ(::chown(home.c_str(), nobody, nobody), 0);
    EXPECT_EQ(::seteuid(nobody), 0);
    changed_ = true;
  }
  OrdinaryUser(const OrdinaryUser&) = delete;
  OrdinaryUser& operator=(const OrdinaryUser&) = delete;
  ~OrdinaryUser() {
    if (changed_) {
      EXPECT_EQ(::seteuid(0), 0);
    }
  }

 private:
  static constexpr uid_t nobody = 65534;
  bool changed_ = false;
};

class RemoveTree : public ::testing::Test {
 protected:
  Status remove() {
    const auto parent = open_directory(dir_.path());
    if (!parent.ok()) return parent.error();
    return remove_tree(parent->get(), "tree", tree_);
  }
  bool is_there() const { return fs::exists(fs::symlink_status(tree_)); }

  testing::TempDir dir_;
  fs::path tree_ = dir_ / "tree";
};

TEST_F(RemoveTree, NothingAndAFileAndALink) {
  EXPECT_TRUE(remove().ok());
  testing::write_file(tree_, "x");
  EXPECT_TRUE(remove().ok());
  EXPECT_FALSE(is_there());
  const auto precious = testing::write_file(dir_ / "precious", "x");
  fs::create_symlink(precious, tree_);
  EXPECT_TRUE(remove().ok());
  EXPECT_FALSE(is_there());
  EXPECT_EQ(testing::read_file(precious), "x");
}

TEST_F(RemoveTree, EveryKindOfEntry) {
  const auto precious = testing::write_file(dir_ / "outside/precious", "x");
  fs::create_directories(tree_ / "a/b/c");
  testing::write_file(tree_ / "a/file", "x");
  fs::create_directory_symlink(precious.parent_path(), tree_ / "a/link");
  fs::create_symlink("/nowhere/at/all", tree_ / "dangling");
  fs::create_symlink(".", tree_ / "loop");
  ASSERT_EQ(::mkfifo((tree_ / "pipe").c_str(), 0600), 0);
  testing::write_file(tree_ / std::string(255, 'n'), "x");
  testing::write_file(tree_ / "new\nline \xff", "x");
  fs::create_directory(tree_ / ".moved-up-0");
  const auto removed = remove();
  EXPECT_TRUE(removed.ok()) << removed.error().what;
  EXPECT_FALSE(is_there());
  EXPECT_EQ(testing::read_file(precious), "x");
}

TEST_F(RemoveTree, DirectoriesWithoutPermissions) {
  const OrdinaryUser user(dir_.path());
  fs::create_directories(tree_ / "a/b");
  testing::write_file(tree_ / "a/b/file", "x");
  ASSERT_EQ(::chmod((tree_ / "a/b").c_str(), 0), 0);
  ASSERT_EQ(::chmod((tree_ / "a").c_str(), 0500), 0);
  ASSERT_EQ(::chmod(tree_.c_str(), 0), 0);
  const auto removed = remove();
  EXPECT_TRUE(removed.ok()) << removed.error().what;
  EXPECT_FALSE(is_there());
}

TEST_F(RemoveTree, WhatCannotBeRemovedIsNamedAndTheRestIsGone) {
  if (::geteuid() != 0) return;  // nobody else can make what a user may not remove
  fs::create_directories(tree_ / "strangers");
  testing::write_file(tree_ / "strangers/file", "x");
  testing::write_file(tree_ / "ours", "x");
  ASSERT_EQ(::chmod((tree_ / "strangers").c_str(), 0700), 0);
  ASSERT_EQ(::chown(tree_.c_str(), 65534, 65534), 0);
  const OrdinaryUser user(dir_.path());
  const auto removed = remove();
  ASSERT_FALSE(removed.ok());
  EXPECT_THAT(removed.error().what, ::testing::HasSubstr(tree_.string()));
  EXPECT_FALSE(fs::exists(tree_ / "ours"));
}

TEST_F(RemoveTree, NestingDeeperThanPathsAndDescriptors) {
  constexpr int depth = 1500;  // more than 1024 descriptors, and a path of 15 KiB
  ASSERT_EQ(::mkdir(tree_.c_str(), 0700), 0);
  int here = ::open(tree_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (int level = 0; level < depth; ++level) {
    ASSERT_EQ(::mkdirat(here, "directory", 0700), 0);
    ASSERT_EQ(::symlinkat("/", here, "l"), 0);
    const int next = ::openat(here, "directory", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ASSERT_GE(next, 0);
    ASSERT_EQ(::close(here), 0);
    if (level % 3 == 0) {
      ASSERT_EQ(::fchmod(next, 0300), 0);
    }
    here = next;
  }
  ASSERT_EQ(::close(here), 0);
  const auto removed = remove();
  EXPECT_TRUE(removed.ok()) << removed.error().what;
  EXPECT_FALSE(is_there());
}

}  // namespace
}  // namespace pievt::launch
