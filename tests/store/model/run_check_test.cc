// What may not happen to a run: each law by name, then by dice. Whatever is proposed in whatever
// order, a run that only has what `check` admits keeps its invariants.
#include <map>
#include <random>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/format/codec.h"
#include "tests/store/model/run_fixture.h"
#include "tests/store/seed.h"

namespace pievt {
namespace {

using namespace schema;  // NOLINT(google-build-using-namespace): every name below is an event
using state::AttemptPhase;
using state::JobPhase;
using state::RunPhase;
using testing::HasSubstr;

void refused(const Status& status, const char* because) {
  ASSERT_FALSE(status.ok()) << "should be refused: " << because;
  EXPECT_EQ(status.error().code, Errc::invalid_transition);
  EXPECT_THAT(status.error().what, HasSubstr(because));
}

TEST(RunCheck, NothingHappensToARunThatWasNeverPlanned) {
  MemoryRun run;
  refused(run.propose(event(RunStartedT{})), "it was started");
  refused(run.propose(declared(1)), "never planned");
  refused(run.propose(event(RunStopRequestedT{})), "never planned");
  refused(run.propose(event(RunFinishedT{})), "never planned");
  refused(run.attempt_event<AttemptLaunchRequestedT>(0, 1), "not running");
  EXPECT_EQ(run.state().revision, 0u);
}

TEST(RunCheck, ARunIsPlannedAndStartedOnce) {
  MemoryRun run = started_run();
  refused(run.propose(planned()), "the run exists");
  refused(run.propose(event(RunStartedT{})), "it was started");
}

TEST(RunCheck, NothingRunsTwice) {
  MemoryRun run = started_run();
  run.happen(of_attempt<AttemptLaunchRequestedT>(1, 1));
  // Whatever phase the first attempt is in, a second may only follow its classification.
  const auto no_second = [&run] {
    refused(run.attempt_event<AttemptLaunchRequestedT>(1, 2), "still open");
    refused(run.propose(finished(1)), "still open");
    refused(run.propose(event(JobRetryScheduledT{}, {.job = 1})), "still open");
    refused(run.propose(event(JobJudgedT{}, {.job = 1})), "still open");
    refused(run.propose(event(RunFinishedT{})), "has not ended");
  };
  no_second();
  run.happen(of_attempt<AttemptLaunchedT>(1, 1));
  refused(run.attempt_event<AttemptLaunchedT>(1, 1), "running");
  no_second();
  run.happen(of_attempt<AttemptStopRequestedT>(1, 1));
  no_second();
  run.happen(of_attempt<AttemptExitedT>(1, 1));
  refused(run.attempt_event<AttemptExitedT>(1, 1), "exited");
  no_second();
  run.happen(of_attempt<AttemptClassifiedT>(1, 1));
  refused(run.attempt_event<AttemptLaunchRequestedT>(1, 1), "numbered in order");
  refused(run.attempt_event<AttemptLaunchRequestedT>(1, 3), "numbered in order");
  run.happen(of_attempt<AttemptLaunchRequestedT>(1, 2));
}

TEST(RunCheck, NothingHappensAfterTheEnd) {
  MemoryRun run = started_run();
  run.happen(finished(1));
  refused(run.propose(finished(1)), "the job has ended");
  refused(run.attempt_event<AttemptLaunchRequestedT>(1, 1), "the job has ended");
  refused(run.propose(event(JobCancelRequestedT{}, {.job = 1})), "the job has ended");
  run.happen(event(RunFinishedT{}));
  refused(run.propose(event(RunFinishedT{})), "it has ended");
  refused(run.propose(event(RunStopRequestedT{})), "it has ended");
  refused(run.propose(event(RunRecoveredT{})), "it has ended");
  refused(run.propose(declared(2)), "it has ended");
  refused(run.propose(event(GateOpenedT{}, {.gate = 1})), "it has ended");
  refused(run.propose(event(JobReopenedT{}, {.job = 1})), "it has ended");
  refused(run.attempt_event<AttemptLaunchRequestedT>(0, 1), "not running");
  refused(run.propose(event(ArtifactRecordedT{})), "it has ended");
}

TEST(RunCheck, AResumedRunGoesOnWithReopenedJobs) {
  MemoryRun run = started_run();
  run.happen(finished(1, JobStatus::failed));
  run.happen(event(RunFinishedT{}));
  run.happen(event(RunResumedT{}));
  refused(run.propose(event(RunResumedT{})), "neither paused nor over");
  refused(run.attempt_event<AttemptLaunchRequestedT>(1, 1), "the job has ended");
  run.happen(event(JobReopenedT{}, {.job = 1}));
  refused(run.propose(event(JobReopenedT{}, {.job = 1})), "has not ended");
  run.happen(of_attempt<AttemptLaunchRequestedT>(1, 1));
}

TEST(RunCheck, NothingIsStartedWhilePausedOrStopping) {
  MemoryRun run = started_run();
  run.happen(event(RunPausedT{}));
  refused(run.propose(event(RunPausedT{})), "not running");
  refused(run.attempt_event<AttemptLaunchRequestedT>(1, 1), "not running");
  run.happen(event(RunResumedT{}));
  run.happen(event(RunStopRequestedT{}));
  refused(run.attempt_event<AttemptLaunchRequestedT>(1, 1), "not running");
}

TEST(RunCheck, AStoppingRunIsNotTalkedOutOfIt) {
  MemoryRun run = started_run();
  run.happen(event(RunPausedT{}));
  run.happen(event(RunStopRequestedT{}));
  refused(run.propose(event(RunResumedT{})), "neither paused nor over");
  refused(run.propose(event(RunPausedT{})), "not running");
}

TEST(RunCheck, ACancelledJobStartsNothingMoreAndIsCancelledOnce) {
  MemoryRun run = started_run();
  run.happen(event(JobCancelRequestedT{}, {.job = 1}));
  refused(run.propose(event(JobCancelRequestedT{}, {.job = 1})), "has been asked for");
  refused(run.attempt_event<AttemptLaunchRequestedT>(1, 1), "being cancelled");
  run.happen(finished(1, JobStatus::cancelled));
  run.happen(event(RunFinishedT{}));
  run.happen(event(RunResumedT{}));
  run.happen(event(JobReopenedT{}, {.job = 1}));
  run.happen(of_attempt<AttemptLaunchRequestedT>(1, 1));
}

TEST(RunCheck, ConcurrencyIsNeverNothingAndPrioritiesAreOfOpenJobs) {
  MemoryRun run = started_run();
  ThrottleChangedT none;
  none.from = 4;
  refused(run.propose(event(none)), "never end");
  none.to = 2;
  run.happen(event(none));
  EXPECT_EQ(run.state().concurrency_now, 2u);
  refused(run.propose(event(JobRevisedT{}, {.job = 9})), "no such job");
  run.happen(finished(1));
  refused(run.propose(event(JobRevisedT{}, {.job = 1})), "has ended");
}

TEST(RunCheck, PeopleAreToldAfterTheEndAndHooksAreNumbered) {
  MemoryRun run = started_run();
  run.happen(finished(1));
  run.happen(event(RunFinishedT{}));
  HookFinishedT over;
  over.number = 1;
  refused(run.propose(event(over)), "no such hook");
  HookRequestedT hook;
  hook.number = 2;
  refused(run.propose(event(hook)), "numbered in order");
  hook.number = 1;
  run.happen(event(hook));
  run.happen(event(over));
}

TEST(RunCheck, AnActNeedsItsIntent) {
  MemoryRun run = started_run();
  refused(run.attempt_event<AttemptLaunchedT>(1, 1), "no such attempt");
  refused(run.attempt_event<AttemptExitedT>(1, 1), "no such attempt");
  refused(run.attempt_event<AttemptClassifiedT>(1, 1), "no such attempt");
  refused(run.attempt_event<TurnEndedT>(1, 1), "no such attempt");
  refused(run.attempt_event<AttemptLaunchRequestedT>(2, 1), "no such job");
  run.happen(of_attempt<AttemptLaunchRequestedT>(1, 1));
  refused(run.attempt_event<AttemptClassifiedT>(1, 1), "launch_requested");
  run.happen(of_attempt<AttemptLaunchFailedT>(1, 1));
  refused(run.attempt_event<AttemptLaunchedT>(1, 1), "exited");
  refused(run.attempt_event<AttemptStopRequestedT>(1, 1), "exited");
  refused(run.attempt_event<AttemptLostT>(1, 1), "exited");
}

TEST(RunCheck, ProbesRunSideBySideAndEachHoldsTheRunOpen) {
  MemoryRun run = started_run();
  run.happen(finished(1));
  run.happen(of_attempt<AttemptLaunchRequestedT>(0, 1));
  run.happen(of_attempt<AttemptLaunchRequestedT>(0, 2));
  run.happen(of_attempt<AttemptLaunchFailedT>(0, 2));
  run.happen(of_attempt<AttemptClassifiedT>(0, 2));
  refused(run.propose(event(RunFinishedT{})), "a probe is still open");
  run.happen(of_attempt<AttemptLostT>(0, 1));
  run.happen(of_attempt<AttemptClassifiedT>(0, 1));
  run.happen(event(RunFinishedT{}));
}

TEST(RunCheck, GatesAreNumberedAndDecidedOnce) {
  MemoryRun run = started_run();
  refused(run.propose(event(GateOpenedT{}, {.gate = 2})), "numbered in order");
  refused(run.propose(event(GateDecidedT{}, {.gate = 1})), "no such gate");
  run.happen(event(GateOpenedT{}, {.job = 1, .gate = 1}));
  run.happen(event(GateDecidedT{}, {.job = 1, .gate = 1}));
  refused(run.propose(event(GateDecidedT{}, {.job = 1, .gate = 1})), "the gate is decided");
}

// ---- By dice -----------------------------------------------------------------------------------

template <class... T>
pievt::Payload empty_payload(std::size_t index, type_list<T...>) {
  using Make = pievt::Payload (*)();
  static constexpr Make makers[] = {
      [] { return pievt::Payload(typename T::NativeTableType{}); }...};
  return makers[index]();
}

NewEvent random_event(const RunState& run, std::mt19937_64& dice) {
  const auto roll = [&dice](std::size_t below) {
    return static_cast<std::uint32_t>(dice() % (below == 0 ? 1 : below));
  };
  NewEvent event{
      empty_payload(roll(static_cast<std::size_t>(schema::Payload::MAX)), event_types{})};
  // Half of the proposals are about attempts, or a walk would hardly ever come to their end.
  if (roll(2) == 0) {
    constexpr auto first = static_cast<std::size_t>(tag_of<AttemptLaunchRequested>) - 1;
    event.payload = empty_payload(first + roll(10), event_types{});
  }
  // A run that is to stop can only end, and a cancelled job starts nothing more: rarely, or little
  // else would happen in a walk.
  const bool ends =
      event.payload.is<RunStopRequestedT>() || event.payload.is<JobCancelRequestedT>();
  if (ends && roll(20) != 0) event.payload = AttemptLaunchRequestedT{};
  event.subject.job = roll(run.jobs.size() + 2);
  const JobState* job = find_job(run, event.subject.job);
  const auto& attempts = job != nullptr ? job->attempts : run.attempts;
  event.subject.attempt = static_cast<std::uint32_t>(attempts.size()) + roll(2);
  if (roll(8) == 0) event.subject.attempt = roll(attempts.size() + 3);
  event.subject.gate = roll(run.gates.size() + 2);
  return event;
}

bool open(const AttemptState& attempt) {
  return attempt.phase != AttemptPhase::classified;
}

// What every reader of a run's state takes for granted.
void expect_invariants(const RunState& run) {
  std::uint32_t number = 0;
  for (const auto& job : run.jobs) {
    ASSERT_EQ(job->number, ++number);
    const auto still_open =
        std::ranges::count_if(job->attempts, [](const auto& attempt) { return open(*attempt); });
    ASSERT_LE(still_open, 1) << "job " << job->number << " runs twice";
    if (job->phase == JobPhase::finished) {
      ASSERT_EQ(still_open, 0) << "job " << job->number << " has ended and still runs";
      ASSERT_GT(job->finished_revision, 0u);
    }
    if (still_open > 0) {
      ASSERT_EQ(job->phase, JobPhase::running);
    }
    std::uint32_t ordinal = 0;
    for (const auto& attempt : job->attempts) ASSERT_EQ(attempt->number, ++ordinal);
  }
  number = 0;
  for (const auto& gate : run.gates) ASSERT_EQ(gate->number, ++number);
  if (run.phase != RunPhase::finished) return;
  for (const auto& job : run.jobs) ASSERT_EQ(job->phase, JobPhase::finished);
  for (const auto& probe : run.attempts) ASSERT_FALSE(open(*probe)) << "a probe outlived the run";
}

// What was admitted, counted apart from the state.
struct Counts {
  std::map<std::uint32_t, std::size_t> attempts;
  std::size_t jobs = 0, gates = 0, artifacts = 0, recoveries = 0, requests = 0;

