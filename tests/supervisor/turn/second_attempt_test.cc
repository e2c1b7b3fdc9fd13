// What another attempt is told of the one before, and how many children a machine has room for.
#include "supervisor/turn/second_attempt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "supervisor/turn/admission.h"

namespace pievt::supervisor {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

JobState job_that_ended(std::string reason) {
  JobState job;
  job.reason = std::move(reason);
  job.declared = std::make_unique<schema::JobDeclaredT>();
  job.declared->retry = std::make_unique<schema::RetryPolicyT>();
  return job;
}

AttemptState attempt_with(std::uint32_t tools) {
  AttemptState attempt;
  attempt.number = 1;
  attempt.tool_calls = tools;
  return attempt;
}

TEST(SecondAttempt, IsToldWhyTheFirstDidNotDoAndWhatItLeft) {
  const std::string told =
      told_about(job_that_ended("fileCheck out.md: missing"), attempt_with(3), false);
  EXPECT_THAT(told, StartsWith("<previous_attempt number=\"1\">"));
  EXPECT_THAT(told, HasSubstr("fileCheck out.md: missing"));
  EXPECT_THAT(told, HasSubstr("It called 3 tools; what it changed in files is still there"));
}

TEST(SecondAttempt, InAnEmptyTreeIsToldThatItIsEmpty) {
  AttemptState attempt = attempt_with(1);
  attempt.isolation = schema::Isolation::worktree;
  const std::string told = told_about(job_that_ended("killed"), attempt, false);
  EXPECT_THAT(told, HasSubstr("you begin with a clean tree"));
  EXPECT_THAT(told_about(job_that_ended("killed"), attempt_with(0), false),
              HasSubstr("It called no tools."));
}

TEST(SecondAttempt, InTheSameSessionIsAskedToGoOn) {
  const std::string told = told_about(job_that_ended("429 Rate limit"), attempt_with(0), true);
  EXPECT_THAT(told, StartsWith("Your work on this task was ended before it was done: 429 Rate"));
  EXPECT_THAT(told, HasSubstr("Go on from where it stopped"));
  EXPECT_THAT(told, Not(HasSubstr("previous_attempt")));
}

TEST(SecondAttempt, ALongReasonIsCutBetweenCharacters) {
  std::string reason;
  for (int i = 0; i < 3000; ++i) reason += "é";
  const std::string told = told_about(job_that_ended(reason), attempt_with(0), true);
  EXPECT_LT(told.size(), 2300u);
  EXPECT_THAT(told, HasSubstr("é …"));
}

TEST(Admission, HasOneChildForEachShareOfMemoryAndSixtyFourAtMost) {
  constexpr std::uint64_t share = 256u << 20;
  EXPECT_EQ(children_for(8 * share, share), 8u);
  EXPECT_EQ(children_for(1000 * share, share), 64u);
  EXPECT_EQ(children_for(share / 2, share), 1u) << "somebody has to begin";
}

}  // namespace
}  // namespace pievt::supervisor
