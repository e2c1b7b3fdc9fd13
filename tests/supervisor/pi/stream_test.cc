// Each event of both dialects, read from lines as pi prints them.
#include "supervisor/pi/stream.h"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing.h"

namespace pievt::pi {
namespace {

using ::testing::ElementsAre;

// The one observation of one line.
template <class Event>
Event read_one(const std::string& line) {
  auto events = only<Event>(observe(line + "\n"));
  EXPECT_EQ(events.size(), 1U) << line;
  return events.empty() ? Event{} : std::move(events.front());
}

TEST(StreamEvents, Session) {
  const auto event = read_one<SessionStarted>(
      R"({"type":"session","version":3,"id":"01a1","timestamp":"2026-11-20T12:07:40.864Z",)"
      R"("cwd":"/srv/p"})");
  EXPECT_EQ(event, (SessionStarted{{0, 1}, 3, "01a1", "/srv/p", "2026-11-20T12:07:40.864Z"}));
}

TEST(StreamEvents, EventsWithoutContent) {
  const auto observations = observe(
      "{\"type\":\"agent_start\"}\n{\"type\":\"turn_start\"}\n"
      "{\"type\":\"turn_end\",\"message\":{},\"toolResults\":[]}\n");
  EXPECT_THAT(observations,
              ElementsAre(Observation{AgentStarted{{0, 1}}}, Observation{TurnStarted{{23, 2}}},
                          Observation{TurnEnded{{45, 3}}}));
}

TEST(StreamEvents, AssistantMessageOfTheCumulativeDialect) {
  const auto message = read_one<MessageEnded>(
      R"({"type":"message_end","message":{"role":"assistant","content":[{"type":"thinking",)"
      R"("thinking":"hm\n…","thinkingSignature":"r"},{"type":"text","text":"one "},)"
      R"({"type":"toolCall","id":"c1","name":"bash","arguments":{"command":"ls",)"
      R"("n":100000000000000000000,"s":"\ud83d"}},{"type":"text","text":"two"}],)"
      R"("api":"openai-completions","provider":"stub","model":"m","usage":{"input":610,)"
      R"("output":15,"cacheRead":3,"cacheWrite":4,"totalTokens":632,"cost":{"input":0.00061,)"
      R"("output":0.000029999999999999997,"cacheRead":1e-7,"cacheWrite":0,)"
      R"("total":0.0006399999999999999}},"stopReason":"toolUse","timestamp":1795176460936,)"
      R"("responseId":"r1","responseModel":"m-2"}})");
  EXPECT_EQ(message.role, Role::assistant);
  EXPECT_EQ(message.stop_reason, StopReason::tool_use);
  EXPECT_EQ(message.stop_reason_text, "toolUse");
  EXPECT_FALSE(message.raw_stop_reason.has_value());
  EXPECT_EQ(message.text, "one two");
  EXPECT_EQ(message.thinking_bytes, 6U);
  EXPECT_EQ(message.content, (ContentCounts{2, 1, 1, 0, 0}));
  EXPECT_EQ(message.model, "m");
  EXPECT_EQ(message.response_model, "m-2");
  EXPECT_EQ(message.provider, "stub");
  EXPECT_EQ(message.api, "openai-completions");
  EXPECT_EQ(message.timestamp_ms, 1795176460936U);
  ASSERT_TRUE(message.usage.has_value());
  EXPECT_EQ(*message.usage, (Usage{610, 15, 3, 4, 632, {}, {610'000, 30'000, 100, 0, 640'000}}));
}

TEST(StreamEvents, AssistantMessageOfTheDeltaDialect) {
  const auto message = read_one<MessageEnded>(
      R"({"type":"message_end","message":{"role":"assistant","content":[{"type":"text",)"
      R"("text":"hi"}],"api":"a","provider":"p","model":"m","usage":{"input":1,"output":2,)"
      R"("cacheRead":0,"cacheWrite":0,"reasoning":7,"totalTokens":3,"cost":{"input":0,)"
      R"("output":0,"cacheRead":0,"cacheWrite":0,"total":0,"totalFromProvider":false}},)"
      R"("stopReason":"stop","timestamp":1,"rawStopReason":"stop","durationMs":53,)"
      R"("thinkingLevel":"off"}})");
  EXPECT_EQ(message.raw_stop_reason, "stop");
  EXPECT_EQ(message.duration_ms, 53U);
  ASSERT_TRUE(message.usage.has_value());
  EXPECT_EQ(message.usage->reasoning, 7U);
}

TEST(StreamEvents, FailedMessage) {
  const auto message = read_one<MessageEnded>(
      R"({"type":"message_end","message":{"role":"assistant","content":[],"usage":null,)"
      R"("stopReason":"error","errorMessage":"400: {\"message\":\"no\"}","timestamp":1}})");
  EXPECT_FALSE(message.usage.has_value());
  EXPECT_EQ(message.stop_reason, StopReason::error);
  EXPECT_EQ(message.error_message, R"(400: {"message":"no"})");
}

TEST(StreamEvents, MessagesOfOtherRoles) {
  const auto user = read_one<MessageEnded>(
      R"({"type":"message_end","message":{"role":"user","content":[{"type":"text","text":"do"},)"
      R"({"type":"image","data":"x"}],"timestamp":5}})");
  EXPECT_EQ(user.role, Role::user);
  EXPECT_EQ(user.text, "do");
  EXPECT_EQ(user.content.images, 1U);
  EXPECT_EQ(user.stop_reason, StopReason::none);
  EXPECT_FALSE(user.usage.has_value());
  const auto system = read_one<MessageEnded>(
      R"({"type":"message_end","message":{"role":"system","content":"be good",)"
      R"("sections":{"a":"b"},"timestamp":5}})");
  EXPECT_EQ(system.role, Role::system);
  EXPECT_EQ(system.text, "be good");
}

TEST(StreamEvents, TextOfOtherBlocksIsNotTheAnswer) {
  const auto message = read_one<MessageEnded>(
      R"({"type":"message_end","message":{"role":"assistant","content":[)"
      R"({"type":"summary","text":"not this"},{"text":"this","type":"text"}]}})");
  EXPECT_EQ(message.text, "this");
  EXPECT_EQ(message.content, (ContentCounts{1, 0, 0, 0, 1}));
}

TEST(StreamEvents, ToolStart) {
  const auto tool =
      read_one<ToolStarted>(R"({"type":"tool_execution_start","toolCallId":"c1","toolName":"bash",)"
                            R"("args":{"command":"a\nb", "x":[1,{}]}})");
  EXPECT_EQ(tool, (ToolStarted{{0, 1}, "c1", "bash", R"({"command":"a\nb", "x":[1,{}]})"}));
}

TEST(StreamEvents, ToolEndOfTheCumulativeDialect) {
  const auto tool = read_one<ToolEnded>(
      R"({"type":"tool_execution_end","toolCallId":"c1","toolName":"bash",)"
      R"("result":{"content":[{"type":"text","text":"partial\n\n\nCommand exited with code 3"}])"
      R"(,"details":{}},"isError":true})");
  EXPECT_EQ(tool.call_id, "c1");
  EXPECT_EQ(tool.name, "bash");
  EXPECT_TRUE(tool.is_error);
  EXPECT_EQ(tool.exit_code, 3);
  EXPECT_EQ(tool.text, "partial\n\n\nCommand exited with code 3");
  EXPECT_EQ(tool.details_json, "{}");
  EXPECT_FALSE(tool.duration_ms.has_value());
}

TEST(StreamEvents, ToolEndOfTheDeltaDialect) {
  const auto tool = read_one<ToolEnded>(
      R"({"type":"tool_execution_end","toolCallId":"c1","toolName":"bash",)"
      R"("result":{"content":[{"type":"text","text":"x"}],"structuredContent":{"output":"x",)"
      R"("truncated":false,"exit_code":127,"wall_time_seconds":0.1},"isError":true},)"
      R"("isError":true,"durationMs":6})");
  EXPECT_EQ(tool.exit_code, 127);
  EXPECT_EQ(tool.duration_ms, 6U);
  const auto read = read_one<ToolEnded>(
      R"({"type":"tool_execution_end","toolCallId":"c2","toolName":"read",)"
      R"("result":{"content":[{"type":"text","text":"alpha"}],"structuredContent":"alpha"},)"
      R"("isError":false,"durationMs":13})");
  EXPECT_FALSE(read.is_error);
  EXPECT_FALSE(read.exit_code.has_value());
  EXPECT_EQ(read.text, "alpha");
}

TEST(StreamEvents, AnExitCodeInTheTextOfASuccessIsItsText) {
  const auto tool = read_one<ToolEnded>(
      R"({"type":"tool_execution_end","toolCallId":"c","toolName":"bash",)"
      R"("result":{"content":[{"type":"text","text":"Command exited with code 3"}]},)"
      R"("isError":false})");
  EXPECT_FALSE(tool.exit_code.has_value());
}

TEST(StreamEvents, ACustomToolsReport) {
  const auto tool = read_one<ToolEnded>(
      R"({"type":"tool_execution_end","toolCallId":"c","toolName":"report",)"
      R"("result":{"content":[{"type":"text","text":"recorded"}],"details":{"status":"done",)"
      R"("summary":"all good"}},"isError":false})");
  EXPECT_EQ(tool.details_json, R"({"status":"done","summary":"all good"})");
}

TEST(StreamEvents, Retries) {
  EXPECT_EQ(read_one<RetryStarted>(
                R"({"type":"auto_retry_start","attempt":1,"maxAttempts":3,"delayMs":2000,)"
                R"("errorMessage":"429 x"})"),
            (RetryStarted{{0, 1}, 1, 3, 2000, "429 x"}));
  EXPECT_EQ(read_one<RetryEnded>(
                R"({"type":"auto_retry_end","success":false,"attempt":3,"finalError":"500 y"})"),
            (RetryEnded{{0, 1}, false, 3, "500 y"}));
  EXPECT_EQ(read_one<RetryEnded>(R"({"type":"auto_retry_end","success":true,"attempt":1})"),
            (RetryEnded{{0, 1}, true, 1, ""}));
}

TEST(StreamEvents, Compactions) {
  EXPECT_EQ(
      read_one<CompactionStarted>(R"({"type":"compaction_start","reason":"overflow"})").reason,
      CompactionReason::overflow);
  EXPECT_EQ(read_one<CompactionEnded>(
                R"({"type":"compaction_end","reason":"threshold","result":{"summary":"s",)"
                R"("tokensBefore":5},"aborted":false,"willRetry":true})"),
            (CompactionEnded{{0, 1}, CompactionReason::threshold, false, true, ""}));
  EXPECT_EQ(read_one<CompactionEnded>(
                R"({"type":"compaction_end","reason":"manual","aborted":true,"willRetry":false,)"
                R"("errorMessage":"Already compacted"})"),
            (CompactionEnded{{0, 1}, CompactionReason::manual, true, false, "Already compacted"}));
}

TEST(StreamEvents, AgentEnd) {
  EXPECT_FALSE(read_one<AgentEnded>(R"({"type":"agent_end","messages":[]})").will_retry);
  EXPECT_EQ(
      read_one<AgentEnded>(R"({"type":"agent_end","messages":[],"willRetry":true})").will_retry,
      true);
  // Inside a message it is not pi's word.
  const auto event = read_one<AgentEnded>(
      R"({"type":"agent_end","messages":[{"content":[{"arguments":{"willRetry":true}},)"
      R"({"text":",\"willRetry\":true}"}]}],"willRetry":false})");
  EXPECT_EQ(event.will_retry, false);
}

