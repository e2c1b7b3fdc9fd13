// What bounds a run and its jobs: budgets, silence, waves, and how another attempt begins.
#include <gtest/gtest.h>

#include "supervisor/plan/canonical.h"
#include "tests/supervisor/plan/support.h"

namespace pievt::plan {
namespace {

TEST(Bounds, OfTheRunAndOfEachJobKeyByKey) {
  const Plan plan = accepted(quotes(R"({
    'budget': {'tokens': 2000000, 'cost': 12.5, 'time': '8h', 'retries': 20},
    'defaults': {'budget': {'cost': 0.75, 'tokens': 100000}, 'silence': {'tool': '20m'}},
    'jobs': [
      {'id': 'a', 'prompt': 'p'},
      {'id': 'b', 'prompt': 'p', 'budget': {'tokens': 5}, 'silence': {'provider': '90s'}}]})"));
  EXPECT_EQ(plan.budget, (Budget{2'000'000, 12'500'000'000, 28'800'000, 20}));
  EXPECT_EQ(job_of(plan, "a").budget, (Budget{100'000, 750'000'000, 0, 0}));
  EXPECT_EQ(job_of(plan, "b").budget, (Budget{5, 750'000'000, 0, 0}));
  EXPECT_EQ(job_of(plan, "a").silence.tool_ms, 1'200'000u);
  EXPECT_EQ(job_of(plan, "a").silence.provider_ms, 0u) << "what is not said ends nothing";
  EXPECT_EQ(job_of(plan, "b").silence.tool_ms, 1'200'000u);
  EXPECT_EQ(job_of(plan, "b").silence.provider_ms, 90'000u);
}

TEST(Bounds, WavesAndHowAnotherAttemptBegins) {
  const Plan plan = accepted(quotes(R"({
    'defaults': {'retry': {'session': 'resume'}, 'wave': 1},
    'jobs': [{'id': 'a', 'prompt': 'p', 'retry': {'tree': 'previous'}},
             {'id': 'b', 'prompt': 'p', 'wave': 2, 'retry': {'session': 'fresh'}}]})"));
  EXPECT_EQ(job_of(plan, "a").wave, 1u);
  EXPECT_EQ(job_of(plan, "b").wave, 2u);
  EXPECT_EQ(job_of(plan, "a").retry.session, RetrySession::resume);
  EXPECT_EQ(job_of(plan, "a").retry.tree, RetryTree::previous);
  EXPECT_EQ(job_of(plan, "b").retry.session, RetrySession::fresh);
  EXPECT_EQ(job_of(plan, "b").retry.tree, RetryTree::clean);
  const std::string canonical = canonical_json(plan);
  EXPECT_NE(canonical.find(R"("session":"resume","tree":"previous")"), std::string::npos);
  EXPECT_NE(canonical.find(R"("wave":2)"), std::string::npos);
}

TEST(Bounds, AnEarlyWaveCannotWaitForALaterOne) {
  const std::string problems = refused(quotes(R"({'jobs': [
      {'id': 'late', 'prompt': 'p', 'wave': 2},
      {'id': 'between', 'prompt': 'p', 'dependsOn': ['late']},
      {'id': 'early', 'prompt': 'p', 'wave': 1, 'dependsOn': ['between']}]})"));
  EXPECT_NE(problems.find("\"early\" is of wave 1 and depends on a job of wave 2, which waits for "
                          "it"),
            std::string::npos)
      << problems;
  accepted(quotes(R"({'jobs': [{'id': 'a', 'prompt': 'p', 'wave': 1},
                               {'id': 'b', 'prompt': 'p', 'wave': 2, 'dependsOn': ['a']}]})"));
}

}  // namespace
}  // namespace pievt::plan
