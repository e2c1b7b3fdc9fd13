// Walking and comparing: what changed is found, whoever changed it and however, and nothing else.
#include "supervisor/workspace/tree.h"

#include <map>
#include <random>

#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "supervisor/workspace/open_beneath.h"
#include "tests/store/seed.h"
#include "tests/supervisor/workspace/directory.h"

namespace pievt::workspace {
namespace fs = std::filesystem;
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Tree look(const test::Directory& directory) {
  auto tree = walk(directory.root().string(), {.skip = {".pievt"}});
  EXPECT_TRUE(tree.ok());
  return tree.ok() ? std::move(*tree) : Tree();
}

std::vector<std::string> names(const std::vector<Difference>& all) {
  constexpr std::string_view words[] = {"created", "modified", "deleted", "type", "mode"};
  std::vector<std::string> out;
  for (const Difference& one : all)
    out.push_back(fmt::format("{} {}", words[static_cast<int>(one.change)], one.path()));
  return out;
}

TEST(Tree, ChangesOfEveryKindAreFound) {
  test::Directory at;
  at.write("kept", "k");
  at.write("grown", "g");
  at.write("same size", "abc");
  at.write("gone/deep", "d");
  at.write("run.sh", "#!/bin/sh");
  at.write("becomes a link", "l");
  at.write(".gitignore", "ignored\n");
  at.write("ignored", "old");
  const Tree before = look(at);
  at.write("grown", "gg");
  at.write("same size", "abd");
  fs::remove(at.root() / "gone/deep");
  ::chmod(at.path("run.sh").c_str(), 0755);
  fs::remove(at.root() / "becomes a link");
  fs::create_symlink("/etc/passwd", at.root() / "becomes a link");
  at.write("ignored", "new");
  at.write("naïve/файл", "n");
  at.write("line\nbreak", "n");
  Tree after = look(at);
  EXPECT_THAT(names(compare(before, after)),
              ElementsAre("type becomes a link", "deleted gone/deep", "modified grown",
                          "modified ignored", "created line\nbreak", "created naïve/файл",
                          "mode run.sh", "modified same size"));
}

TEST(Tree, WhatIsTouchedOrWrittenAgainIsNoChange) {
  test::Directory at;
  at.write("a", "text");
  const Tree before = look(at);  // fresh, so its content is known
  at.write("a", "text");
  Tree after = look(at);
  EXPECT_THAT(names(compare(before, after)), IsEmpty());
}

TEST(Tree, OfGitOnlyWhatMakesItRunCommandsIsSeen) {
  test::Directory at;
  for (const char* path :
       {".git/config", ".git/hooks/pre-commit", ".git/info/attributes", ".git/modules/a/b/config",
        ".git/modules/a/b/hooks/x", ".git/worktrees/w/config.worktree"})
    at.write(path, "x");
  for (const char* path : {".git/HEAD", ".git/index", ".git/objects/ab/cd", ".git/refs/heads/main",
                           ".git/logs/HEAD", ".git/modules/a/b/objects/info/x", ".pievt/STORE"})
    at.write(path, "x");
  std::vector<std::string> paths;
  for (const Entry& entry : look(at).entries) paths.push_back(entry.path);
  EXPECT_THAT(paths, ElementsAre(".git/config", ".git/hooks/pre-commit", ".git/info/attributes",
                                 ".git/modules/a/b/config", ".git/modules/a/b/hooks/x",
                                 ".git/worktrees/w/config.worktree"));
}

TEST(Tree, LinksAndPipesAreEntriesAndNothingIsFollowed) {
  test::Directory at, elsewhere;
  elsewhere.write("secret", "s");
  fs::create_directory_symlink(elsewhere.root(), at.root() / "out");
  fs::create_directory_symlink(".", at.root() / "loop");
  ASSERT_EQ(::mkfifo(at.path("pipe").c_str(), 0600), 0);
  const Tree tree = look(at);
  ASSERT_EQ(tree.entries.size(), 3u);
  EXPECT_EQ(tree.find("out")->kind, Kind::symlink);
  EXPECT_EQ(tree.find("pipe")->kind, Kind::other);
  EXPECT_TRUE(tree.find("loop")->digest.has_value());  // fresh: its target's text
  const auto root = open_root(at.root().string());
  ASSERT_TRUE(root.ok());
  EXPECT_FALSE(open_beneath(root->get(), "out/secret", 0).is_open());
  EXPECT_FALSE(open_beneath(root->get(), "../x", 0).is_open());
}

TEST(Tree, WhatCannotBeReadAndWhatIsCutOffIsSaid) {
  test::Directory at;
  for (int i = 0; i < 20; ++i) at.write(fmt::format("d{}/f", i), "x");
  const auto cut = walk(at.root().string(), {.entries_max = 5});
  ASSERT_TRUE(cut.ok());
  EXPECT_TRUE(cut->partial);
  EXPECT_EQ(cut->entries.size(), 5u);
  EXPECT_FALSE(walk(at.path("missing")).ok());
  if (::geteuid() == 0) return;  // root reads everything
  ::chmod(at.path("d3").c_str(), 0);
  EXPECT_EQ(look(at).unreadable, 1u);
  ::chmod(at.path("d3").c_str(), 0700);
}

TEST(Tree, SafePathsAreThoseThatStayBelow) {
  for (const char* path : {"a", "a/b", ".hidden", "..a", "a..", "ä/ö"})
    EXPECT_TRUE(is_safe_path(path));
  for (const char* path : {"", "/a", "a//b", "a/", ".", "..", "a/../b", "./a", "a/."})
    EXPECT_FALSE(is_safe_path(path)) << path;
  EXPECT_FALSE(is_safe_path(std::string_view("a\0b", 3)));
}

TEST(Tree, SavedTreesComeBackAndDamageIsNoticed) {
  test::Directory at;
  at.write("a/b", "1");
  at.write("c", "22");
  const std::string bytes = encode(look(at));
  const auto again = decode(bytes);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(encode(*again), bytes);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_FALSE(decode(bytes.substr(0, i)).ok()) << i;
    std::string flipped = bytes;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x20);
    EXPECT_FALSE(decode(flipped).ok()) << i;
  }
}

