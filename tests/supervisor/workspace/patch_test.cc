// From a worktree to a patch and into another tree: what arrives is what was made, whole or not at
// all.
#include "supervisor/workspace/patch.h"

#include <map>
#include <random>

#include <gmock/gmock.h>

#include "supervisor/workspace/change_files.h"
#include "supervisor/workspace/merge.h"
#include "supervisor/workspace/open_beneath.h"
#include "supervisor/workspace/worktree.h"
#include "tests/store/seed.h"
#include "tests/supervisor/workspace/directory.h"

namespace pievt::workspace {
namespace fs = std::filesystem;
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using What = MergeStep::What;

class Patch : public ::testing::Test {
 protected:
  Patch() {
    user_.write("a.txt", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    user_.write("dir/b.txt", "b\n");
    user_.write("bin", std::string("\0\1\2", 3));
    user_.write("gone.txt", "g\n");
    user_.write(".gitignore", "*.o\nbuild/\n");
    user_.write("run.sh", "#!/bin/sh\n");
    fs::permissions(user_.root() / "run.sh", fs::perms(0755));
    fs::create_symlink("a.txt", user_.root() / "link");
  }

  void commit() {
    ASSERT_TRUE(user_.shell("git init -q -b main . && git add -A && git commit -qm first"));
    repository_ = *find_repository(user_.root());
    commit_ = read_heads(repository_).commit;
  }

  GitView view() {
    auto made = GitView::create(private_.root() / fmt::format("view{}", ++count_), "sha1",
                                {repository_.common_directory / "objects"});
    EXPECT_TRUE(made.ok());
    return std::move(*made);
  }

  // A worktree of the commit, or of what a patch made of it, and what it looked like when work
  // began.
  fs::path work(const std::string& patch = {}, std::vector<Carried> carry = {}) {
    const fs::path where = private_.root() / fmt::format("tree{}", ++count_);
    const GitView git = view();
    const auto tree = patched_tree(git, commit_, patch);
    EXPECT_TRUE(tree.ok()) << (tree.ok() ? "" : tree.error().what);
    const auto made =
        make_worktree(git, {repository_, commit_, tree.ok() ? *tree : "", where, std::move(carry)});
    EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().what);
    auto walked = walk(where.string());
    EXPECT_TRUE(walked.ok());
    before_ = std::move(*walked);
    return where;
  }

  Collected taken(const fs::path& where, std::vector<std::string> carried = {},
                  const std::string& start = {}) {
    auto now = walk(where.string());
    EXPECT_TRUE(now.ok());
    const GitView git = view();
    std::string tree;
    if (!start.empty()) tree = patched_tree(git, commit_, start).value();
    auto collected = collect(git, {commit_, tree, &before_, &*now, std::move(carried)});
    EXPECT_TRUE(collected.ok()) << (collected.ok() ? "" : collected.error().what);
    return collected.ok() ? *collected : Collected();
  }

  static void put(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }
  static std::string get(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return (std::ostringstream() << file.rdbuf()).str();
  }

  // "path: what" of each step.
  std::vector<std::string> apply(const std::string& patch) {
    const auto steps = plan_merge(view(), commit_, patch, user_.root().string());
    if (!steps.ok()) return {steps.error().what};
    std::vector<std::string> out;
    bool conflicts = false;
    for (const MergeStep& step : *steps) {
      constexpr std::string_view words[] = {"nothing", "write", "remove", "conflict"};
      out.push_back(fmt::format("{}: {}", step.path, words[static_cast<int>(step.what)]));
      conflicts = conflicts || step.what == What::conflict;
    }
    if (conflicts) return out;
    const Status done = change_files(private_.root() / fmt::format("journal{}", ++count_),
                                     user_.root().string(), *steps);
    if (!done.ok()) return {done.error().what};
    return out;
  }

