// Circles and long chains.
#include <algorithm>
#include <random>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/supervisor/plan/support.h"

namespace pievt::plan {
namespace {

/// A plan of jobs named by numbers, each with the numbers it waits for.
std::string plan_of(const std::vector<std::vector<int>>& depends) {
  std::string out = R"({"jobs": [)";
  for (std::size_t i = 0; i < depends.size(); ++i) {
    out += fmt::format(R"({{"id": "j{}", "prompt": "p", "dependsOn": [)", i);
    for (const int on : depends[i]) out += fmt::format(R"("j{}",)", on);
    out += "]},\n";
  }
  return out + "]}";
}

TEST(Depends, ALongChainNeedsNoStack) {
  std::vector<std::vector<int>> chain(10'000);
  for (int i = 0; i + 1 < 10'000; ++i) chain[static_cast<std::size_t>(i)] = {i + 1};
  EXPECT_EQ(accepted(plan_of(chain)).jobs[0].depends_on[0].index, 1u);
  chain.back() = {0};
  EXPECT_THAT(refused(plan_of(chain)),
              testing::EndsWith("these jobs wait for each other: j0 -> j1 -> j2 -> j3 -> j4 -> j5 "
                                "-> j6 -> j7 -> j8 -> j9 -> … (9990 more) -> j0"));
}

TEST(Depends, SeveralCirclesAreFoundEachBeginningWithItsFirstJob) {
  EXPECT_EQ(refused(plan_of({{1}, {2}, {1, 0}, {4}, {3}, {}})),
            "plan.json:1:53: these jobs wait for each other: j0 -> j1 -> j2 -> j0\n"
            "plan.json:2:43: these jobs wait for each other: j1 -> j2 -> j1\n"
            "plan.json:4:43: these jobs wait for each other: j3 -> j4 -> j3");
}

TEST(Depends, APatternNeverMeansItsOwnJob) {
  const Plan plan = accepted(quotes(
      "{'jobs': [{'id': 'j0', 'prompt': 'p', 'dependsOn': ['*']}, {'id': 'j1', 'prompt': 'p'}]}"));
  EXPECT_EQ(depends_of(plan.jobs[0]), "j1");
}

/// Whether a graph has a circle, the slow way: jobs are taken away as long as one waits for none.
bool has_circle(std::vector<std::vector<int>> depends) {
  std::vector<char> gone(depends.size(), 0);
  for (std::size_t round = 0; round < depends.size(); ++round)
    for (std::size_t i = 0; i < depends.size(); ++i) {
      bool free = true;
      for (const int on : depends[i]) free = free && gone[static_cast<std::size_t>(on)];
      if (free) gone[i] = 1;
    }
  return std::ranges::count(gone, 0) > 0;
}

TEST(Depends, CirclesAreFoundInRandomGraphsExactlyWhenTheyAreThere) {
  std::mt19937 random(7);
  int circles = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<std::vector<int>> graph(8);
    for (auto& on : graph)
      for (int k = static_cast<int>(random() % 3); k > 0; --k)
        on.push_back(static_cast<int>(random() % 8));
    const bool expected = has_circle(graph);
    circles += expected ? 1 : 0;
    if (expected)
      EXPECT_THAT(refused(plan_of(graph)), testing::HasSubstr("wait for each other"));
    else
      EXPECT_EQ(accepted(plan_of(graph)).jobs.size(), 8u);
  }
  EXPECT_GT(circles, 20);
  EXPECT_LT(circles, 290);
}

}  // namespace
}  // namespace pievt::plan
