// The throttle in sequences: what the provider does, and how much may run then.
#include "supervisor/planners/throttle.h"

#include <gtest/gtest.h>

#include "tests/store/model/run_fixture.h"

namespace pievt::planners {
namespace {

using schema::FailureKind;

/// A run whose attempts begin and end as a test says.
class Throttled {
 public:
  explicit Throttled(std::uint32_t jobs, std::uint32_t concurrency, std::uint32_t window = 5) {
    NewEvent plan = planned();
    auto& payload = *plan.payload.as<schema::RunPlannedT>();
    payload.concurrency = concurrency;
    payload.throttle = std::make_unique<schema::ThrottlePolicyT>();
    payload.throttle->enabled = true;
    payload.throttle->threshold = 0.2;
    payload.throttle->window = window;
    payload.throttle->min = 1;
    payload.throttle->max = concurrency;
    happen(plan);
    for (std::uint32_t job = 1; job <= jobs; ++job) happen(declared(job));
    happen(event(schema::RunStartedT{}));
  }

  std::uint32_t begin() {
    ++begun_;
    happen(of_attempt<schema::AttemptLaunchRequestedT>(begun_, 1));
    happen(of_attempt<schema::AttemptLaunchedT>(begun_, 1));
    return begun_;
  }

  void end(std::uint32_t job, FailureKind failure = FailureKind::none, unsigned pi_retries = 0) {
    for (unsigned i = 0; i < pi_retries; ++i)
      happen(of_attempt<schema::ProviderRetryStartedT>(job, 1));
    happen(of_attempt<schema::AttemptExitedT>(job, 1));
    schema::AttemptClassifiedT classified;
    classified.failure = failure;
    happen({std::move(classified), {.job = job, .attempt = 1}});
    happen(finished(job));
    while (auto change = throttle_step(run_.state(), marks_)) {
      changes_.push_back(change->payload.as<schema::ThrottleChangedT>()->to);
      happen(*change);
    }
  }

  /// One after the other: `.` a success, `x` a failure at the provider, `r` a success that pi
  /// had to try again for, `c` a job that somebody cancelled.
  void sequence(std::string_view outcomes) {
    for (const char c : outcomes) {
      end(begin(),
          c == 'x'   ? FailureKind::provider_transient
          : c == 'c' ? FailureKind::cancelled
                     : FailureKind::none,
          c == 'r' ? 1 : 0);
    }
  }

  std::uint32_t now() const { return run_.state().concurrency_now; }
  const std::vector<std::uint32_t>& changes() const { return changes_; }

 private:
  void happen(const NewEvent& event) {
    const std::uint64_t next = run_.state().revision + 1;
    note(marks_, run_.state(), event.payload.type(), event.subject, {next}, next);
    run_.happen(event);
  }

  MemoryRun run_;
  Marks marks_;
  std::uint32_t begun_ = 0;
  std::vector<std::uint32_t> changes_;
};

using Changes = std::vector<std::uint32_t>;

TEST(Throttle, OneFailureHalvesOnceAndNotForAsLongAsItStaysInTheWindow) {
  Throttled run(60, 8);
  run.sequence("....x");
  EXPECT_EQ(run.changes(), Changes{4});
  run.sequence("...");
  EXPECT_EQ(run.changes(), Changes{4}) << "pi-jobs went on to 2 and to 1 here";
}

TEST(Throttle, WhatWasOnItsWayWhenItWasLoweredIsNoNews) {
  Throttled run(60, 8);
  std::vector<std::uint32_t> together;
  for (int i = 0; i < 8; ++i) together.push_back(run.begin());
  for (const std::uint32_t job : together) run.end(job, FailureKind::provider_transient);
  EXPECT_EQ(run.changes(), Changes{4});
}

TEST(Throttle, AProviderThatStaysDownBringsItToTheMinimumAndNoFurther) {
  Throttled run(60, 8);
  run.sequence("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
  EXPECT_EQ(run.changes(), (Changes{4, 2, 1}));
}

TEST(Throttle, ItComesBackByHalvesAfterARoundWithoutTrouble) {
  Throttled run(90, 8);
  run.sequence("....x");
  ASSERT_EQ(run.now(), 4u);
  run.sequence("...");
  EXPECT_EQ(run.now(), 4u);
  run.sequence(".");
  EXPECT_EQ(run.now(), 6u);
  run.sequence("......");
  EXPECT_EQ(run.now(), 8u);
  run.sequence("....................");
  EXPECT_EQ(run.changes(), (Changes{4, 6, 8})) << "never beyond what the plan allows";
}

TEST(Throttle, ASuccessThatPiHadToTryAgainForIsNoSignOfRoom) {
  Throttled run(60, 4);
  run.sequence("xxxxx");
  ASSERT_EQ(run.now(), 2u);
  run.sequence(".r.r.r");
  EXPECT_EQ(run.now(), 2u);
  run.sequence("..");
  EXPECT_EQ(run.now(), 3u);
}

TEST(Throttle, WhatWeEndedOurselvesSaysNothingOfTheProvider) {
  Throttled run(60, 8);
  run.sequence("cccccccc");
  EXPECT_TRUE(run.changes().empty());
}

TEST(Throttle, NothingIsLoweredForTheLastJob) {
  Throttled run(5, 8);
  run.sequence("xxxxx");
  EXPECT_TRUE(run.changes().empty()) << "nobody is left who could profit";
}

TEST(Throttle, NothingIsRaisedForJobsThatRunAnyway) {
  Throttled run(9, 8);
  run.sequence("....x");
  ASSERT_EQ(run.now(), 2u) << "half of the four that are left, not of the eight that may";
  run.sequence("...");
  EXPECT_EQ(run.now(), 2u);
}

TEST(Throttle, WithoutAPolicyNothingChanges) {
  MemoryRun run = started_run(3);
  EXPECT_FALSE(throttle_step(run.state(), {}));
}

}  // namespace
}  // namespace pievt::planners