  test::Directory user_, private_;
  Repository repository_;
  std::string commit_;
  Tree before_;
  int count_ = 0;
};

TEST_F(Patch, AWorktreeIsTheCommitAndItsOwnRepository) {
  commit();
  user_.write("a.txt", "changed and not committed\n");
  const fs::path where = work();
  EXPECT_EQ(get(where / "a.txt"), "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
  EXPECT_EQ(get(where / "bin"), std::string("\0\1\2", 3));
  EXPECT_EQ(fs::read_symlink(where / "link"), "a.txt");
  EXPECT_NE(fs::status(where / "run.sh").permissions() & fs::perms::owner_exec, fs::perms::none);
  // git works there, sees nothing changed, and what is committed stays there.
  ASSERT_TRUE(user_.shell("cd " + where.string() +
                          " && git diff --quiet HEAD && echo x > new && "
                          "git add new && git commit -qm inside"));
  EXPECT_EQ(read_heads(repository_).commit, commit_);
  EXPECT_NE(read_heads(*find_repository(where)).commit, commit_);
}

TEST_F(Patch, EverythingThatIsDifferentIsInThePatch) {
  commit();
  const fs::path where = work();
  put(where / "a.txt", "1\nzwei\n3\n4\n5\n6\n7\n8\n9\n");
  put(where / "bin", std::string("\0\1\3", 3));
  put(where / "naïve/line\nbreak \"q\".txt", "n\n");
  put(where / "x.o", "ignored");
  put(where / "build/out", "ignored");
  fs::remove(where / "gone.txt");
  fs::remove(where / "link");
  fs::create_symlink("dir", where / "link");
  ASSERT_TRUE(user_.shell("cd " + where.string() +
                          " && echo c > committed && git add committed && "
                          "git commit -qm c && echo u > untracked"));
  const Collected collected = taken(where);
  EXPECT_THAT(collected.paths,
              ::testing::UnorderedElementsAre("a.txt", "bin", "naïve/line\nbreak \"q\".txt",
                                              "gone.txt", "link", "committed", "untracked"));
  EXPECT_THAT(collected.ignored, ::testing::UnorderedElementsAre("x.o", "build/out"));
  EXPECT_THAT(apply(collected.patch), ::testing::SizeIs(7));
  EXPECT_EQ(user_.read("a.txt"), "1\nzwei\n3\n4\n5\n6\n7\n8\n9\n");
  EXPECT_EQ(user_.read("bin"), std::string("\0\1\3", 3));
  EXPECT_EQ(user_.read("naïve/line\nbreak \"q\".txt"), "n\n");
  EXPECT_FALSE(fs::exists(user_.root() / "gone.txt"));
  EXPECT_EQ(fs::read_symlink(user_.root() / "link"), "dir");
  EXPECT_EQ(user_.read("committed") + user_.read("untracked"), "c\nu\n");
}

TEST_F(Patch, GitItselfCanApplyIt) {
  commit();
  const fs::path where = work();
  put(where / "a.txt", "new\n");
  put(where / "bin", std::string("\0\0\0\0", 4));
  private_.write("p.patch", taken(where).patch);
  EXPECT_TRUE(user_.shell("git apply " + private_.path("p.patch")));
  EXPECT_EQ(user_.read("bin"), std::string("\0\0\0\0", 4));
}

TEST_F(Patch, NothingChangedIsAnEmptyPatch) {
  commit();
  EXPECT_EQ(taken(work()).patch, "");
}

TEST_F(Patch, ASecondAttemptStartsFromTheFirstOnesPatch) {
  commit();
  const fs::path first = work();
  put(first / "a.txt", "first\n");
  const std::string patch = taken(first).patch;
  const fs::path second = work(patch);
  EXPECT_EQ(get(second / "a.txt"), "first\n");
  put(second / "new.txt", "second\n");
  // It is against the commit all the same.
  EXPECT_THAT(taken(second, {}, patch).paths, ElementsAre("a.txt", "new.txt"));
}

TEST_F(Patch, CarriedPathsComeAlongAndAreNotPartOfIt) {
  user_.write("data/x.o", "x");
  user_.write("data/sub/y.o", "y");
  user_.write("big.o", "b");
  commit();
  const fs::path where = work({}, {{"data", Carried::How::copy}, {"big.o", Carried::How::link}});
  EXPECT_EQ(get(where / "data/sub/y.o"), "y");
  EXPECT_TRUE(fs::is_symlink(where / "big.o"));
  put(where / "data/x.o", "changed");
  put(where / "made.txt", "m\n");
  EXPECT_THAT(taken(where, {"data", "big.o"}).paths, ElementsAre("made.txt"));
  const auto missing = make_worktree(
      view(), {repository_, commit_, {}, private_.root() / "t", {{"nope", Carried::How::copy}}});
  ASSERT_FALSE(missing.ok());
  EXPECT_THAT(missing.error().what, HasSubstr("nope"));
}

TEST_F(Patch, BothSidesAreMergedLineByLine) {
  commit();
  const fs::path where = work();
  put(where / "a.txt", "1\n2\n3\n4\n5\n6\n7\n8\nneun\n");
  const std::string patch = taken(where).patch;
  user_.write("a.txt", "eins\n2\n3\n4\n5\n6\n7\n8\n9\n");
  EXPECT_THAT(apply(patch), ElementsAre("a.txt: write"));
  EXPECT_EQ(user_.read("a.txt"), "eins\n2\n3\n4\n5\n6\n7\n8\nneun\n");
  EXPECT_THAT(apply(patch), ElementsAre("a.txt: nothing"));  // the same lines on both sides are one
  EXPECT_EQ(user_.read("a.txt"), "eins\n2\n3\n4\n5\n6\n7\n8\nneun\n");
}

TEST_F(Patch, AConflictChangesNothing) {
  commit();
  const fs::path where = work();
  put(where / "a.txt", "theirs\n");
  put(where / "bin", std::string("\0\2", 2));
  put(where / "gone.txt", "changed\n");
  put(where / "new.txt", "n\n");
  const std::string patch = taken(where).patch;
  user_.write("a.txt", "ours\n");
  user_.write("bin", std::string("\0\3", 2));
  fs::remove(user_.root() / "gone.txt");
  EXPECT_THAT(apply(patch), ElementsAre("a.txt: conflict", "bin: conflict", "gone.txt: conflict",
                                        "new.txt: write"));
  EXPECT_EQ(user_.read("a.txt"), "ours\n");
  EXPECT_FALSE(fs::exists(user_.root() / "new.txt"));
}

TEST_F(Patch, AFileThatChangesMeanwhileStopsAll) {
  commit();
  const fs::path where = work();
  put(where / "a.txt", "theirs\n");
  put(where / "new.txt", "n\n");
  const auto steps = plan_merge(view(), commit_, taken(where).patch, user_.root().string());
  ASSERT_TRUE(steps.ok());
  user_.write("a.txt", "somebody was faster\n");
  const Status done = change_files(private_.root() / "j", user_.root().string(), *steps);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, Errc::conflict);
  EXPECT_FALSE(fs::exists(user_.root() / "new.txt"));
  EXPECT_FALSE(fs::exists(private_.root() / "j"));
  for (const auto& entry : fs::directory_iterator(user_.root()))
    EXPECT_THAT(entry.path().filename().string(), ::testing::Not(HasSubstr("pievt-apply")));
}

TEST_F(Patch, LinksInTheUsersTreeLeadNowhere) {
  commit();
  const fs::path where = work();
  put(where / "dir/b.txt", "theirs\n");
  const std::string patch = taken(where).patch;
  test::Directory elsewhere;
  elsewhere.write("b.txt", "b\n");
  fs::remove_all(user_.root() / "dir");
  fs::create_directory_symlink(elsewhere.root(), user_.root() / "dir");
  apply(patch);
  EXPECT_EQ(elsewhere.read("b.txt"), "b\n");
}

TEST_F(Patch, NothingThatWasPlantedRuns) {
  commit();
  const std::string trap = private_.path("trap");
  const fs::path where = work();
  plant_traps(user_, trap);
  user_.write(".gitattributes", "* filter=x diff=x merge=x\n");
  const test::Directory& planted = user_;
  // The same in the worktree, as a worker would.
  fs::copy(planted.root() / ".git/config", where / ".git/config",
           fs::copy_options::overwrite_existing);
  put(where / ".gitattributes", "* filter=x diff=x merge=x\n");
  put(where / "a.txt", "1\nzwei\n3\n4\n5\n6\n7\n8\n9\n");
  put(where / "new.txt", "n\n");
  user_.write("a.txt", "1\n2\n3\n4\n5\n6\n7\n8\nneun\n");
  fs::remove(user_.root() / ".gitattributes");
  const Collected collected = taken(where);
  work();
  apply(collected.patch);
  EXPECT_EQ(user_.read("a.txt"), "1\nzwei\n3\n4\n5\n6\n7\n8\nneun\n");
  EXPECT_TRUE(fs::is_empty(trap));
}

// Interrupted at any moment: what was there, or what was to be there, and no file of ours.
TEST_F(Patch, AnInterruptedChangeIsUndoneOrCompleted) {
  for (const bool go : {false, true}) {
    for (int renamed = 0; renamed <= (go ? 3 : 0); ++renamed) {
      test::Directory tree, store;
      tree.write("a.txt", "old\n");
      tree.write("gone.txt", "g\n");
      // As change_files leaves it.
      std::string text = tree.root().string();
      text += '\0';
      for (const char* field : {"a.txt", ".pievt-apply-j-0", "gone.txt", "", "deep/er/new.txt",
                                "deep/er/.pievt-apply-j-2"})
        (text += field) += '\0';
      store.write("j/steps", text);
      tree.write(".pievt-apply-j-0", "new\n");
      tree.write("deep/er/.pievt-apply-j-2", "n\n");
      if (go) store.write("j/go", "");
      if (renamed > 0) fs::rename(tree.path(".pievt-apply-j-0"), tree.path("a.txt"));
      if (renamed > 1) fs::remove(tree.path("gone.txt"));
      if (renamed > 2)
        fs::rename(tree.path("deep/er/.pievt-apply-j-2"), tree.path("deep/er/new.txt"));
      const auto recovered = recover_change(store.root() / "j");
      ASSERT_TRUE(recovered.ok());
      EXPECT_EQ(*recovered, go ? Recovered::completed : Recovered::undone);
      EXPECT_EQ(tree.read("a.txt"), go ? "new\n" : "old\n");
      EXPECT_EQ(fs::exists(tree.path("gone.txt")), !go);
      EXPECT_EQ(fs::exists(tree.path("deep/er/new.txt")), go);
      EXPECT_FALSE(fs::exists(tree.path(".pievt-apply-j-0")));
      EXPECT_FALSE(fs::exists(store.root() / "j"));
    }
  }
}

// Any change of any tree goes through a patch and arrives as it was.
TEST_F(Patch, AnyChangeArrives) {
  commit();
  for (const std::uint64_t seed : test::seeds(12)) {
    SCOPED_TRACE(test::how_to_repeat(seed));
    std::mt19937_64 dice(seed);
    const auto roll = [&](unsigned n) { return static_cast<unsigned>(dice() % n); };
    const fs::path where = work();
    for (unsigned i = 1 + roll(12); i > 0; --i) {
      const std::string names[] = {"a.txt", "bin", "dir/b.txt", "gone.txt", "ü/x y", "dir/new"};
      const fs::path path = where / names[roll(6)];
      if (roll(4) == 0) {
        fs::remove(path);
        continue;
      }
      std::string text;
      for (unsigned j = roll(50); j > 0; --j) text += static_cast<char>(roll(256));
      if (roll(2) == 0) text += "\n";
      put(path, text);
      fs::permissions(path, roll(2) == 0 ? fs::perms(0644) : fs::perms(0755));
    }
    const Collected collected = taken(where);
    ASSERT_TRUE(user_.shell("git checkout -q -f main && git clean -qfd"));
    apply(collected.patch);
    for (const char* name : {"a.txt", "bin", "dir/b.txt", "gone.txt", "ü/x y", "dir/new"}) {
      EXPECT_EQ(fs::exists(where / name), fs::exists(user_.root() / name)) << name;
      EXPECT_EQ(get(where / name), user_.read(name)) << name;
    }
  }
}

}  // namespace
}  // namespace pievt::workspace
