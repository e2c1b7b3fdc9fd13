// Too much of anything costs a sentence.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "supervisor/plan/read_plan.h"
#include "tests/supervisor/plan/support.h"

namespace pievt::plan {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

std::string jobs(std::size_t count) {
  std::string out = "[";
  for (std::size_t i = 0; i < count; ++i) out += R"({"prompt":"p"},)";
  return out + "]";
}

TEST(Limits, TenThousandJobsAndNotOneMore) {
  EXPECT_EQ(accepted(R"({"jobs": )" + jobs(10'000) + "}").jobs.size(), 10'000u);
  EXPECT_EQ(refused(R"({"jobs": )" + jobs(10'001) + "}"),
            quotes("plan.json:1:10: 'jobs' in the plan has 10001 entries; a plan has at most 10000 "
                   "jobs"));
  EXPECT_EQ(
      refused(R"({"matrix": [{"id": "a"}], "promptTemplate": "p", "jobs": )" + jobs(10'000) + "}"),
      "plan.json:1:58: the plan has 10001 jobs; at most 10000 are allowed");
}

TEST(Limits, SixtyFiveMebibytesAreRefusedUnread) {
  // It is not even JSON: nobody has looked at it.
  EXPECT_EQ(refused(std::string(std::size_t{65} << 20, '?')),
            "plan.json:1:1: has 68157440 bytes; a plan has at most 67108864 bytes (64 MiB)");
}

TEST(Limits, ABombOfTemplatesDoesNotGoOff) {
  // 1,000 jobs of 4 MB each, from a plan of a few kilobytes.
  std::string rows;
  for (int i = 0; i < 1'000; ++i) rows += R"({"id":"r)" + std::to_string(i) + R"("},)";
  std::string many;
  for (int i = 0; i < 1'000; ++i) many += "{{v}}";
  const std::string bomb = R"({"matrix":[)" + rows + R"(],"promptTemplate":")" + many +
                           R"(","defaults":{"vars":{"v":")" + std::string(4'000, 'x') + R"("}}})";
  EXPECT_THAT(refused(bomb), EndsWith("the plan has more than 268435456 bytes after expansion"));
}

TEST(Limits, OneTextIsBounded) {
  std::string many;
  for (int i = 0; i < 5'000; ++i) many += "{{v}}";
  EXPECT_EQ(refused(R"({"jobs":[{"prompt":")" + many + R"(","vars":{"v":")" +
                    std::string(1'000, 'x') + R"("}}]})"),
            quotes("plan.json:1:20: the prompt of job 't001' is longer than 4194304 bytes after "
                   "expansion"));
}

TEST(Limits, AMillionEmptyEntriesCountToo) {
  std::string values;
  for (int i = 0; i < 100'000; ++i) values += R"("",)";
  std::string rows;
  for (int i = 0; i < 1'000; ++i) rows += R"({"id":"r)" + std::to_string(i) + R"("},)";
  const std::string what =
      refused(R"({"matrix":[)" + rows + R"(],"promptTemplate":"p","defaults":{"vars":{"v":[)" +
              values + R"(]},"dependsOn":["{{v}}"]}})");
  EXPECT_THAT(what, HasSubstr("the plan has more than 268435456 bytes after expansion"));
}

TEST(Limits, DependenciesAreCounted) {
  std::string all = R"({"defaults":{"dependsOn":["*"],"prompt":"p"},"jobs":[)";
  for (int i = 0; i < 1'500; ++i) all += "{},";
  EXPECT_THAT(refused(all + "]}"), EndsWith("more than 1000000 dependencies in all"));
}

TEST(Limits, APatternOfAMillionStarsFitsNothing) {
  EXPECT_THAT(refused(R"({"jobs":[{"id":"a","prompt":"p"},{"prompt":"p","dependsOn":[")" +
                      std::string(1'000'000, '*') + R"("]}]})"),
              EndsWith("in \"dependsOn\" of job \"t002\" fits no other job"));
}

TEST(Limits, ContextIsBounded) {
  MemoryFiles files{{"big", std::string((256 << 10) + 1, 'x')}, {"a", std::string(256 << 10, 'a')},
                    {"b", std::string(256 << 10, 'b')},         {"c", std::string(256 << 10, 'c')},
                    {"d", std::string(256 << 10, 'd')},         {"e", "e"}};
  EXPECT_EQ(refused(quotes("{'jobs': [{'prompt': 'p', 'context': ['big']}]}"), files),
            quotes("plan.json:1:39: the context file 'big' is too large"));
  EXPECT_EQ(accepted(quotes("{'jobs': [{'prompt': 'p', 'context': ['a','b','c','d']}]}"), files)
                .jobs[0]
                .context.size(),
            4u);
  EXPECT_EQ(refused(quotes("{'jobs': [{'prompt': 'p', 'context': ['a','b','c','d','e']}]}"), files),
            quotes("plan.json:1:55: the context of job 't001' is too large: at most 256 files, "
                   "262144 bytes each, 1048576 bytes together"));
  // As a prompt it fits, as context it does not.
  EXPECT_EQ(refused(quotes("{'jobs': [{'promptFile': 'big', 'context': ['big']}]}"), files),
            quotes("plan.json:1:45: the context of job 't001' is too large: at most 256 files, "
                   "262144 bytes each, 1048576 bytes together"));
}

TEST(Limits, AFileMustBeText) {
  EXPECT_EQ(refused(quotes("{'jobs': [{'promptFile': 'd/p'}]}"), {{"d/p", "ab\n\xff"}}),
            "d/p:2:1: the prompt file must be UTF-8 text");
  EXPECT_EQ(refused(quotes("{'jobs': [{'prompt': 'p', 'context': ['c']}]}"),
                    {{"c", std::string("a\0", 2)}}),
            "c:1:2: the context file must be UTF-8 text");
}

TEST(Limits, OneEnvironmentVariableIsBounded) {
  const auto plan = [](std::size_t bytes) {
    return R"({"jobs":[{"prompt":"p","env":{"A":")" + std::string(bytes, 'x') + R"("}}]})";
  };
  EXPECT_EQ(accepted(plan(131'069)).jobs.size(), 1u);
  EXPECT_EQ(refused(plan(131'070)),
            quotes("plan.json:1:35: 'A' in 'env' of job 't001' is too long: name and value have at "
                   "most 131071 bytes"));
}

}  // namespace
}  // namespace pievt::plan