// Against a model that keeps what every file holds: after any acts, what compare() says turns the
// one into the other.
TEST(TreeModel, DifferencesAreThoseOfAModel) {
  for (const std::uint64_t seed : test::seeds(40)) {
    SCOPED_TRACE(test::how_to_repeat(seed));
    std::mt19937_64 dice(seed);
    const auto roll = [&](unsigned n) { return static_cast<unsigned>(dice() % n); };
    test::Directory at;
    std::map<std::string, std::string> model;
    const auto act = [&] {
      const std::string name =
          fmt::format("d{}/{}/f{}", roll(3), roll(2) == 0 ? "é" : "x", roll(4));
      if (roll(4) == 0) {
        fs::remove(at.root() / name);
        model.erase(name);
      } else {
        model[name] = std::string(roll(3), static_cast<char>('a' + roll(3)));
        at.write(name, model[name]);
      }
    };
    for (unsigned i = roll(20); i > 0; --i) act();
    const auto old = model;
    const Tree before = look(at);
    for (unsigned i = roll(12); i > 0; --i) act();
    Tree after = look(at);
    std::map<std::string, std::string> expected;
    for (const auto& [name, text] : old)
      if (!model.contains(name)) expected[name] = "deleted";
    for (const auto& [name, text] : model) {
      if (!old.contains(name))
        expected[name] = "created";
      else if (old.at(name) != text)
        expected[name] = "modified";
    }
    std::vector<std::string> lines;
    for (const auto& [name, what] : expected) lines.push_back(what + " " + name);
    EXPECT_EQ(names(compare(before, after)), lines);
  }
}

}  // namespace
}  // namespace pievt::workspace
