#include "supervisor/planners/budget.h"

#include <gtest/gtest.h>

#include "pievt/ruleset.h"
#include "supervisor/planners/batch.h"
#include "supervisor/planners/stops.h"
#include "tests/store/model/run_fixture.h"

namespace pievt::planners {
namespace {

using schema::LimitKind;

constexpr std::uint64_t second = 1'000'000'000;

/// A run of two jobs with budgets, the first of which runs.
class Budgeted {
 public:
  Budgeted(schema::BudgetT of_run, schema::BudgetT of_job) {
    NewEvent plan = planned();
    auto& payload = *plan.payload.as<schema::RunPlannedT>();
    payload.concurrency = 2;
    payload.budget = std::make_unique<schema::BudgetT>(of_run);
    happen(plan);
    for (std::uint32_t job = 1; job <= 2; ++job) {
      NewEvent declaration = declared(job);
      auto& declares = *declaration.payload.as<schema::JobDeclaredT>();
      declares.budget = std::make_unique<schema::BudgetT>(of_job);
      happen(declaration);
    }
    happen(event(schema::RunStartedT{}));
    begin(1, 1);
  }

  void begin(std::uint32_t job, std::uint32_t attempt) {
    happen(of_attempt<schema::AttemptLaunchRequestedT>(job, attempt));
    happen(of_attempt<schema::AttemptLaunchedT>(job, attempt));
  }

  void spends(std::uint64_t tokens, std::int64_t nanodollars) {
    schema::UsageRecordedT used;
    used.reported = schema::Reported::reported;
    used.usage = std::make_unique<schema::UsageT>();
    used.usage->total_tokens = tokens;
    used.usage->cost_nanodollars = nanodollars;
    happen({std::move(used), {.job = 1, .attempt = 1}});
  }

  void happen(const NewEvent& event) {
    const std::uint64_t next = run_.state().revision + 1;
    // The fixture's events happen a second apart.
    note(marks_, run_.state(), event.payload.type(), event.subject, {next}, next * second);
    run_.happen(event);
  }

  std::vector<NewEvent> ask(std::uint64_t later_s = 0) const {
    return newly_spent(state(), marks_, (state().revision + later_s) * second);
  }

  LimitKind limit(std::uint64_t later_s = 0) const {
    const auto events = ask(later_s);
    return events.empty() ? LimitKind::unknown
                          : events.front().payload.as<schema::LimitReachedT>()->limit;
  }

  const RunState& state() const { return run_.state(); }
  const Marks& marks() const { return marks_; }

 private:
  MemoryRun run_;
  Marks marks_;
};

schema::BudgetT budget(std::uint64_t tokens, std::int64_t cost = 0, std::uint64_t wall_ms = 0) {
  schema::BudgetT made;
  made.tokens = tokens;
  made.cost_nanodollars = cost;
  made.wall_ms = wall_ms;
  return made;
}

TEST(Budget, OfTheRunStopsItOnce) {
  Budgeted run(budget(1000), {});
  run.spends(999, 5);
  EXPECT_TRUE(run.ask().empty());
  run.spends(1, 5);
  const auto events = run.ask();
  ASSERT_EQ(events.size(), 2u);
  const auto& limit = *events[0].payload.as<schema::LimitReachedT>();
  EXPECT_EQ(limit.allowed, 1000u);
  EXPECT_EQ(limit.used, 1000u);
  const auto& stop = *events[1].payload.as<schema::RunStopRequestedT>();
  EXPECT_EQ(stop.mode, schema::StopMode::now);
  EXPECT_EQ(stop.reason, "the run's budget is spent: 1000 of 1000 tokens");
  for (const NewEvent& event : events) run.happen(event);
  EXPECT_TRUE(run.ask().empty());
  EXPECT_EQ(stop_wanted(run.state(), {.job = 1, .attempt = 1}), schema::StopReason::budget);
  const NextSteps next = next_steps(run.state(), run.marks(), 0);
  ASSERT_EQ(next.events.size(), 1u);
  EXPECT_EQ(next.events[0].payload.as<schema::JobFinishedT>()->reason, stop.reason);
}

TEST(Budget, MoneyAndTimeCountToo) {
  Budgeted money(budget(0, 50), {});
  money.spends(1, 49);
  EXPECT_EQ(money.limit(), LimitKind::unknown);
  money.spends(1, 1);
  EXPECT_EQ(money.limit(), LimitKind::money);
  Budgeted time(budget(0, 0, 60'000), {});
  EXPECT_EQ(time.limit(50), LimitKind::unknown);
  EXPECT_EQ(time.limit(60), LimitKind::wall_time);
  const std::uint64_t now = time.state().revision * second;
  EXPECT_EQ(spent_at_ns(time.state(), time.marks(), now), time.marks().wall_from_ns + 60 * second);
}

TEST(Budget, OfAJobEndsThatJobAlone) {
  Budgeted run({}, budget(1000));
  run.spends(1200, 0);
  const auto events = run.ask();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].subject.job, 1u);
  run.happen(events[0]);
  EXPECT_EQ(stop_wanted(run.state(), {.job = 1, .attempt = 1}), schema::StopReason::budget);
  EXPECT_FALSE(stop_wanted(run.state(), {.job = 2, .attempt = 1}));
}

TEST(Budget, OfTimeOfAJobIsWhatItsAttemptsTake) {
  Budgeted run({}, budget(0, 0, 30'000));
  EXPECT_EQ(run.limit(20), LimitKind::unknown);
  EXPECT_EQ(run.limit(30), LimitKind::wall_time);
}

TEST(Budget, ResumingIsTheDecisionToSpendAsMuchAgain) {
  Budgeted run(budget(1000), {});
  run.spends(1500, 0);
  for (const NewEvent& event : run.ask()) run.happen(event);
  run.happen(of_attempt<schema::AttemptExitedT>(1, 1));
  run.happen(of_attempt<schema::AttemptClassifiedT>(1, 1));
  run.happen(finished(1, schema::JobStatus::cancelled));
  run.happen(finished(2, schema::JobStatus::cancelled));
  run.happen(event(schema::RunFinishedT{}));
  run.happen(event(schema::RunResumedT{}));
  run.happen({schema::JobReopenedT{}, {.job = 1}});
  EXPECT_TRUE(run.ask().empty());
  run.begin(1, 2);
  run.spends(999, 0);
  EXPECT_TRUE(run.ask().empty());
  run.spends(1, 0);
  EXPECT_EQ(run.limit(), LimitKind::tokens);
}

}  // namespace
}  // namespace pievt::planners
