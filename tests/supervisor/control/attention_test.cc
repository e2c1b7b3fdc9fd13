// What is news, once, and what is none.
#include "supervisor/turn/attention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pievt::supervisor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

RunState run_of(std::size_t jobs) {
  RunState run;
  run.revision = 10;
  for (std::size_t i = 0; i < jobs; ++i) {
    auto job = std::make_unique<JobState>();
    job->id = "job" + std::to_string(i + 1);
    job->phase = state::JobPhase::running;
    run.jobs.push_back(std::move(job));
  }
  return run;
}

void end(RunState& run, std::size_t job, schema::JobStatus status, schema::FailureKind failure) {
  run.jobs[job]->phase = state::JobPhase::finished;
  run.jobs[job]->status = status;
  run.jobs[job]->failure = failure;
  run.jobs[job]->reason = "so it is";
  ++run.revision;
}

TEST(Attention, AJobThatWaitsForAPersonIsNewsOnceWithWhatItAsks) {
  RunState run = run_of(2);
  Attention attention(run);
  end(run, 0, schema::JobStatus::blocked, schema::FailureKind::none);
  run.jobs[0]->attempts.push_back(std::make_unique<AttemptState>());
  run.jobs[0]->attempts[0]->requests = {"which edition?", "who decides?"};
  end(run, 1, schema::JobStatus::failed, schema::FailureKind::acceptance_failed);
  EXPECT_THAT(attention.news(run), ElementsAre("job job1 is blocked: so it is; it asks: which "
                                               "edition?; who decides?"));
  ++run.revision;
  EXPECT_THAT(attention.news(run), IsEmpty());
}

TEST(Attention, WhatIsTrueAtTheBeginningIsNoNewsAndATakeOverIs) {
  RunState run = run_of(1);
  end(run, 0, schema::JobStatus::needs_review, schema::FailureKind::none);
  run.secrets = 3;
  Attention attention(run);
  EXPECT_THAT(attention.news(run), IsEmpty());
  ++run.recoveries;
  ++run.revision;
  EXPECT_THAT(attention.news(run), ElementsAre(HasSubstr("another one has taken it over")));
}

TEST(Attention, MoneySecretsAndProvidersAreNews) {
  RunState run = run_of(1);
  Attention attention(run);
  run.limit = schema::LimitKind::money;
  run.secrets = 2;
  end(run, 0, schema::JobStatus::failed, schema::FailureKind::provider_permanent);
  EXPECT_THAT(attention.news(run), ElementsAre("its budget of money is spent",
                                               "job job1: the provider refuses for good: so it is",
                                               "2 secrets were found in what it recorded"));
}

TEST(Attention, ManyAreCounted) {
  RunState run = run_of(100);
  Attention attention(run);
  for (std::size_t i = 0; i < 100; ++i)
    end(run, i, schema::JobStatus::blocked, schema::FailureKind::none);
  const auto news = attention.news(run);
  ASSERT_EQ(news.size(), 20u);
  EXPECT_EQ(news.back(), "and 81 more");
}

}  // namespace
}  // namespace pievt::supervisor
