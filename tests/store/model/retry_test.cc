// What bounds another attempt besides its policy: what the provider asks for, and what may be
// spent.
#include <gtest/gtest.h>

#include "pievt/ruleset.h"

namespace pievt {
namespace {

using namespace schema;  // NOLINT(google-build-using-namespace): every name below is a word of the
                         // schemas

/// A run of jobs, each with a policy of many attempts, and one attempt that failed.
struct Retries {
  RunState run;
  Judgement failed;

  explicit Retries(std::uint32_t jobs) {
    run.run_id = "r";
    run.phase = state::RunPhase::running;
    failed.status = JobStatus::failed;
    failed.failure = FailureKind::provider_transient;
    failed.retryable = true;
    for (std::uint32_t number = 1; number <= jobs; ++number) {
      auto job = std::make_unique<JobState>();
      job->number = number;
      job->id = "j" + std::to_string(number);
      job->max_attempts = 9;
      job->phase = state::JobPhase::running;
      job->declared = std::make_unique<JobDeclaredT>();
      job->declared->retry = std::make_unique<RetryPolicyT>();
      job->declared->retry->initial_ms = 100;
      job->declared->retry->max_ms = 1000;
      job->declared->retry->multiplier = 2;
      run.jobs.push_back(std::move(job));
      tried(number);
    }
  }

  AttemptState& tried(std::uint32_t number, FailureKind failure = FailureKind::provider_transient) {
    auto attempt = std::make_unique<AttemptState>();
    attempt->purpose = AttemptPurpose::work;
    attempt->failure = failure;
    return *run.jobs[number - 1]->attempts.emplace_back(std::move(attempt));
  }

  RetryPlan plan(std::uint32_t number) const {
    return plan_retry(run, *run.jobs[number - 1], failed);
  }
};

TEST(RetryAfter, IsWaitedForUpToAnHour) {
  Retries retries(1);
  EXPECT_EQ(retries.plan(1).delay_ms, 100u);
  AttemptState& attempt = *retries.run.jobs[0]->attempts.back();
  attempt.retry_after_ms = 20'000;
  EXPECT_EQ(retries.plan(1).delay_ms, 20'000u) << "beyond what the policy calls its maximum";
  attempt.retry_after_ms = 50;
  EXPECT_EQ(retries.plan(1).delay_ms, 100u);
  attempt.retry_after_ms = 18'000'000;
  EXPECT_EQ(retries.plan(1).delay_ms, 3'600'000u);
}

TEST(RetryBudget, OfTheRunCountsWhatIsMadeAndWhatIsScheduled) {
  Retries retries(3);
  retries.run.budget = std::make_unique<BudgetT>();
  retries.run.budget->retries = 2;
  EXPECT_EQ(retries.plan(1).decision, RetryDecision::scheduled);
  retries.tried(1);
  retries.run.jobs[1]->phase = state::JobPhase::backoff;
  EXPECT_EQ(retries_of(retries.run), 2u);
  EXPECT_EQ(retries.plan(3).decision, RetryDecision::no_budget);
}

TEST(RetryBudget, OfAJobIsItsOwn) {
  Retries retries(2);
  retries.run.jobs[0]->declared->budget = std::make_unique<BudgetT>();
  retries.run.jobs[0]->declared->budget->retries = 1;
  EXPECT_EQ(retries.plan(1).decision, RetryDecision::scheduled);
  retries.tried(1);
  EXPECT_EQ(retries.plan(1).decision, RetryDecision::no_budget);
  EXPECT_EQ(retries.plan(2).decision, RetryDecision::scheduled);
}

TEST(RetryBudget, WhatWasLostWithASupervisorCountsForNothing) {
  Retries retries(1);
  retries.run.budget = std::make_unique<BudgetT>();
  retries.run.budget->retries = 1;
  retries.run.jobs[0]->attempts.back()->failure = FailureKind::supervisor_lost;
  retries.tried(1, FailureKind::supervisor_lost);
  retries.failed.failure = FailureKind::supervisor_lost;
  EXPECT_EQ(retries_of(retries.run), 0u);
  EXPECT_EQ(retries.plan(1).decision, RetryDecision::scheduled);
}

}  // namespace
}  // namespace pievt
