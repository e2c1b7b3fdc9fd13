// The fold: what each event makes true, that folding is a pure function of the events, and that
// events which make no sense change nothing and crash nothing.
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/format/codec.h"
#include "store/format/reflect.h"
#include "tests/store/format/flatbuffer_maker.h"
#include "tests/store/model/run_fixture.h"
#include "tests/store/seed.h"

namespace pievt {
namespace {

using namespace schema;  // NOLINT(google-build-using-namespace): every name below is an event
using state::AttemptPhase;
using state::JobPhase;
using state::RunPhase;

UsageRecordedT usage(std::uint64_t tokens, std::int64_t cost) {
  UsageRecordedT event;
  event.reported = Reported::reported;
  event.usage = std::make_unique<UsageT>();
  event.usage->total_tokens = tokens;
  event.usage->cost_nanodollars = cost;
  return event;
}

TEST(RunApply, AnAttemptGoesThroughItsPhases) {
  MemoryRun run = started_run();
  EXPECT_EQ(run.state().phase, RunPhase::running);
  const auto attempt = [&run]() -> const AttemptState& { return *find_attempt(run.state(), 1, 1); };
  run.happen(of_attempt<AttemptLaunchRequestedT>(1, 1));
  EXPECT_EQ(attempt().phase, AttemptPhase::launch_requested);
  EXPECT_EQ(find_job(run.state(), 1)->phase, JobPhase::running);
  EXPECT_EQ(attempt().first_revision, run.state().revision);
  run.happen(of_attempt<AttemptLaunchedT>(1, 1));
  EXPECT_EQ(attempt().phase, AttemptPhase::running);
  AttemptStopRequestedT stop;
  stop.reason = StopReason::deadline;
  stop.step = 1;
  run.happen(event(stop, {.job = 1, .attempt = 1}));
  EXPECT_EQ(attempt().phase, AttemptPhase::stopping);
  stop.reason = StopReason::cancelled;
  stop.step = 2;
  run.happen(event(stop, {.job = 1, .attempt = 1}));
  EXPECT_EQ(attempt().stop_reason, StopReason::deadline) << "the first reason is the cause";
  EXPECT_EQ(attempt().stop_step, 2u);
  AttemptExitedT exited;
  exited.signal = 15;
  exited.sender = SignalSender::supervisor;
  run.happen(event(exited, {.job = 1, .attempt = 1}));
  EXPECT_EQ(attempt().phase, AttemptPhase::exited);
  EXPECT_EQ(attempt().signal, 15u);
  EXPECT_EQ(attempt().duration_ms, 3u);  // one millisecond an event in these tests
  EXPECT_EQ(find_job(run.state(), 1)->duration_ms, 3u);
  AttemptClassifiedT classified;
  classified.ending = Ending::killed;
  run.happen(event(classified, {.job = 1, .attempt = 1}));
  EXPECT_EQ(attempt().phase, AttemptPhase::classified);
  EXPECT_EQ(attempt().last_revision, run.state().revision);
}

TEST(RunApply, UsageAddsUpInAttemptJobAndRun) {
  MemoryRun run = started_run(2);
  for (std::uint32_t job : {1u, 2u}) {
    run.happen(of_attempt<AttemptLaunchRequestedT>(job, 1));
    run.happen(event(usage(100 * job, 7), {.job = job, .attempt = 1}));
    run.happen(event(usage(1, 1), {.job = job, .attempt = 1}));
  }
  run.happen(of_attempt<UsageRecordedT>(1, 1));  // pi said nothing about this one
  EXPECT_EQ(run.state().usage->requests, 5u);
  EXPECT_EQ(run.state().usage->unreported, 1u);
  EXPECT_EQ(run.state().usage->total_tokens, 302u);
  EXPECT_EQ(run.state().usage->cost_nanodollars, 16);
  EXPECT_EQ(find_job(run.state(), 1)->usage->total_tokens, 101u);
  EXPECT_EQ(find_attempt(run.state(), 2, 1)->usage->total_tokens, 201u);
}

TEST(RunApply, ResumingTakesTheEndBack) {
  MemoryRun run = started_run();
  RunStopRequestedT stop;
  stop.mode = StopMode::now;
  stop.reason = "SIGTERM";
  run.happen(event(stop));
  run.happen(finished(1, JobStatus::cancelled));
  RunFinishedT end;
  end.ending = RunEnding::stopped;
  run.happen(event(end));
  EXPECT_EQ(run.state().phase, RunPhase::finished);
  EXPECT_GT(run.state().finished_ns, 0u);
  run.happen(event(RunResumedT{}));
  run.happen(event(JobReopenedT{}, {.job = 1}));
  EXPECT_EQ(run.state().phase, RunPhase::running);
  EXPECT_EQ(run.state().ending, RunEnding::unknown);
  EXPECT_EQ(run.state().stop_mode, StopMode::unknown);
  EXPECT_EQ(run.state().finished_ns, 0u);
  EXPECT_EQ(find_job(run.state(), 1)->phase, JobPhase::waiting);
  EXPECT_EQ(find_job(run.state(), 1)->status, JobStatus::unknown);
}

TEST(RunApply, AStopRequestNeverGetsMilder) {
  MemoryRun run = started_run();
  RunStopRequestedT stop;
  stop.mode = StopMode::now;
  run.happen(event(stop));
  stop.mode = StopMode::drain;
  run.happen(event(stop));
  EXPECT_EQ(run.state().stop_mode, StopMode::now);
}

TEST(RunApply, JobsAreFoundByNumberAndById) {
  const MemoryRun run = started_run(3);
  EXPECT_EQ(find_job(run.state(), 2)->id, "job2");
  EXPECT_EQ(find_job(run.state(), "job3")->number, 3u);
  EXPECT_EQ(find_job(run.state(), 0), nullptr);
  EXPECT_EQ(find_job(run.state(), 4), nullptr);
  EXPECT_EQ(find_job(run.state(), "job4"), nullptr);
  EXPECT_EQ(find_attempt(run.state(), 1, 1), nullptr);
  EXPECT_EQ(find_attempt(run.state(), 9, 1), nullptr);
}

TEST(RunApply, AnUnknownEventIsCountedAndChangesNothingElse) {
  MemoryRun run = started_run();
  RunState state = run_state_from_bytes(to_bytes(run.state())).value();
  std::vector<std::byte> body;
  const std::size_t size = format::BodyEncoder().append(event(RunPausedT{}), body);
  *const_cast<std::uint8_t*>(flatbuffers::GetRoot<flatbuffers::Table>(body.data())
                                 ->GetAddressOf(Envelope::VT_PAYLOAD_TYPE)) = 200;
  const Stamp stamp(1, 1, state.revision + 1, 5, 5, static_cast<std::uint32_t>(size), 0);
  EventView view;
  view.stamp = &stamp;
  view.envelope = format::verified_envelope(std::span(body).first(size));
  ASSERT_NE(view.envelope, nullptr);
  apply(state, view);
  EXPECT_EQ(state.unknown_events, 1u);
  EXPECT_EQ(state.revision, run.state().revision + 1);
  EXPECT_EQ(state.phase, RunPhase::running);
}

// Events filled by dice, about jobs and attempts that may not exist: what happened cannot be
// refused, only ignored. And the same events give the same bytes, also through a saved state.
TEST(RunApply, AnyEventsInAnyOrderFoldToTheSameBytes) {
  const auto& events = reflect::Schema::embedded_events();
  for (const std::uint64_t seed : test::seeds(6)) {
    SCOPED_TRACE(test::how_to_repeat(seed));
    std::mt19937_64 dice(seed);
    std::vector<NewEvent> story = {planned(), declared(1), declared(2), event(RunStartedT{})};
    while (story.size() < 400) {
      const auto tag =
          static_cast<std::uint8_t>(1 + dice() % static_cast<int>(schema::Payload::MAX));
      const auto body = reflect::testing::random_body(events, tag, dice);
      EventView view;
      view.envelope = format::verified_envelope(body);
      ASSERT_NE(view.envelope, nullptr);
      story.push_back({*unpack(view)});
      story.back().subject.job = static_cast<std::uint32_t>(dice() % 4);
      story.back().subject.attempt = static_cast<std::uint32_t>(dice() % 4);
      story.back().subject.gate = static_cast<std::uint32_t>(dice() % 4);
    }
    RunState once, twice;
    for (std::size_t i = 0; i < story.size(); ++i) {
      apply_new(once, story[i], {i + 1}, 1000 * i, 10 * i);
      apply_new(twice, story[i], {i + 1}, 1000 * i, 10 * i);
      if (i % 50 == 0) twice = run_state_from_bytes(to_bytes(twice)).value();
    }
    EXPECT_EQ(once.revision, story.size());
    EXPECT_EQ(to_bytes(once), to_bytes(twice));
  }
}

TEST(RunApply, DamagedSavedStatesAreErrorsOrStates) {
  MemoryRun run = started_run(2);
  run.happen(of_attempt<AttemptLaunchRequestedT>(1, 1));
  run.happen(event(usage(5, 5), {.job = 1, .attempt = 1}));
  const auto whole = to_bytes(run.state());
  for (std::size_t size = 0; size + 8 < whole.size(); size += 7) {
    EXPECT_FALSE(run_state_from_bytes(std::span(whole).first(size)).ok()) << "cut at " << size;
  }
  // A flipped bit may still be a state, if another one; folding on must then not crash either.
  std::size_t accepted = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto damaged = whole;
    damaged[at] ^= std::byte{0x10};
    auto state = run_state_from_bytes(damaged);
    if (!state.ok()) continue;
    ++accepted;
    apply_new(*state, event(usage(1, 1), {.job = 1, .attempt = 1}), {99}, 99, 99);
  }
  EXPECT_GT(accepted, 0u);
}

}  // namespace
}  // namespace pievt
