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

// Every answer says what it used, and is counted once although turn_end and agent_end repeat it.
void expect_usage_on_every_answer(const Capture& capture) {
  const auto observations = observe(capture.stdout_bytes);
  std::uint64_t answers = 0;
  std::uint64_t tokens = 0;
  for (const auto& message : only<MessageEnded>(observations)) {
    if (message.role != Role::assistant) continue;
    answers += 1;
    ASSERT_TRUE(message.usage.has_value()) << capture.name;
    tokens += message.usage->total_tokens;
    EXPECT_FALSE(message.model.empty()) << capture.name;
    EXPECT_GT(message.timestamp_ms, 1'700'000'000'000U) << capture.name;
  }
  const StreamFacts facts = facts_of(observations);
  EXPECT_EQ(facts.assistant_messages, answers) << capture.name;
  EXPECT_EQ(facts.usage.total_tokens, tokens) << capture.name;
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
    expect_usage_on_every_answer(capture);
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
