// The rules pievt-1 as tables: which facts make which verdict, and how long to wait for the next
// attempt.
#include "pievt/ruleset.h"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pievt {
namespace {

using namespace schema;  // NOLINT(google-build-using-namespace): every name below is a word
using testing::HasSubstr;

struct Facts {
  Ending ending = Ending::ok;
  ProviderFailure provider = ProviderFailure::none;
  StopReason stop = StopReason::unknown;
  SignalSender sender = SignalSender::nobody;
  LostReason lost = LostReason::unknown;
  const char* launch_error = "";
};

struct Row {
  Facts facts;
  FailureKind failure;
  JobStatus status;
  bool retryable;
  BlockingGate blocking;
};

constexpr auto ok = JobStatus::succeeded;
constexpr auto failed = JobStatus::failed;
constexpr auto stopped = JobStatus::cancelled;
constexpr bool again = true;
constexpr bool never = false;
using Kind = FailureKind;
using Gate = BlockingGate;

const Row rows[] = {
    {{}, Kind::none, ok, never, Gate::none},
    // How the model run ended.
    {{.ending = Ending::empty}, Kind::empty_final, failed, again, Gate::final_message},
    {{.ending = Ending::thinking_only}, Kind::empty_final, failed, again, Gate::final_message},
    {{.ending = Ending::tool_only}, Kind::empty_final, failed, again, Gate::final_message},
    {{.ending = Ending::truncated}, Kind::truncated, failed, never, Gate::final_message},
    {{.ending = Ending::killed}, Kind::killed, failed, again, Gate::runtime},
    {{.ending = Ending::killed, .sender = SignalSender::kernel_out_of_memory},
     Kind::killed,
     failed,
     again,
     Gate::runtime},
    {{.ending = Ending::killed, .sender = SignalSender::supervisor},
     Kind::cancelled,
     stopped,
     never,
     Gate::person},
    {{.ending = Ending::failed_to_run}, Kind::configuration, failed, never, Gate::runtime},
    {{.ending = Ending::lost}, Kind::context_overflow, failed, never, Gate::runtime},
    {{.ending = Ending::unknown}, Kind::supervisor_lost, failed, again, Gate::runtime},
    {{.ending = Ending::aborted}, Kind::worker_incomplete, failed, again, Gate::final_message},
    {{.ending = Ending::no_run}, Kind::worker_incomplete, failed, again, Gate::final_message},
    {{.ending = Ending::incomplete}, Kind::worker_incomplete, failed, again, Gate::final_message},
    {{.ending = Ending::suspect}, Kind::worker_incomplete, failed, again, Gate::final_message},
    {{.ending = Ending::incomplete, .lost = LostReason::ended_unwatched},
     Kind::supervisor_lost,
     failed,
     again,
     Gate::runtime},
    {{.ending = Ending::ok, .lost = LostReason::ended_unwatched},
     Kind::none,
     ok,
     never,
     Gate::none},
    // What the provider said.
    {{Ending::failed, ProviderFailure::rate_limited},
     Kind::provider_transient,
     failed,
     again,
     Gate::runtime},
    {{Ending::failed, ProviderFailure::server_error},
     Kind::provider_transient,
     failed,
     again,
     Gate::runtime},
    {{Ending::failed, ProviderFailure::network},
     Kind::provider_transient,
     failed,
     again,
     Gate::runtime},
    {{Ending::failed, ProviderFailure::authentication},
     Kind::provider_permanent,
     failed,
     never,
     Gate::runtime},
    {{Ending::failed, ProviderFailure::not_found},
     Kind::provider_permanent,
     failed,
     never,
     Gate::runtime},
    {{Ending::failed, ProviderFailure::bad_request},
     Kind::provider_permanent,
     failed,
     never,
     Gate::runtime},
    {{Ending::failed, ProviderFailure::quota},
     Kind::provider_permanent,
     failed,
     never,
     Gate::runtime},
    {{Ending::failed, ProviderFailure::content_filter},
     Kind::provider_permanent,
     failed,
     never,
     Gate::runtime},
    {{Ending::failed, ProviderFailure::context_overflow},
     Kind::context_overflow,
     failed,
     never,
     Gate::runtime},
    {{Ending::failed, ProviderFailure::other},
     Kind::worker_incomplete,
     failed,
     again,
     Gate::final_message},
    {{Ending::failed, ProviderFailure::none},
     Kind::worker_incomplete,
     failed,
     again,
     Gate::final_message},
    {{Ending::failed, ProviderFailure::unknown},
     Kind::worker_incomplete,
     failed,
     again,
     Gate::final_message},
    // Why it was stopped, which comes before how it then ended.
    {{.stop = StopReason::deadline}, Kind::deadline_exceeded, failed, never, Gate::runtime},
    {{.ending = Ending::killed, .stop = StopReason::deadline, .sender = SignalSender::supervisor},
     Kind::deadline_exceeded,
     failed,
     never,
     Gate::runtime},
    {{.ending = Ending::incomplete, .stop = StopReason::run_stopped},
     Kind::cancelled,
     stopped,
     never,
     Gate::person},
    {{.ending = Ending::incomplete, .stop = StopReason::cancelled},
     Kind::cancelled,
     stopped,
     never,
     Gate::person},
    {{.ending = Ending::ok, .stop = StopReason::lingering}, Kind::none, ok, never, Gate::none},
    // It never began, which comes before everything.
    {{.ending = Ending::no_run, .stop = StopReason::deadline, .launch_error = "no such file"},
     Kind::launch_error,
     failed,
     again,
     Gate::runtime},
};

AttemptState attempt_with(const Facts& facts) {
  AttemptState attempt;
  attempt.ending = facts.ending;
  attempt.provider = facts.provider;
  attempt.stop_reason = facts.stop;
  attempt.sender = facts.sender;
  attempt.lost = facts.lost;
  attempt.launch_error = facts.launch_error;
  attempt.reason = "as the stream says";
  return attempt;
}

std::string name_of_facts(const Facts& facts) {
  return std::string(EnumNameEnding(facts.ending)) + ", " +
         EnumNameProviderFailure(facts.provider) + ", " + EnumNameStopReason(facts.stop) + ", " +
         EnumNameSignalSender(facts.sender) + ", " + EnumNameLostReason(facts.lost) + " " +
         facts.launch_error;
}

TEST(Ruleset, FactsMakeVerdicts) {
  const Ruleset& rules = current_ruleset();
  EXPECT_EQ(rules.name, "pievt-1");
  for (const Row& row : rows) {
    SCOPED_TRACE(name_of_facts(row.facts));
    const AttemptState attempt = attempt_with(row.facts);
    EXPECT_STREQ(EnumNameFailureKind(rules.classify(attempt)), EnumNameFailureKind(row.failure));
    const Judgement verdict = rules.judge(attempt, nullptr);
    EXPECT_STREQ(EnumNameJobStatus(verdict.status), EnumNameJobStatus(row.status));
    EXPECT_STREQ(EnumNameFailureKind(verdict.failure), EnumNameFailureKind(row.failure));
    EXPECT_EQ(verdict.retryable, row.retryable);
    EXPECT_STREQ(EnumNameBlockingGate(verdict.blocking), EnumNameBlockingGate(row.blocking));
    EXPECT_FALSE(verdict.reason.empty());
  }
}

// Nothing in the schema is left without a row, so that a new word asks for a decision here.
TEST(Ruleset, TheTableHasEveryEndingAndEveryProviderFailure) {
  for (const Ending ending : EnumValuesEnding()) {
    EXPECT_TRUE(std::ranges::any_of(rows, [&](const Row& row) {
      return row.facts.ending == ending;
    })) << EnumNameEnding(ending);
  }
  for (const ProviderFailure failure : EnumValuesProviderFailure()) {
    EXPECT_TRUE(std::ranges::any_of(rows, [&](const Row& row) {
      return row.facts.ending == Ending::failed && row.facts.provider == failure;
    })) << EnumNameProviderFailure(failure);
  }
}

TEST(Ruleset, AnUnmetContractFailsOnlyWhatWouldHaveSucceeded) {
  GateState gate;
  gate.decision = GateDecision::failed;
  auto check = std::make_unique<CheckT>();
  check->kind = "requiredPaths";
  check->target = "report.md";
  check->status = CheckStatus::failed;
  check->actual = "missing";
  gate.checks.push_back(std::move(check));
  const Judgement unmet = current_ruleset().judge(attempt_with({}), &gate);
  EXPECT_EQ(unmet.status, JobStatus::failed);
  EXPECT_EQ(unmet.failure, FailureKind::acceptance_failed);
  EXPECT_EQ(unmet.blocking, BlockingGate::acceptance);
  EXPECT_THAT(unmet.reason, HasSubstr("report.md"));
  EXPECT_THAT(unmet.reason, HasSubstr("missing"));
  const auto down = attempt_with({Ending::failed, ProviderFailure::server_error});
  EXPECT_EQ(current_ruleset().judge(down, &gate).failure, FailureKind::provider_transient)
      << "the first cause wins";
  gate.decision = GateDecision::passed;
  EXPECT_EQ(current_ruleset().judge(attempt_with({}), &gate).status, JobStatus::succeeded);
}

// ---- Whether and when to try again -------------------------------------------------------------

struct RetryCase {
  RunState run;
  JobState job;
  Judgement judgement{JobStatus::failed, FailureKind::provider_transient, true,
                      BlockingGate::runtime, "down"};

