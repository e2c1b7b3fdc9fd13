// One more job for a run: by the rules of a plan's jobs, with the run's jobs as what it may depend
// on.
#include "supervisor/plan/read_job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "supervisor/plan/disk_files.h"

namespace pievt::plan {
namespace {

using ::testing::HasSubstr;

Result<JobSpec> read(const std::string& text, const std::vector<std::string>& known) {
  DiskFiles files("/nowhere/");
  return read_job("job", text, files, known);
}

TEST(ReadJob, DependsOnJobsOfTheRunByTheirPlace) {
  const auto job =
      read(R"({"id":"sum","prompt":"Add {{jobs.b.final}}.","dependsOn":["a"]})", {"a", "b", "c"});
  ASSERT_TRUE(job.ok()) << job.error().what;
  ASSERT_EQ(job->depends_on.size(), 2u);
  EXPECT_EQ(job->depends_on[0].index, 0u);
  EXPECT_EQ(job->depends_on[1].index, 1u);
  EXPECT_EQ(std::get<FinalOf>(job->prompt.at(1)).index, 1u);
}

TEST(ReadJob, GetsTheNextFreeId) {
  const auto job = read(R"({"prompt":"Go."})", {"a", "t003"});
  ASSERT_TRUE(job.ok()) << job.error().what;
  EXPECT_EQ(job->id, "t004");
}

TEST(ReadJob, WhatCannotBeRightIsRefusedWithItsPlace) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"id":"a","prompt":"x"})", "already"},
      {R"({"id":"a b","prompt":"x"})", "cannot be an id"},
      {R"({"id":"n","prompt":"x","dependsOn":["nobody"]})", "there is none"},
      {R"({"id":"n","prompt":"x","dependsOn":["n"]})", "wait for each other"},
      {R"({"id":"n"})", "no prompt"},
      {R"({"id":"n","prompt":"x","promt":"y"})", "promt"},
      {R"([1])", "job:1:1"},
      {"{", "job:1:"},
      {"", "job:1:"},
  };
  for (const auto& [text, words] : cases) {
    const auto job = read(text, {"a"});
    ASSERT_FALSE(job.ok()) << text;
    EXPECT_EQ(job.error().code, Errc::invalid);
    EXPECT_THAT(job.error().what, HasSubstr(words)) << text;
  }
}

}  // namespace
}  // namespace pievt::plan
