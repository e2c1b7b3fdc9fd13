// Every recorded run gets the verdict that was established for it by hand, in both dialects. The
// verdict tables were made once with the reference procedure and are data, not code.
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "testing.h"

namespace pievt::pi {
namespace {

// The reference procedure knew one kind of empty answer.
std::string verdict_of(const Outcome& outcome) {
  if (outcome.ending == Ending::thinking_only || outcome.ending == Ending::tool_only) {
    return "empty";
  }
  return std::string{name_of(outcome.ending)};
}

void expect_verdicts(const std::vector<Capture>& captures) {
  for (const Capture& capture : captures) {
    const Outcome outcome = outcome_of(capture);
    EXPECT_EQ(verdict_of(outcome), capture.verdict)
        << capture.version << " " << capture.name << ": " << outcome.reason;
    EXPECT_FALSE(outcome.reason.empty()) << capture.name;
  }
}

// 1.x prints its own word for a settled run; the dialect must not matter to what is read.
void expect_same_usage_as_agent_end_repeats(const Capture& capture) {
  std::uint64_t assistant_messages = 0;
  for (const auto& message : only<MessageEnded>(observe(capture.stdout_bytes))) {
    if (message.role != Role::assistant) continue;
    assistant_messages += 1;
    EXPECT_TRUE(message.usage.has_value()) << capture.name;
    EXPECT_FALSE(message.model.empty()) << capture.name;
    EXPECT_GT(message.timestamp_ms, 1'700'000'000'000U) << capture.name;
  }
  const StreamFacts facts = facts_of(observe(capture.stdout_bytes));
  EXPECT_EQ(facts.assistant_messages, assistant_messages) << capture.name;
}

TEST(Captures, SmallOnesGetTheirVerdicts) {
  const std::vector<Capture> captures = small_captures();
  ASSERT_GE(captures.size(), 12U);
  expect_verdicts(captures);
}

TEST(Captures, RecordedOnesGetTheirVerdicts) {
  const auto captures = recorded_captures();
  if (!captures) GTEST_SKIP() << "the recorded runs are not on this machine";
  ASSERT_EQ(captures->size(), 180U);
  std::set<std::string> verdicts;
  for (const Capture& capture : *captures) verdicts.insert(capture.verdict);
  EXPECT_EQ(verdicts.size(), 9U) << "the table covers every verdict of the reference procedure";
  expect_verdicts(*captures);
}

TEST(Captures, RecordedOnesHoldNothingUnparsable) {
  const auto captures = recorded_captures();
  if (!captures) GTEST_SKIP() << "the recorded runs are not on this machine";
  for (const Capture& capture : *captures) {
    const auto observations = observe(capture.stdout_bytes);
    EXPECT_TRUE(only<Unparsable>(observations).empty()) << capture.version << " " << capture.name;
    expect_same_usage_as_agent_end_repeats(capture);
  }
}

TEST(Captures, RecordedOnesDoNotDependOnChunks) {
  const auto captures = recorded_captures();
  if (!captures) GTEST_SKIP() << "the recorded runs are not on this machine";
  for (const Capture& capture : *captures) {
    const auto whole = without_streaming(observe(capture.stdout_bytes));
    EXPECT_EQ(without_streaming(observe(capture.stdout_bytes, 4096)), whole) << capture.name;
    EXPECT_EQ(without_streaming(observe(capture.stdout_bytes, 777)), whole) << capture.name;
  }
}

}  // namespace
}  // namespace pievt::pi