TEST(StreamEvents, AgentSettled) {
  EXPECT_TRUE(read_one<AgentSettled>(R"({"type":"agent_settled","aborted":true})").aborted);
  EXPECT_FALSE(read_one<AgentSettled>(R"({"type":"agent_settled"})").aborted);
}

TEST(StreamEvents, KeysMayComeInAnyOrder) {
  const auto message = read_one<MessageEnded>(
      R"( { "message" : { "stopReason" : "stop" , "content" : [ ] , "role" : "assistant" } ,)"
      R"( "type" : "message_end" } )");
  EXPECT_EQ(message.role, Role::assistant);
  EXPECT_EQ(message.stop_reason, StopReason::stop);
  EXPECT_EQ(
      read_one<AgentEnded>(R"({"willRetry":true,"later":{"a":[]},"type":"agent_end"})").will_retry,
      true);
}

TEST(StreamEvents, WhatIsOfNoConsequenceIsNamed) {
  const auto observations = observe(
      "{\"type\":\"message_start\",\"message\":{}}\n{\"id\":\"7\",\"type\":\"response\"}\n"
      "{\"type\":\"of_next_year\",\"x\":1}\r\n\n\r\n");
  EXPECT_THAT(observations, ElementsAre(Observation{OtherEvent{{0, 1}, "message_start"}},
                                        Observation{OtherEvent{{38, 2}, "response"}},
                                        Observation{OtherEvent{{67, 3}, "of_next_year"}}));
}

