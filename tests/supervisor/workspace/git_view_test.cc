// Reading a repository without letting it speak.
#include "supervisor/workspace/git_view.h"

#include <gmock/gmock.h>

#include "tests/supervisor/workspace/directory.h"

namespace pievt::workspace {
namespace fs = std::filesystem;
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class Git : public ::testing::Test {
 protected:
  Git() {
    at_.write("a.txt", "one\n");
    at_.write("dir/naïve.txt", "two\n");
    EXPECT_TRUE(at_.shell("git init -q -b main . && git add -A && git commit -qm first"));
  }

  Repository repository() { return find_repository(at_.root() / "dir").value_or(Repository()); }
  GitView view() {
    const Repository found = repository();
    auto made = GitView::create(private_.root() / fmt::format("view{}", ++views_),
                                object_format(found), {found.common_directory / "objects"});
    EXPECT_TRUE(made.ok()) << made.error().what;
    return std::move(*made);
  }

  test::Directory at_, private_;
  int views_ = 0;
};

TEST_F(Git, HeadsAreReadFromFilesLooseAndPacked) {
  const Repository found = repository();
  EXPECT_EQ(found.work_tree, at_.root());
  const Heads loose = read_heads(found);
  EXPECT_TRUE(is_object_id(loose.commit));
  EXPECT_EQ(loose.branch, "main");
  ASSERT_TRUE(at_.shell("git branch other && git pack-refs --all"));
  const Heads packed = read_heads(found);
  EXPECT_EQ(packed.commit, loose.commit);
  EXPECT_THAT(packed.tips, ElementsAre(loose.commit));
  ASSERT_TRUE(at_.shell("git checkout -q --detach"));
  EXPECT_EQ(read_heads(found).branch, "");
  EXPECT_EQ(read_heads(found).commit, loose.commit);
}

TEST_F(Git, ALinkedWorktreeIsFoundWithItsRepository) {
  ASSERT_TRUE(at_.shell("git worktree add -q -b side linked"));
  const auto found = find_repository(at_.root() / "linked/dir");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->work_tree, at_.root() / "linked");
  EXPECT_EQ(fs::canonical(found->common_directory), fs::canonical(at_.root() / ".git"));
  EXPECT_EQ(read_heads(*found).branch, "side");
}

TEST_F(Git, FilesThatMakeNoSenseAreNoRepository) {
  test::Directory bad;
  bad.write(".git", "gitdir: ../../nowhere\n");
  const auto found = find_repository(bad.root());
  EXPECT_TRUE(!found || found->work_tree != bad.root());
  at_.write(".git/HEAD", "ref: ../../../../etc/passwd\n");
  EXPECT_EQ(read_heads(repository()).commit, "");
}

TEST_F(Git, ObjectsAndNewCommitsComeThroughTheView) {
  const Heads before = read_heads(repository());
  const GitView git = view();
  const auto items = git.list(before.commit);
  ASSERT_TRUE(items.ok()) << items.error().what;
  ASSERT_THAT(*items, SizeIs(2));
  EXPECT_EQ((*items)[1].path, "dir/naïve.txt");
  std::string text;
  ASSERT_TRUE(git.contents({(*items)[1].object, (*items)[0].object},
                           [&](std::size_t, std::string_view content) {
                             text += content;
                             return Status();
                           })
                  .ok());
  EXPECT_EQ(text, "two\none\n");
  ASSERT_TRUE(
      at_.shell("echo 1 > n && git add n && git commit -qm n && "
                "git checkout -q -b b HEAD~1 && echo 2 > m && git add m && git commit -qm m"));
  const auto fresh = git.new_commits(before.tips, read_heads(repository()).tips, 100);
  ASSERT_TRUE(fresh.ok()) << fresh.error().what;
  EXPECT_THAT(*fresh, SizeIs(2));
}

TEST_F(Git, WhatGitCannotDoIsSaidInItsWords) {
  const GitView git = view();
  const auto items = git.list(std::string(40, 'a'));
  ASSERT_FALSE(items.ok());
  EXPECT_EQ(items.error().code, Errc::io);
  EXPECT_FALSE(git.contents({std::string(40, 'b')}, [](auto, auto) { return Status(); }).ok());
}

TEST_F(Git, LongerNamesOfObjectsWork) {
  test::Directory other;
  other.write("x", "y");
  ASSERT_TRUE(
      other.shell("git init -q --object-format=sha256 . && git add -A && git commit -qm x"));
  const auto found = find_repository(other.root());
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(object_format(*found), "sha256");
  const auto git = GitView::create(private_.root() / "longer", object_format(*found),
                                   {found->common_directory / "objects"});
  ASSERT_TRUE(git.ok());
  const auto items = git->list(read_heads(*found).commit);
  ASSERT_TRUE(items.ok()) << items.error().what;
  EXPECT_THAT(*items, SizeIs(1));
}

TEST_F(Git, NothingThatAWorkerPlantedRuns) {
  const Heads before = read_heads(repository());
  const std::string trap = private_.path("trap");
  plant_traps(at_, trap);
  at_.shell("git status; git diff");  // the traps are real: this is what we never do
  ASSERT_FALSE(fs::is_empty(trap));
  fs::remove_all(trap);
  fs::create_directories(trap);
  const GitView git = view();
  const auto items = git.list(before.commit);
  ASSERT_TRUE(items.ok()) << items.error().what;
  ASSERT_TRUE(git.contents({(*items)[0].object}, [](auto, auto) { return Status(); }).ok());
  ASSERT_TRUE(git.new_commits({}, before.tips, 10).ok());
  ASSERT_TRUE(git.text({"diff-tree", "-p", "--binary", "--root", before.commit}).ok());
  std::vector<std::string> marks;
  for (const auto& mark : fs::directory_iterator(trap)) marks.push_back(mark.path().filename());
  EXPECT_THAT(marks, IsEmpty());
}

TEST(CheckoutPath, NothingThatCouldBeGitsOwn) {
  for (const char* path : {".git", "a/.GIT/config", "git~1/x", "../x", "/x"})
    EXPECT_FALSE(is_checkout_path(path)) << path;
  for (const char* path : {".gitignore", "a/.github/x", "x.git"})
    EXPECT_TRUE(is_checkout_path(path));
}

}  // namespace
}  // namespace pievt::workspace
