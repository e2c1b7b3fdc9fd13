// How work ends, which successes are weak, and who is asked when a worker says that it is blocked.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pievt/ruleset.h"

namespace pievt {
namespace {

using namespace schema;  // NOLINT(google-build-using-namespace): every name below is a word of the
                         // schemas
using testing::HasSubstr;
using testing::IsEmpty;

AttemptState ended(Ending ending, std::uint64_t final_bytes = 200,
                   std::string excerpt = "The table is right and the dates are checked.") {
  AttemptState attempt;
  attempt.ending = ending;
  attempt.provider = ProviderFailure::none;
  attempt.reason = "as the stream says";
  attempt.final_message = std::make_unique<BlobRef>(schema::Digest(), final_bytes, 0u,
                                                    BlobKind::text, std::uint16_t{0});
  attempt.final_excerpt = std::move(excerpt);
  return attempt;
}

Judgement judged(const AttemptState& attempt, const GateState* gate = nullptr) {
  return current_ruleset().judge(attempt, gate);
}

TEST(WorkEndings, EachHasItsWord) {
  EXPECT_EQ(judged(ended(Ending::ok)).ending, WorkEnding::visible_final);
  EXPECT_EQ(judged(ended(Ending::ok, 20,
                         "T"
                         "ODO: read it"))
                .ending,
            WorkEnding::stub);
  EXPECT_EQ(judged(ended(Ending::ok, 4000,
                         "T"
                         "ODO: read it"))
                .ending,
            WorkEnding::visible_final)
      << "a long message may speak of what is left";
  EXPECT_EQ(judged(ended(Ending::empty)).ending, WorkEnding::empty);
  EXPECT_EQ(judged(ended(Ending::thinking_only)).ending, WorkEnding::thinking_only);
  EXPECT_EQ(judged(ended(Ending::tool_only)).ending, WorkEnding::tool_only);
  EXPECT_EQ(judged(ended(Ending::truncated)).ending, WorkEnding::truncated);
  EXPECT_EQ(judged(ended(Ending::killed)).ending, WorkEnding::cut_off);
  EXPECT_EQ(judged(ended(Ending::incomplete)).ending, WorkEnding::cut_off);
}

TEST(WorkEndings, ABlockedWorkerNeedsAPersonAndIsNotRepeated) {
  AttemptState attempt = ended(Ending::tool_only);
  attempt.report_status = ReportStatus::blocked;
  attempt.requests = {"Upload source.pdf"};
  const Judgement verdict = judged(attempt);
  EXPECT_EQ(verdict.status, JobStatus::blocked);
  EXPECT_EQ(verdict.blocking, BlockingGate::person);
  EXPECT_FALSE(verdict.retryable);
  EXPECT_EQ(verdict.ending, WorkEnding::blocked);
  EXPECT_EQ(verdict.reason, "needs a person: Upload source.pdf");
  // pi-jobs called the same an unfinished worker, and ran it again.
  const Judgement before = find_ruleset("pi-jobs-0.5")->judge(attempt, nullptr);
  EXPECT_EQ(before.status, JobStatus::failed);
  EXPECT_EQ(before.failure, FailureKind::worker_incomplete);
  EXPECT_TRUE(before.retryable);
}

TEST(WorkEndings, AReportedErrorFailsAndIsNotRepeated) {
  AttemptState attempt = ended(Ending::ok);
  attempt.report_status = ReportStatus::error;
  attempt.report_summary = "The source is not a PDF";
  const Judgement verdict = judged(attempt);
  EXPECT_EQ(verdict.status, JobStatus::failed);
  EXPECT_EQ(verdict.ending, WorkEnding::reported_error);
  EXPECT_FALSE(verdict.retryable);
  EXPECT_THAT(verdict.reason, HasSubstr("The source is not a PDF"));
}

TEST(WeakSuccess, PartialAndShortAndStubAreSaid) {
  AttemptState partial = ended(Ending::ok);
  partial.report_status = ReportStatus::partial;
  EXPECT_EQ(judged(partial).status, JobStatus::succeeded);
  EXPECT_THAT(judged(partial).weak, testing::ElementsAre(HasSubstr("only part")));
  EXPECT_THAT(judged(ended(Ending::ok, 8, "all done")).weak,
              testing::ElementsAre("no contract, and its last message has 8 bytes"));
  EXPECT_THAT(judged(ended(Ending::ok, 20, "In progress")).weak,
              testing::ElementsAre(HasSubstr("announces work")));
  EXPECT_THAT(judged(ended(Ending::ok)).weak, IsEmpty());
}

TEST(WeakSuccess, AContractThatOnlyAsksForAPathIsSaid) {
  GateState gate;
  gate.decision = GateDecision::passed;
  gate.checks.push_back(std::make_unique<CheckT>());
  gate.checks.back()->kind = "requiredPaths";
  gate.checks.back()->status = CheckStatus::passed;
  EXPECT_THAT(judged(ended(Ending::ok), &gate).weak,
              testing::ElementsAre(HasSubstr("no more than that things are there")));
  gate.checks.push_back(std::make_unique<CheckT>());
  gate.checks.back()->kind = "requiredPaths.requiredRegex";
  EXPECT_THAT(judged(ended(Ending::ok), &gate).weak, IsEmpty());
  gate.decision = GateDecision::warned;
  EXPECT_THAT(judged(ended(Ending::ok), &gate).weak,
              testing::ElementsAre(HasSubstr("only to be looked at")));
}

TEST(WeakSuccess, AGateThatWasPassedOverAskedNothing) {
  GateState gate;
  gate.decision = GateDecision::skipped;
  EXPECT_EQ(judged(ended(Ending::ok), &gate).reason, "final message");
  EXPECT_THAT(judged(ended(Ending::ok, 8, "all done"), &gate).weak,
              testing::ElementsAre(HasSubstr("no contract")));
}

TEST(WeakSuccess, WhatItLeftBehindIsSaid) {
  AttemptState attempt = ended(Ending::ok);
  attempt.survivors = 2;
  attempt.writes_outside = 1;
  attempt.tools_open = 1;
  EXPECT_EQ(judged(attempt).weak.size(), 3u);
}

// A provider's number says more than its sentence.
TEST(ProviderFailures, NumbersBeforeWords) {
  const auto kind = [](std::uint32_t status, ProviderFailure word, std::uint64_t retry_after = 0) {
    AttemptState attempt = ended(Ending::failed);
    attempt.http_status = status;
    attempt.provider = word;
    attempt.retry_after_ms = retry_after;
    return current_ruleset().classify(attempt);
  };
  EXPECT_EQ(kind(401, ProviderFailure::network), FailureKind::provider_permanent)
      << "401 with the word timeout in it is a wrong key";
  EXPECT_EQ(kind(503, ProviderFailure::bad_request), FailureKind::provider_transient);
  EXPECT_EQ(kind(429, ProviderFailure::rate_limited), FailureKind::provider_transient);
  EXPECT_EQ(kind(429, ProviderFailure::quota), FailureKind::provider_permanent)
      << "waiting does not fill an account";
  EXPECT_EQ(kind(400, ProviderFailure::context_overflow), FailureKind::context_overflow);
  EXPECT_EQ(kind(0, ProviderFailure::other, 2000), FailureKind::provider_transient)
      << "who says when to come back is to be asked again";
  EXPECT_EQ(kind(0, ProviderFailure::network), FailureKind::provider_transient);
}

TEST(SignalDeaths, WhoSentTheSignalDecides) {
  const auto kind = [](SignalSender sender, StopReason reason = StopReason::unknown) {
    AttemptState attempt = ended(Ending::killed);
    attempt.signal = 9;
    attempt.sender = sender;
    attempt.stop_reason = reason;
    return current_ruleset().classify(attempt);
  };
  EXPECT_EQ(kind(SignalSender::somebody_else), FailureKind::killed);
  EXPECT_EQ(kind(SignalSender::kernel_out_of_memory), FailureKind::killed);
  EXPECT_EQ(kind(SignalSender::supervisor, StopReason::deadline), FailureKind::deadline_exceeded);
  EXPECT_EQ(kind(SignalSender::supervisor, StopReason::run_stopped), FailureKind::cancelled);
  EXPECT_EQ(kind(SignalSender::supervisor, StopReason::budget), FailureKind::cancelled);
  EXPECT_EQ(kind(SignalSender::supervisor, StopReason::silent), FailureKind::provider_stalled);
  EXPECT_EQ(kind(SignalSender::supervisor, StopReason::memory), FailureKind::killed);
}

TEST(Rulesets, AreATableThatAnyRunCanBeAskedOf) {
  EXPECT_EQ(rulesets().front().name, current_ruleset().name);
  EXPECT_EQ(find_ruleset("no-such-rules"), nullptr);
  for (const Ruleset& rules : rulesets()) {
    EXPECT_EQ(find_ruleset(rules.name)->name, rules.name);
    for (const Ending ending : EnumValuesEnding()) {
      const AttemptState attempt = ended(ending);
      const Judgement once = rules.judge(attempt, nullptr), twice = rules.judge(attempt, nullptr);
      EXPECT_NE(once.status, JobStatus::unknown) << rules.name << EnumNameEnding(ending);
      EXPECT_EQ(once.reason, twice.reason);
    }
  }
}

}  // namespace
}  // namespace pievt
