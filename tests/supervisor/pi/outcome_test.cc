// Each ending, from facts alone.
#include "supervisor/pi/outcome.h"

#include <string>

#include <gtest/gtest.h>

#include "testing.h"

namespace pievt::pi {
namespace {

constexpr ExitFacts exit_zero{0, {}, Interface::json};

// The facts of a run that came to its end with this message.
StreamFacts ended_with(FinalMessage message) {
  StreamFacts facts;
  facts.header_seen = true;
  facts.agent_runs = 1;
  facts.agent_end_seen = true;
  facts.final_message = std::move(message);
  return facts;
}

FinalMessage answer() {
  FinalMessage message;
  message.stop_reason = StopReason::stop;
  message.stop_reason_text = "stop";
  message.visible_characters = 5;
  message.total_tokens = 100;
  return message;
}

FinalMessage failure(const std::string& error) {
  FinalMessage message;
  message.stop_reason = StopReason::error;
  message.stop_reason_text = "error";
  message.error_message = error;
  return message;
}

Ending ending_of(const StreamFacts& facts, const ExitFacts& exit = exit_zero,
                 const SessionTail& session = {}) {
  return decide_outcome(facts, exit, session).ending;
}

TEST(OutcomeTest, ByTheLastMessage) {
  FinalMessage message = answer();
  EXPECT_EQ(ending_of(ended_with(message)), Ending::ok);
  message.visible_characters = 0;
  EXPECT_EQ(ending_of(ended_with(message)), Ending::empty);
  message.thinking_bytes = 10;
  EXPECT_EQ(ending_of(ended_with(message)), Ending::thinking_only);
  message.tool_calls = 1;
  EXPECT_EQ(ending_of(ended_with(message)), Ending::tool_only);
  message.stop_reason = StopReason::length;
  EXPECT_EQ(ending_of(ended_with(message)), Ending::truncated);
  message.stop_reason = StopReason::tool_use;
  EXPECT_EQ(ending_of(ended_with(message)), Ending::incomplete);
  message.stop_reason = StopReason::aborted;
  EXPECT_EQ(ending_of(ended_with(message)), Ending::aborted);
  message.stop_reason = StopReason::other;
  message.stop_reason_text = "deferred";
  const Outcome unknown = decide_outcome(ended_with(message), exit_zero, {});
  EXPECT_EQ(unknown.ending, Ending::failed);
  EXPECT_EQ(unknown.reason, "unknown stop reason \"deferred\"");
}

TEST(OutcomeTest, AFailureNamesTheProvidersPart) {
  const Outcome limited = decide_outcome(ended_with(failure("429 Rate limit")), exit_zero, {});
  EXPECT_EQ(limited.ending, Ending::failed);
  EXPECT_EQ(limited.failure, ProviderFailure::rate_limited);
  EXPECT_EQ(limited.http_status, 429);
  EXPECT_EQ(limited.retryable, Retryable::yes);
  EXPECT_EQ(limited.reason, "error: 429 Rate limit");
  const Outcome silent = decide_outcome(ended_with(failure("")), exit_zero, {});
  EXPECT_EQ(silent.failure, ProviderFailure::other);
  EXPECT_EQ(silent.retryable, Retryable::no);
}

TEST(OutcomeTest, ASignalOutweighsTheStream) {
  EXPECT_EQ(ending_of(ended_with(answer()), {{}, 9, Interface::json}), Ending::killed);
  for (const int code : {129, 137, 143}) {
    EXPECT_EQ(ending_of(ended_with(answer()), {code, {}, Interface::json}), Ending::killed);
  }
  EXPECT_EQ(decide_outcome({}, {{}, 15, Interface::json}, {}).reason, "killed by SIGTERM");
  EXPECT_EQ(decide_outcome({}, {{}, 63, Interface::json}, {}).reason, "signal 63");
}

TEST(OutcomeTest, ABadExitBeforeOrInTheMiddle) {
  const ExitFacts bad{1, {}, Interface::json};
  EXPECT_EQ(ending_of({}, bad), Ending::failed_to_run);
  StreamFacts only_header;
  only_header.header_seen = true;
  EXPECT_EQ(ending_of(only_header, bad), Ending::failed_to_run);
  EXPECT_EQ(ending_of(ended_with(answer()), bad), Ending::failed);
  StreamFacts rpc = ended_with(answer());
  rpc.header_seen = false;
  EXPECT_EQ(ending_of(rpc, {1, {}, Interface::rpc}), Ending::failed) << "rpc prints no header";
}

TEST(OutcomeTest, NothingToDo) {
  EXPECT_EQ(ending_of({}), Ending::no_run);
}

TEST(OutcomeTest, AStreamThatStopsShortIsDecidedByTheSession) {
  StreamFacts open;
  open.header_seen = true;
  open.agent_runs = 1;
  open.run_open = true;
  EXPECT_EQ(ending_of(open), Ending::incomplete);
  SessionTail session;
  session.last_assistant = answer();
  EXPECT_EQ(ending_of(open, exit_zero, session), Ending::ok);
  session.last_assistant = failure("500 oops");
  const Outcome failed = decide_outcome(open, exit_zero, session);
  EXPECT_EQ(failed.ending, Ending::failed);
  EXPECT_EQ(failed.failure, ProviderFailure::server_error);
  session.last_assistant = answer();
  EXPECT_EQ(ending_of(open, {{}, {}, Interface::json}, session), Ending::incomplete)
      << "nobody knows why it stopped";
}

TEST(OutcomeTest, AnAnswerWithoutAgentEndIsDecidedByTheSession) {
  StreamFacts facts = ended_with(answer());
  facts.agent_end_seen = false;
  facts.run_open = true;
  EXPECT_EQ(ending_of(facts), Ending::incomplete);
  SessionTail session;
  session.last_assistant = answer();
  session.last_assistant->stop_reason = StopReason::length;
  EXPECT_EQ(ending_of(facts, exit_zero, session), Ending::truncated);
}

TEST(OutcomeTest, OnlyAnOverflowIsLost) {
  StreamFacts facts = ended_with(answer());
  facts.compaction_open = CompactionReason::threshold;
  EXPECT_EQ(ending_of(facts), Ending::ok) << "0.73 ends on it when the context is nearly full";
  facts.compaction_open = CompactionReason::overflow;
  EXPECT_EQ(ending_of(facts), Ending::lost);
}

TEST(OutcomeTest, ZeroUsageIsSuspectUnlessTheProviderSaidStop) {
  FinalMessage message = answer();
  message.total_tokens = 0;
  EXPECT_EQ(ending_of(ended_with(message)), Ending::suspect);
  message.has_raw_stop_reason = true;
  EXPECT_EQ(ending_of(ended_with(message)), Ending::ok);
}

TEST(OutcomeTest, AWholeStreamNeedsNoWitnessOfTheExit) {
  EXPECT_EQ(ending_of(ended_with(answer()), {{}, {}, Interface::json}), Ending::ok);
}

TEST(OutcomeTest, AnUnfinishedRetryIsIncomplete) {
  StreamFacts facts = ended_with(failure("500 oops"));
  facts.retry_pending = true;
  const Outcome outcome = decide_outcome(facts, exit_zero, {});
  EXPECT_EQ(outcome.ending, Ending::incomplete);
  EXPECT_EQ(outcome.failure, ProviderFailure::server_error);
  EXPECT_EQ(outcome.retryable, Retryable::yes);
}

TEST(OutcomeTest, AMessageTooLongToReadIsNotReplacedByTheOneBefore) {
  const std::string before =
      R"({"type":"message_end","message":{"role":"assistant","content":[{"type":"text",)"
      R"("text":"x"}],"usage":{"totalTokens":1},"stopReason":"stop"}})"
      "\n";
  const std::string big =
      R"({"type":"message_end","message":{"role":"assistant","content":[{"type":"text","text":")" +
      std::string(17U << 20, 'x') + R"("}],"stopReason":"length"}})" + "\n";
  const std::string stream =
      "{\"type\":\"agent_start\"}\n" + before + big + "{\"type\":\"agent_end\",\"messages\":[]}\n";
  EXPECT_EQ(ending_of(facts_of(observe(stream, 65536))), Ending::incomplete);
}

