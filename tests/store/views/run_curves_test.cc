// What a story adds up to over time.
#include "pievt/run_curves.h"

#include <gtest/gtest.h>

#include "tests/store/views/tale.h"

namespace pievt {
namespace {

TEST(RunCurves, ConcurrencyIsWhatRanAgainstWhatMight) {
  const auto curve = concurrency_curve(whole_tale().story());
  const auto step = [&](std::size_t i) {
    return std::pair(curve.at(i).running, curve.at(i).allowed);
  };
  ASSERT_EQ(curve.size(), 6u);
  EXPECT_EQ(step(0), std::pair(0u, 2u));
  EXPECT_EQ(step(1), std::pair(1u, 2u));  // #6
  EXPECT_EQ(step(2), std::pair(0u, 2u));  // #12
  EXPECT_EQ(step(3), std::pair(0u, 1u));  // #15, throttled
  EXPECT_EQ(step(4), std::pair(1u, 1u));
  EXPECT_EQ(step(5), std::pair(0u, 1u));
  EXPECT_EQ(curve[3].revision, 15u);
}

TEST(RunCurves, BucketsHoldEveryRequestOnce) {
  const RunStory story = whole_tale().story();
  for (const std::uint64_t width : {std::uint64_t{0}, second, 7 * second, 10'000 * second}) {
    const auto buckets = request_buckets(story, width);
    ASSERT_LE(buckets.size(), story::buckets_max);
    std::uint64_t ok = 0, failed = 0, unreported = 0;
    for (const auto& bucket : buckets)
      ok += bucket.ok, failed += bucket.failed, unreported += bucket.unreported;
    EXPECT_EQ(ok, 2u);
    EXPECT_EQ(failed, 2u);
    EXPECT_EQ(unreported, 2u);
    EXPECT_EQ(buckets.back().cost_so_far_nanodollars, 12);
  }
}

TEST(RunCurves, PhasesHaveNeitherHolesNorOverlaps) {
  const Tale tale = whole_tale();
  for (std::size_t events = 1; events <= tale.size(); ++events) {
    const RunStory story = tale.story(events);
    for (const story::Attempt& attempt : story.attempts) {
      const auto spans = phases(attempt, story.last.at_ns);
      for (std::size_t i = 1; i < spans.size(); ++i) {
        EXPECT_EQ(spans[i].from_ns, spans[i - 1].to_ns);
        EXPECT_NE(spans[i].phase, spans[i - 1].phase);
      }
      for (const auto& span : spans) EXPECT_LT(span.from_ns, span.to_ns);
    }
  }
  const auto spans = phases(tale.story().attempts.at(0), 0);
  ASSERT_EQ(spans.size(), 4u);
  EXPECT_EQ(spans[0].phase, story::Phase::starting);
  EXPECT_EQ(spans[1].phase, story::Phase::model);
  EXPECT_EQ(spans[2].phase, story::Phase::provider_wait);
  EXPECT_EQ(spans[2].to_ns - spans[2].from_ns, 2 * second);
  EXPECT_EQ(spans[3].phase, story::Phase::model);
}

// An imported record has failed requests and no word of the waits between them.
TEST(RunCurves, WithoutWordsOfWaitsWhoAskedAgainWaited) {
  story::Attempt attempt;
  attempt.requested = {1, second};
  attempt.launched = {2, second};
  attempt.session = {3, 2 * second};
  attempt.exited = {7, 10 * second};
  const auto answer = [&](std::uint64_t revision, std::uint64_t at, bool failed) {
    story::Request request;
    request.answered = {revision, at * second};
    request.failed = failed;
    attempt.requests.push_back(request);
  };
  answer(4, 3, true);
  answer(5, 5, true);
  answer(6, 8, false);
  const auto spans = phases(attempt, 0);
  ASSERT_EQ(spans.size(), 4u);
  EXPECT_EQ(spans[1].phase, story::Phase::model);
  EXPECT_EQ(spans[2].phase, story::Phase::provider_wait);
  EXPECT_EQ(spans[2].from_ns, 3 * second);
  EXPECT_EQ(spans[2].to_ns, 8 * second);
  EXPECT_EQ(spans[3].phase, story::Phase::model);
  // Where pi told of a wait, its word holds.
  story::ProviderRetry retry;
  retry.began = {4, 3 * second};
  retry.delay_ms = 500;
  attempt.retries.push_back(retry);
  EXPECT_EQ(phases(attempt, 0)[2].to_ns, 3 * second + second / 2);
}

}  // namespace
}  // namespace pievt
