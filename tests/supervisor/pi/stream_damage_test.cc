// Bytes that are not events: foreign text, cut lines, broken encodings, lines without end. They are
// reported, and what stands beside them is not lost.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "supervisor/pi/limits.h"
#include "testing.h"

namespace pievt::pi {
namespace {

using ::testing::ElementsAre;

const std::string settled = R"({"type":"agent_settled","aborted":false})";

void expect_unparsable(const std::string& line) {
  const auto observations = observe(line + "\n" + settled + "\n");
  ASSERT_EQ(observations.size(), 2U) << line;
  const auto* const unparsable = std::get_if<Unparsable>(&observations[0]);
  ASSERT_NE(unparsable, nullptr) << line;
  EXPECT_EQ(unparsable->at, (LineStart{0, 1}));
  EXPECT_EQ(unparsable->length, line.size());
  EXPECT_EQ(unparsable->reason, UnparsableReason::not_json);
  EXPECT_EQ(std::get<AgentSettled>(observations[1]).at, (LineStart{line.size() + 1, 2}));
}

TEST(StreamDamage, WhatIsNoEventIsReported) {
  for (const std::string line : {"plain text",
                                 "null",
                                 "[]",
                                 "\"text\"",
                                 "7",
                                 "{}",
                                 "{",
                                 "}",
                                 "{\"a\":1}",
                                 "{\"type\":7}",
                                 "{\"type\":\"\"}",
                                 "{\"type\":\"agent_start\"",
                                 "{\"type\":\"agent_start\"}}",
                                 "{\"type\":\"agent_start\"} trailing",
                                 "{\"type\":\"agent_start\",}",
                                 "{\"type\":agent_start}",
                                 "{'type':'agent_start'}",
                                 "{\"type\":\"agent_end\",\"willRetry\":yes}",
                                 "{\"type\":\"session\",\"version\":3x}",
                                 " ",
                                 "[[[[[[[[[["}) {
    expect_unparsable(line);
  }
}

TEST(StreamDamage, BytesThatAreNoTextAreReported) {
  expect_unparsable("\xFF\xFE\xFF");
  expect_unparsable(std::string(5, '\0'));
  expect_unparsable("{\"type\":\"agent_start\",\"x\":\"\xFF\"}");
  expect_unparsable(std::string("{\"type\":\"agent_start\",\"x\":\"\0\"}", 31));
  const auto observations = observe(
      "\xFF"
      "abc\n");
  ASSERT_EQ(observations.size(), 1U);
  EXPECT_EQ(std::get<Unparsable>(observations[0]).excerpt,
            "\uFFFD"
            "abc");
}

TEST(StreamDamage, ExcerptsAreShort) {
  const auto observations = observe(std::string(1000, 'x') + "\n" + "\xC3\xA9");
  ASSERT_EQ(observations.size(), 2U);
  EXPECT_EQ(std::get<Unparsable>(observations[0]).excerpt,
            std::string(limits::excerpt_size_max, 'x'));
  EXPECT_EQ(std::get<Unparsable>(observations[0]).length, 1000U);
}

TEST(StreamDamage, TextGluedInFrontOfAnEventIsTakenOff) {
  const auto observations = observe("noise {\"type\":\"x\"} [1]" + settled + "\n");
  ASSERT_EQ(observations.size(), 2U);
  const auto& junk = std::get<Unparsable>(observations[0]);
  EXPECT_EQ(junk.reason, UnparsableReason::glued);
  EXPECT_EQ(junk.at, (LineStart{0, 1}));
  EXPECT_EQ(junk.length, 22U);
  EXPECT_EQ(junk.excerpt, "noise {\"type\":\"x\"} [1]");
  EXPECT_EQ(std::get<AgentSettled>(observations[1]).at, (LineStart{22, 1}));
}

TEST(StreamDamage, ForeignBytesInFrontOfAnEventMayBeAnything) {
  const std::string junk("\xFF\0{{\"\\", 6);
  const auto observations = observe(junk + settled + "\n");
  ASSERT_EQ(observations.size(), 2U);
  EXPECT_EQ(std::get<Unparsable>(observations[0]).length, 6U);
  EXPECT_TRUE(std::holds_alternative<AgentSettled>(observations[1]));
}

TEST(StreamDamage, TwoEventsOnOneLineAreTwoEvents) {
  const auto observations = observe("{\"type\":\"turn_start\"}" + settled + "\n");
  EXPECT_THAT(observations, ElementsAre(Observation{TurnStarted{{0, 1}}},
                                        Observation{AgentSettled{{21, 1}, false}}));
}

TEST(StreamDamage, ATornEventInFrontOfAnotherIsReported) {
  const std::string torn =
      R"({"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":"ab)";
  const auto observations = observe(torn + settled + "\n");
  ASSERT_EQ(observations.size(), 2U);
  EXPECT_EQ(std::get<Unparsable>(observations[0]).length, torn.size());
  EXPECT_TRUE(std::holds_alternative<AgentSettled>(observations[1]));
}

TEST(StreamDamage, OnlyEventsAreRecovered) {
  const auto observations = observe("noise {\"type\":\"text\",\"text\":\"x\"}\n");
  ASSERT_EQ(observations.size(), 1U);
  EXPECT_EQ(std::get<Unparsable>(observations[0]).reason, UnparsableReason::not_json);
}

TEST(StreamDamage, TextGluedInFrontOfAnUpdateIsTakenOff) {
  const auto observations = observe(
      "noise"
      R"({"type":"message_update","assistantMessageEvent":{"type":"text_delta"}})"
      "\n");
  ASSERT_EQ(observations.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<Unparsable>(observations[0]));
  EXPECT_TRUE(std::holds_alternative<Streaming>(observations[1]));
}

TEST(StreamDamage, AnUpdateThatIsCutIsReported) {
  const auto observations =
      observe(R"({"type":"message_update","assistantMessageEvent":{"type":"text_delta")"
              "\n");
  ASSERT_EQ(observations.size(), 1U);
  EXPECT_EQ(std::get<Unparsable>(observations[0]).reason, UnparsableReason::not_json);
}

TEST(StreamDamage, ManyPlacesToBeginCostBoundedTime) {
  std::string line;
  while (line.size() < (std::size_t{4} << 20)) line += R"({"type":"agent_start",)";
  const auto observations = observe(line + "\n" + settled + "\n");
  ASSERT_EQ(observations.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<Unparsable>(observations[0]));
}

TEST(StreamDamage, DeepNestingIsHarmless) {
  const std::string open(200'000, '[');
  const std::string close(200'000, ']');
  const auto observations = observe(
      "{\"type\":\"later\",\"x\":" + open + close + "}\n" + "{\"type\":\"later\",\"x\":" + open +
      "}\n{\"type\":\"tool_execution_start\",\"args\":" + open + close + "}\n");
  ASSERT_EQ(observations.size(), 3U);
  EXPECT_TRUE(std::holds_alternative<OtherEvent>(observations[0]));
  EXPECT_TRUE(std::holds_alternative<Unparsable>(observations[1]));
  EXPECT_TRUE(std::holds_alternative<ToolStarted>(observations[2]));
}

TEST(StreamDamage, ALastLineWithoutNewlineCountsIfItIsWhole) {
  EXPECT_TRUE(std::holds_alternative<AgentSettled>(observe(settled).at(0)));
  const auto cut = observe(settled.substr(0, 30));
  ASSERT_EQ(cut.size(), 1U);
  EXPECT_EQ(std::get<Unparsable>(cut[0]).reason, UnparsableReason::unterminated);
}

TEST(StreamDamage, AnOverlongLineIsReportedOnce) {
  const std::string head = R"({"type":"message_end","message":{"role":"user","content":")";
  const std::string line = head + std::string(limits::line_size_max, 'x') + "\"}}";
  const auto observations = observe(line + "\n" + settled + "\n", 65536);
  ASSERT_EQ(observations.size(), 2U);
  const auto& unparsable = std::get<Unparsable>(observations[0]);
  EXPECT_EQ(unparsable.reason, UnparsableReason::oversized);
  EXPECT_EQ(unparsable.length, line.size());
  EXPECT_TRUE(unparsable.excerpt.starts_with(head));
  EXPECT_EQ(start_of(observations[1]), (LineStart{line.size() + 1, 2}));
}

TEST(StreamDamage, AnOverlongAgentEndIsStillOne) {
  const std::string messages(limits::line_size_max, ' ');
  const std::string begin = R"({"type":"agent_end","messages":[{}])" + messages;
  const std::string old_dialect = R"({"type":"agent_end","messages":[)" + messages + "{}]}";
  const auto observations = observe(
      begin + ",\"willRetry\":true}\n" + begin + ",\"willRetry\":false} \r\n" + old_dialect + "\n" +
          R"({"type":"turn_end","message":{},"toolResults":[)" + messages + "]}\n" + old_dialect,
      65536);
  EXPECT_EQ(observations.size(), 5U);
  const auto ends = only<AgentEnded>(observations);
  ASSERT_EQ(ends.size(), 3U) << "the last one has no newline: it may be cut";
  EXPECT_EQ(ends[0].will_retry, true);
  EXPECT_EQ(ends[1].will_retry, false);
  EXPECT_FALSE(ends[2].will_retry.has_value());
  EXPECT_EQ(only<TurnEnded>(observations).size(), 1U);
  EXPECT_EQ(only<Unparsable>(observations).size(), 1U);
}

}  // namespace
}  // namespace pievt::pi