TEST(StreamFactsTest, WhatIsPendingIsSettledByWhatFollows) {
  StreamFacts facts;
  apply(facts, RetryStarted{});
  EXPECT_TRUE(facts.retry_pending);
  apply(facts, CompactionStarted{{}, CompactionReason::overflow});
  EXPECT_EQ(facts.compaction_open, CompactionReason::overflow);
  StreamFacts restarted = facts;
  apply(restarted, AgentStarted{});
  EXPECT_FALSE(restarted.retry_pending);
  EXPECT_FALSE(restarted.compaction_open.has_value());
  apply(facts, RetryEnded{});
  apply(facts, CompactionEnded{});
  EXPECT_FALSE(facts.retry_pending);
  EXPECT_FALSE(facts.compaction_open.has_value());
}

TEST(StreamFactsTest, ASecondRunReopensWhatTheFirstClosed) {
  StreamFacts facts;
  apply(facts, AgentStarted{});
  apply(facts, AgentEnded{});
  apply(facts, AgentSettled{});
  EXPECT_TRUE(facts.agent_end_seen && facts.settled && !facts.run_open);
  apply(facts, AgentStarted{});
  EXPECT_TRUE(!facts.agent_end_seen && !facts.settled && facts.run_open);
}

TEST(StreamFactsTest, SumsSaturate) {
  Usage most;
  most.input = ~std::uint64_t{0};
  most.cost.total_nano_usd = INT64_MAX;
  MessageEnded message;
  message.role = Role::assistant;
  message.usage = most;
  StreamFacts facts;
  apply(facts, message);
  apply(facts, message);
  EXPECT_EQ(facts.usage.input, ~std::uint64_t{0});
  EXPECT_EQ(facts.usage.cost.total_nano_usd, INT64_MAX);
}

TEST(StreamFactsTest, MemoryIsBounded) {
  MessageEnded message;
  message.role = Role::assistant;
  message.text = std::string(1 << 20, 'x');
  message.error_message = std::string(1 << 20, 'e');
  const FinalMessage summary = summary_of(message);
  EXPECT_EQ(summary.visible_characters, 1U << 20);
  EXPECT_LE(summary.error_message.size(), 2048U);
}

TEST(OutcomeTest, EveryEnumeratorHasAName) {
  EXPECT_EQ(name_of(Ending::ok), "ok");
  EXPECT_EQ(name_of(Ending::failed_to_run), "failed_to_run");
  EXPECT_EQ(name_of(Ending::suspect), "suspect");
  EXPECT_EQ(name_of(ProviderFailure::other), "other");
  EXPECT_EQ(name_of(Retryable::not_in_this_session), "not_in_this_session");
  EXPECT_EQ(name_of(StopReason::other), "other");
  EXPECT_EQ(name_of(Role::other), "other");
  EXPECT_EQ(name_of(CompactionReason::other), "other");
  EXPECT_EQ(name_of(StreamingKind::tool_output), "tool_output");
  EXPECT_EQ(name_of(UnparsableReason::unterminated), "unterminated");
}

}  // namespace
}  // namespace pievt::pi
