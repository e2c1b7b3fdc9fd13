// In which order jobs start: waves, priorities, the plan.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "supervisor/planners/batch.h"
#include "tests/store/model/run_fixture.h"

namespace pievt::planners {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// A run of jobs with these waves and priorities, that may do `concurrency` at once.
MemoryRun run_of(const std::vector<std::pair<std::uint32_t, std::int32_t>>& jobs,
                 std::uint32_t concurrency) {
  MemoryRun run;
  NewEvent plan = planned();
  plan.payload.as<schema::RunPlannedT>()->concurrency = concurrency;
  run.happen(plan);
  std::uint32_t number = 0;
  for (const auto& [wave, priority] : jobs) {
    NewEvent declaration = declared(++number);
    auto& payload = *declaration.payload.as<schema::JobDeclaredT>();
    payload.wave = wave;
    payload.priority = priority;
    run.happen(declaration);
  }
  run.happen(event(schema::RunStartedT{}));
  return run;
}

std::vector<std::uint32_t> launches(const MemoryRun& run) {
  return next_steps(run.state(), {}, 0).launches;
}

TEST(Waves, ALaterOneWaitsForAllOfAnEarlierOneHoweverTheyEnd) {
  MemoryRun run = run_of({{1, 0}, {1, 0}, {2, 0}, {0, 0}, {3, 0}}, 10);
  EXPECT_THAT(launches(run), ElementsAre(1, 2, 4)) << "a job without a wave waits for none";
  run.happen(finished(1));
  run.happen(finished(4));
  EXPECT_THAT(launches(run), ElementsAre(2));
  run.happen(finished(2, schema::JobStatus::failed));
  EXPECT_THAT(launches(run), ElementsAre(3));
  run.happen(finished(3));
  EXPECT_THAT(launches(run), ElementsAre(5));
}

TEST(Priorities, TheLargestStartsFirstAndEqualOnesInTheOrderOfThePlan) {
  MemoryRun run = run_of({{0, 0}, {0, 5}, {0, 0}, {0, 5}, {0, -1}}, 3);
  EXPECT_THAT(launches(run), ElementsAre(2, 4, 1));
  schema::JobRevisedT revised;
  revised.priority = 9;
  run.happen({std::move(revised), {.job = 5}});
  EXPECT_THAT(launches(run), ElementsAre(5, 2, 4));
}

TEST(Priorities, AThrottledRunStartsFewer) {
  MemoryRun run = run_of({{0, 0}, {0, 0}, {0, 0}}, 3);
  schema::ThrottleChangedT change;
  change.from = 3;
  change.to = 1;
  run.happen(event(std::move(change)));
  EXPECT_THAT(launches(run), ElementsAre(1));
}

TEST(Decisions, ACancelledJobThatWaitsEndsAndNothingIsStartedInAPause) {
  MemoryRun run = run_of({{0, 0}, {0, 0}}, 1);
  schema::JobCancelRequestedT cancel;
  cancel.reason = "not needed any more";
  run.happen({std::move(cancel), {.job = 2}});
  NextSteps next = next_steps(run.state(), {}, 0);
  ASSERT_EQ(next.events.size(), 1u);
  EXPECT_EQ(next.events[0].payload.as<schema::JobFinishedT>()->reason, "not needed any more");
  run.happen(next.events[0]);
  run.happen(event(schema::RunPausedT{}));
  EXPECT_THAT(launches(run), IsEmpty());
  run.happen(event(schema::RunResumedT{}));
  EXPECT_THAT(launches(run), ElementsAre(1));
}

}  // namespace
}  // namespace pievt::planners
