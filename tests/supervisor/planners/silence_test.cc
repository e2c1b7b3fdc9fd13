#include "supervisor/planners/silence.h"

#include <gtest/gtest.h>

namespace pievt::planners {
namespace {

using schema::Activity;

Quiet quiet(Activity activity, std::uint64_t silent_ms) {
  return {.activity = activity, .silent_ms = silent_ms};
}

TEST(Silence, WithoutAWordInThePlanItIsNotedAndNothingElse) {
  for (const Activity activity :
       {Activity::starting, Activity::thinking, Activity::tool, Activity::provider}) {
    const SilenceStep early = silence_step(nullptr, quiet(activity, 1'000));
    EXPECT_EQ(early.move, SilenceMove::none);
    ASSERT_TRUE(early.again_at_ms);
    EXPECT_EQ(silence_step(nullptr, quiet(activity, *early.again_at_ms)).move, SilenceMove::note);
    Quiet later = quiet(activity, *early.again_at_ms * 100);
    later.noted = true;
    EXPECT_EQ(silence_step(nullptr, later).move, SilenceMove::none) << "once for each silence";
  }
}

TEST(Silence, EachActivityHasItsOwnThreshold) {
  schema::SilencePolicyT policy;
  policy.tool_ms = 5'000;
  EXPECT_EQ(silence_step(&policy, quiet(Activity::tool, 4'999)).move, SilenceMove::none);
  EXPECT_EQ(silence_step(&policy, quiet(Activity::tool, 5'000)).move, SilenceMove::stop);
  EXPECT_EQ(silence_step(&policy, quiet(Activity::provider, 5'000)).move, SilenceMove::none);
}

TEST(Silence, ALongToolIsNotedFirstAndStoppedWhenThePlanSaysSo) {
  schema::SilencePolicyT policy;
  policy.tool_ms = 1'200'000;
  const SilenceStep first = silence_step(&policy, quiet(Activity::tool, 600'000));
  EXPECT_EQ(first.move, SilenceMove::note);
  EXPECT_EQ(first.again_at_ms, 1'200'000u);
  Quiet noted = quiet(Activity::tool, 1'200'000);
  noted.noted = true;
  EXPECT_EQ(silence_step(&policy, noted).move, SilenceMove::stop);
}

TEST(Silence, WhatPiHasAnnouncedIsWork) {
  schema::SilencePolicyT policy;
  policy.provider_ms = 1;
  Quiet waiting = quiet(Activity::provider, 1'000'000);
  waiting.announced = true;
  EXPECT_EQ(silence_step(&policy, waiting).move, SilenceMove::none);
}

TEST(Silence, AfterTheLastWordItLingers) {
  EXPECT_EQ(silence_step(nullptr, quiet(Activity::ended, 29'999)).again_at_ms, 30'000u);
  EXPECT_EQ(silence_step(nullptr, quiet(Activity::ended, 30'000)).move, SilenceMove::end_lingering);
  schema::SilencePolicyT policy;
  policy.lingering_ms = 2'000;
  EXPECT_EQ(silence_step(&policy, quiet(Activity::ended, 2'000)).move, SilenceMove::end_lingering);
}

}  // namespace
}  // namespace pievt::planners