  void count(const NewEvent& event) {
    if (event.payload.is<JobDeclaredT>()) ++jobs;
    if (event.payload.is<GateOpenedT>()) ++gates;
    if (event.payload.is<ArtifactRecordedT>()) ++artifacts;
    if (event.payload.is<RunRecoveredT>()) ++recoveries;
    if (event.payload.is<UsageRecordedT>()) ++requests;
    if (event.payload.is<AttemptLaunchRequestedT>()) {
      ++attempts[event.subject.job];
    }
  }

  void expect_in(const RunState& run) {
    ASSERT_EQ(run.jobs.size(), jobs);
    ASSERT_EQ(run.gates.size(), gates);
    ASSERT_EQ(run.artifacts, artifacts);
    ASSERT_EQ(run.recoveries, recoveries);
    ASSERT_EQ(run.usage == nullptr ? 0 : run.usage->requests, requests);
    ASSERT_EQ(run.attempts.size(), attempts[0]);
    for (const auto& job : run.jobs) ASSERT_EQ(job->attempts.size(), attempts[job->number]);
  }
};

TEST(RunCheck, RandomWalksKeepTheInvariants) {
  std::size_t finished_runs = 0, classified = 0;
  for (const std::uint64_t seed : test::seeds(40)) {
    SCOPED_TRACE(test::how_to_repeat(seed));
    std::mt19937_64 dice(seed);
    MemoryRun run;
    Counts counts;
    for (int step = 0; step < 4000; ++step) {
      const NewEvent event = random_event(run.state(), dice);
      const std::uint64_t before = run.state().revision;
      if (!run.propose(event).ok()) {
        ASSERT_EQ(run.state().revision, before);
        continue;
      }
      SCOPED_TRACE(std::string(type_name(event.payload.type())));
      counts.count(event);
      if (event.payload.is<RunFinishedT>()) ++finished_runs;
      if (event.payload.is<AttemptClassifiedT>()) ++classified;
      expect_invariants(run.state());
      counts.expect_in(run.state());
      if (testing::Test::HasFatalFailure()) return;
    }
  }
  EXPECT_GT(finished_runs, 0u) << "the walks never came to an end";
  EXPECT_GT(classified, 100u);
}

}  // namespace
}  // namespace pievt