  explicit RetryCase(double jitter_ratio = 0) {
    run.run_id = "20240601-ab12cd";
    run.phase = state::RunPhase::running;
    job.id = "chapter-1";
    job.max_attempts = 9;
    job.declared = std::make_unique<JobDeclaredT>();
    job.declared->retry = std::make_unique<RetryPolicyT>();
    job.declared->retry->max_attempts = 9;
    job.declared->retry->initial_ms = 1500;
    job.declared->retry->max_ms = 15000;
    job.declared->retry->multiplier = 2;
    job.declared->retry->jitter_ratio = jitter_ratio;
  }

  void tried(AttemptPurpose purpose = AttemptPurpose::work) {
    job.attempts.push_back(std::make_unique<AttemptState>());
    job.attempts.back()->purpose = purpose;
  }

  RetryPlan plan() const { return plan_retry(run, job, judgement); }
};

TEST(RetryPlan, DelaysDoubleUpToTheMaximum) {
  RetryCase retry;
  for (const std::uint64_t delay_ms : {1500u, 3000u, 6000u, 12000u, 15000u, 15000u}) {
    retry.tried();
    EXPECT_EQ(retry.plan().decision, RetryDecision::scheduled);
    EXPECT_EQ(retry.plan().delay_ms, delay_ms);
  }
}

TEST(RetryPlan, ChanceStaysWithinItsRatioAndIsAlwaysTheSame) {
  std::set<std::uint64_t> seen;
  for (int job = 0; job < 200; ++job) {
    RetryCase retry(0.25);
    retry.job.id = "job-" + std::to_string(job);
    for (const double ideal_ms : {1500.0, 3000.0, 6000.0}) {
      retry.tried();
      const auto delay_ms = retry.plan().delay_ms;
      EXPECT_GE(static_cast<double>(delay_ms), ideal_ms * 0.75 - 1);
      EXPECT_LE(static_cast<double>(delay_ms), ideal_ms * 1.25);
      EXPECT_EQ(retry.plan().delay_ms, delay_ms) << "planning again gives the same moment";
      seen.insert(delay_ms);
    }
    retry.tried();
    retry.tried();
    EXPECT_LE(retry.plan().delay_ms, 15000u) << "the maximum holds with chance too";
  }
  EXPECT_GT(seen.size(), 400u) << "jobs that failed together must not come back together";
}

TEST(RetryPlan, EachDecisionHasItsReason) {
  const auto decision = [](auto change) {
    RetryCase retry;
    retry.tried();
    change(retry);
    return retry.plan().decision;
  };
  EXPECT_EQ(decision([](RetryCase&) {}), RetryDecision::scheduled);
  EXPECT_EQ(decision([](RetryCase& r) { r.judgement.status = JobStatus::succeeded; }),
            RetryDecision::not_needed);
  EXPECT_EQ(decision([](RetryCase& r) { r.run.phase = state::RunPhase::stopping; }),
            RetryDecision::stopping);
  EXPECT_EQ(decision([](RetryCase& r) { r.judgement.status = JobStatus::cancelled; }),
            RetryDecision::not_retryable);
  EXPECT_EQ(decision([](RetryCase& r) { r.judgement.retryable = false; }),
            RetryDecision::not_retryable);
  EXPECT_EQ(decision([](RetryCase& r) {
              r.judgement = {JobStatus::failed, FailureKind::truncated, false, Gate::none, ""};
              r.job.declared->retry->retry_on = {FailureKind::truncated};
            }),
            RetryDecision::scheduled)
      << "the policy may ask for what the rules would not";
  EXPECT_EQ(
      decision([](RetryCase& r) { r.job.declared->retry->retry_on = {FailureKind::launch_error}; }),
      RetryDecision::not_in_policy);
  EXPECT_EQ(decision([](RetryCase& r) { r.job.max_attempts = 1; }), RetryDecision::exhausted);
  EXPECT_EQ(decision([](RetryCase& r) { r.job.declared->retry = nullptr; }),
            RetryDecision::exhausted);
  EXPECT_EQ(decision([](RetryCase& r) {
              r.job.max_attempts = 2;
              r.tried(AttemptPurpose::judge);
            }),
            RetryDecision::scheduled)
      << "only attempts at the work itself count";
}

}  // namespace
}  // namespace pievt
