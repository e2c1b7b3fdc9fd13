// The traps of pi's stream that were found by measuring it, each held by one test.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "supervisor/pi/limits.h"
#include "testing.h"

namespace pievt::pi {
namespace {

std::vector<Observation> observations_of(std::string_view capture) {
  return observe(small_capture(capture).stdout_bytes);
}

// Exit code 0 for a refused, a cut and a lost run alike.
TEST(Traps, ExitZeroSaysNothing) {
  for (const std::string_view name : {"delta-cut-connection", "delta-length",
                                      "cumulative-overflow-lost", "cumulative-clean-eof"}) {
    const Capture capture = small_capture(name);
    ASSERT_EQ(capture.exit.exit_code, 0) << name;
    EXPECT_NE(outcome_of(capture).ending, Ending::ok) << name;
  }
}

// 0.73 repeats the whole answer twice in every update: an answer of 100 KB, in updates of 200 KB.
TEST(Traps, CumulativeUpdatesStayFlat) {
  const std::string answer(100'000, 'x');
  const std::string update =
      R"({"type":"message_update","assistantMessageEvent":{"type":"text_delta",)"
      R"("contentIndex":0,"delta":"x","partial":{"role":"assistant","content":[{"type":"text",)"
      R"("text":")" +
      answer + R"("}]}},"message":{"role":"assistant","content":[{"type":"text","text":")" +
      answer + "\"}]}}\n";
  Stream stream;
  std::size_t most_held = 0;
  std::size_t updates_seen = 0;
  for (int i = 0; i < 20; ++i) {
    for (std::size_t at = 0; at < update.size(); at += 4096) {
      std::size_t in_this_feed = 0;
      stream.feed(std::string_view{update}.substr(at, 4096), [&](Observation&& observation) {
        ASSERT_EQ(std::get<Streaming>(observation).kind, StreamingKind::text);
        in_this_feed += 1;
      });
      ASSERT_LE(in_this_feed, 1U);
      updates_seen += in_this_feed;
      most_held = std::max(most_held, stream.held_size());
    }
  }
  EXPECT_EQ(updates_seen, 20U);
  EXPECT_LE(most_held, 4096U);
}

// 0.73 goes on unseen after a context overflow and runs tools; its stream ends on compaction_start.
TEST(Traps, OverflowIsLost) {
  const Outcome outcome = outcome_of(small_capture("cumulative-overflow-lost"));
  EXPECT_EQ(outcome.ending, Ending::lost);
  EXPECT_EQ(outcome.failure, ProviderFailure::context_overflow);
  EXPECT_EQ(outcome.http_status, 400);
  EXPECT_EQ(outcome.retryable, Retryable::not_in_this_session);
}

// 1.x recovers in the open: agent_end says willRetry false, and the run goes on all the same.
TEST(Traps, WillRetryFalseIsNotTheEnd) {
  const auto observations = observations_of("delta-overflow-compacts");
  const auto ends = only<AgentEnded>(observations);
  ASSERT_EQ(ends.size(), 2U);
  EXPECT_EQ(ends[0].will_retry, false);
  const auto first_end = std::ranges::find_if(observations, [](const Observation& observation) {
    return std::holds_alternative<AgentEnded>(observation);
  });
  const std::vector<Observation> until_first_end(observations.begin(), first_end + 1);
  EXPECT_EQ(decide_outcome(facts_of(until_first_end), {0, {}, Interface::json}, {}).ending,
            Ending::incomplete)
      << "without agent_settled nothing is over";
  EXPECT_EQ(outcome_of(small_capture("delta-overflow-compacts")).ending, Ending::ok);
}

// 0.73 calls an answer whose connection closed early a success.
TEST(Traps, CleanEofIsSuspect) {
  EXPECT_EQ(outcome_of(small_capture("cumulative-clean-eof")).ending, Ending::suspect);
  EXPECT_EQ(outcome_of(small_capture("delta-cut-connection")).ending, Ending::failed);
}

// ... and runs a tool call that was cut in the middle, with what it had of the arguments.
TEST(Traps, ToolsRunOnCutArgumentsAreNoted) {
  const Capture capture = small_capture("cumulative-cut-tool-call");
  EXPECT_EQ(facts_of(observe(capture.stdout_bytes)).doubtful_tools, 1U);
  const Outcome outcome = outcome_of(capture);
  EXPECT_EQ(outcome.ending, Ending::ok);
  EXPECT_NE(outcome.reason.find("may have been cut"), std::string::npos) << outcome.reason;
  EXPECT_EQ(facts_of(observations_of("cumulative-tool")).doubtful_tools, 0U);
}

// 0.73 with a slow extension handler prints four lines and exits 0; the session file has the run.
TEST(Traps, SlowHandlerFallsBackToSession) {
  const Capture capture = small_capture("cumulative-slow-handler");
  EXPECT_EQ(observe(capture.stdout_bytes).size(), 4U);
  const Outcome outcome = outcome_of(capture);
  EXPECT_EQ(outcome.ending, Ending::ok);
  EXPECT_TRUE(outcome.reason.starts_with("stream incomplete")) << outcome.reason;
}

// A program started by an extension writes to the same descriptor, with and without a newline.
TEST(Traps, ForeignLinesOnStdout) {
  for (const std::string_view name : {"cumulative-foreign-lines", "delta-foreign-lines"}) {
    const auto observations = observations_of(name);
    const auto unparsable = only<Unparsable>(observations);
    ASSERT_EQ(unparsable.size(), 3U) << name;
    EXPECT_EQ(unparsable[0].excerpt, "a foreign line");
    EXPECT_EQ(unparsable[1].excerpt, R"({"level":"info","msg":"foreign json"})");
    EXPECT_EQ(unparsable[2].excerpt, "noise without a newline ");
    EXPECT_EQ(unparsable[2].reason, UnparsableReason::glued);
    EXPECT_EQ(only<TurnEnded>(observations).size(), 1U) << "the event behind the noise";
    EXPECT_EQ(outcome_of(small_capture(name)).ending, Ending::ok);
  }
}

// pi retries by itself; a failed attempt inside a run that went on is not a failed run.
TEST(Traps, RetriesInsidePiAreCountedNotJudged) {
  const StreamFacts facts = facts_of(observations_of("cumulative-retry"));
  EXPECT_EQ(facts.retries, 1U);
  EXPECT_EQ(facts.failed_messages, 1U);
  EXPECT_EQ(facts.agent_runs, 2U);
  EXPECT_EQ(facts.earlier_failures, 0U);
  EXPECT_EQ(outcome_of(small_capture("cumulative-retry")).ending, Ending::ok);
  const StreamFacts given_up = facts_of(observations_of("delta-cut-connection"));
  EXPECT_EQ(given_up.retries, 3U);
  EXPECT_EQ(given_up.failed_messages, 4U);
}

// Usage stands in message_end, turn_end and agent_end; it is money once.
TEST(Traps, UsageIsCountedOnce) {
  const StreamFacts facts = facts_of(observations_of("cumulative-tool"));
  EXPECT_EQ(facts.assistant_messages, 2U);
  EXPECT_EQ(facts.usage.input, 610U + 683U);
  EXPECT_EQ(facts.usage.output, 15U + 7U);
  EXPECT_EQ(facts.usage.cost.total_nano_usd, 640'000 + 697'000);
}

// With several prompts in one process the exit code and the last run hide a failed first one.
TEST(Traps, AFailedFirstPromptIsNoted) {
  const Capture capture = small_capture("cumulative-two-prompts");
  EXPECT_EQ(facts_of(observe(capture.stdout_bytes)).earlier_failures, 1U);
  const Outcome outcome = outcome_of(capture);
  EXPECT_EQ(outcome.ending, Ending::ok);
  EXPECT_NE(outcome.reason.find("1 earlier prompt(s) failed"), std::string::npos);
}

// SIGINT leaves no exit code, SIGTERM an exit code of its own; neither is a verdict on the model.
TEST(Traps, SignalsAreKilledInBothForms) {
  const Outcome interrupted = outcome_of(small_capture("cumulative-interrupted"));
  EXPECT_EQ(interrupted.ending, Ending::killed);
  EXPECT_EQ(interrupted.reason, "killed by SIGINT");
  EXPECT_EQ(outcome_of(small_capture("delta-sigterm")).ending, Ending::killed);
}

// Both dialects tell the same story about the same task.
TEST(Traps, DialectsAgree) {
  const StreamFacts old_dialect = facts_of(observations_of("cumulative-tool"));
  const StreamFacts new_dialect = facts_of(observations_of("delta-tool"));
  EXPECT_EQ(old_dialect.turns, new_dialect.turns);
  EXPECT_EQ(old_dialect.tools_ended, new_dialect.tools_ended);
  EXPECT_EQ(old_dialect.usage.output, new_dialect.usage.output);
  ASSERT_TRUE(old_dialect.final_message && new_dialect.final_message);
  EXPECT_EQ(old_dialect.final_message->visible_characters,
            new_dialect.final_message->visible_characters);
  EXPECT_FALSE(old_dialect.announces_settling);
  EXPECT_TRUE(new_dialect.announces_settling);
}

}  // namespace
}  // namespace pievt::pi