TEST(StreamEvents, ValuesOfAnotherTypeReadAsAbsent) {
  const auto message = read_one<MessageEnded>(
      R"({"type":"message_end","message":{"role":"assistant","content":{"text":"x"},)"
      R"("usage":[1],"stopReason":null,"timestamp":"2026","model":7}})");
  EXPECT_EQ(message.role, Role::assistant);
  EXPECT_EQ(message.stop_reason, StopReason::none);
  EXPECT_EQ(message.timestamp_ms, 0U);
  EXPECT_EQ(message.model, "");
}

TEST(StreamUpdates, AreSeenOncePerFeed) {
  const std::string updates =
      R"({"type":"message_update","assistantMessageEvent":{"type":"thinking_delta",)"
      R"("contentIndex":0,"delta":"a"}})"
      "\n"
      R"({"type":"message_update","usage":{"input":569,"cost":{"total":0.1}},)"
      R"("assistantMessageEvent":{"type":"text_delta","delta":"b"}})"
      "\n";
  const auto observations = observe(updates);
  ASSERT_EQ(observations.size(), 1U);
  EXPECT_EQ(std::get<Streaming>(observations[0]).kind, StreamingKind::text);
  EXPECT_EQ(start_of(observations[0]).number, 2U);
}

TEST(StreamUpdates, KeepTheirPlaceAmongTheOthers) {
  const std::string update =
      R"({"type":"message_update","usage":{},"assistantMessageEvent":{"type":"toolcall_delta"}})"
      "\n";
  const auto observations = observe(update + "{\"type\":\"turn_start\"}\n" + update);
  ASSERT_EQ(observations.size(), 2U);
  EXPECT_EQ(std::get<Streaming>(observations[0]).kind, StreamingKind::tool_call);
  EXPECT_TRUE(std::holds_alternative<TurnStarted>(observations[1]));
}

TEST(StreamUpdates, ToolOutputIsOneOfThem) {
  const auto observations =
      observe(R"({"type":"tool_execution_update","toolCallId":"c","toolName":"bash","args":{},)"
              R"("partialResult":{"content":[]}})"
              "\n");
  ASSERT_EQ(observations.size(), 1U);
  EXPECT_EQ(std::get<Streaming>(observations[0]).kind, StreamingKind::tool_output);
}

}  // namespace
}  // namespace pievt::pi
