// Plans on a real disk.
#include "supervisor/plan/disk_files.h"

#include <filesystem>
#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "supervisor/plan/read_plan.h"
#include "tests/supervisor/plan/support.h"

namespace pievt::plan {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class Disk : public testing::Test {
 protected:
  Disk() {
    std::string pattern = (fs::temp_directory_path() / "pievt-plan-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~Disk() override {
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
  }

  void write(const std::string& path, const std::string& text) const {
    fs::create_directories((directory_ / path).parent_path());
    std::ofstream(directory_ / path, std::ios::binary) << text;
  }
  std::string at(const std::string& path) const { return (directory_ / path).string(); }
  std::vector<std::string> glob(const std::string& pattern) const {
    DiskFiles files(directory_.string());
    const auto found = files.glob(pattern, 100);
    EXPECT_TRUE(found.ok());
    return found.ok() ? *found : std::vector<std::string>();
  }

  fs::path directory_;
};

TEST_F(Disk, AWholePlanWithAllKindsOfFiles) {
  write("plans/night.json", quotes(R"({'matrix': {'glob': '../book/*.md'},
    'defaults': {'promptFile': 'p.md', 'context': ['{{path}}']}})"));
  write("plans/p.md", "Edit {{name}}");
  write("book/a.md", "A");
  write("book/b.md", "B");
  const auto file = read_plan_file(at("plans/night.json"));
  ASSERT_TRUE(file.ok()) << file.error().what;
  EXPECT_EQ(file->plan.name, "night");
  ASSERT_EQ(file->plan.jobs.size(), 2u);
  EXPECT_EQ(prompt_of(file->plan.jobs[1]), "Edit b.md");
  EXPECT_EQ(*file->plan.jobs[1].context[0].text, "B");
  EXPECT_EQ(file->plan.jobs[1].context[0].path, "../book/b.md");
  EXPECT_THAT(file->text, StartsWith("{\"matrix\""));
}

TEST_F(Disk, WhatCannotBeReadIsSaid) {
  const auto missing = read_plan_file(at("none.json"));
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, Errc::not_found);
  EXPECT_THAT(missing.error().what, StartsWith(at("none.json")));

  ASSERT_EQ(::mkfifo(at("pipe.json").c_str(), 0600), 0);
  const auto pipe = read_plan_file(at("pipe.json"));
  ASSERT_FALSE(pipe.ok());
  EXPECT_THAT(pipe.error().what, HasSubstr("is not a regular file"));

  write("p.json", quotes("{'jobs': [{'promptFile': '.'}, {'promptFile': 'none'}]}"));
  const auto inner = read_plan_file(at("p.json"));
  ASSERT_FALSE(inner.ok());
  EXPECT_THAT(inner.error().what, HasSubstr(":1:26: the prompt file \".\" is not a regular file"));
  EXPECT_THAT(inner.error().what, HasSubstr("the prompt file \"none\" cannot be opened"));
}

TEST_F(Disk, AHugePlanIsNotEvenRead) {
  write("huge.json", "");
  fs::resize_file(at("huge.json"), std::uintmax_t{65} << 20);
  const auto plan = read_plan_file(at("huge.json"));
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(plan.error().what, at("huge.json") +
                                   ":1:1: has 68157440 bytes; at most 67108864 are "
                                   "read; a plan has at most 67108864 bytes (64 MiB)");
}

TEST_F(Disk, PatternsGoDownButNotThroughLinksOrIntoHiddenPlaces) {
  for (const char* path : {"a.md", ".hidden.md", "d/b.md", "d/e/c.md", "d/.git/x.md", "d/n.txt"})
    write(path, "");
  fs::create_directory_symlink(directory_, at("d/up"));
  fs::create_symlink(at("a.md"), at("d/link.md"));
  EXPECT_THAT(glob("*.md"), ElementsAre("a.md"));
  EXPECT_THAT(glob(".*.md"), ElementsAre(".hidden.md"));
  EXPECT_THAT(glob("**/*.md"), ElementsAre("a.md", "d/b.md", "d/e/c.md", "d/link.md"));
  EXPECT_THAT(glob("d/**"), ElementsAre("d/b.md", "d/e/c.md", "d/link.md", "d/n.txt"));
  EXPECT_THAT(glob("d/?.md"), ElementsAre("d/b.md"));
  EXPECT_THAT(glob("d/../d/b.md"), ElementsAre("d/../d/b.md"));
  EXPECT_THAT(glob("none/*"), IsEmpty());
  EXPECT_THAT(glob(""), IsEmpty());
  EXPECT_THAT(glob(at("d/*.txt")), ElementsAre(at("d/n.txt")));
  DiskFiles files(directory_.string());
  EXPECT_FALSE(files.glob("**/*.md", 3).ok());
}

}  // namespace
}  // namespace pievt::plan
