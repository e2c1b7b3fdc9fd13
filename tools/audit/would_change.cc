#include "tools/audit/would_change.h"

#include <algorithm>

#include <fmt/format.h>

#include "store/model/rules/rules.h"
#include "tools/audit/build.h"
#include "tools/audit/words.h"
#include "tools/render/text.h"

namespace pievt::audit {
namespace {

using schema::CheckStatus;
using schema::FailureKind;
using schema::JobStatus;
using schema::RetryDecision;

// What the rules would say had the contract been met.
std::string with_contract_met(const AttemptState& attempt, const GateState& gate) {
  GateState met;
  met.decision = schema::GateDecision::passed;
  for (const auto& check : gate.checks) {
    met.checks.push_back(std::make_unique<schema::CheckT>(*check));
    met.checks.back()->status = CheckStatus::passed;
  }
  return schema::EnumNameJobStatus(current_ruleset().judge(attempt, &met).status);
}

void tell_checks(std::vector<std::string>& list, const AttemptState& attempt,
                 const GateState& gate) {
  std::size_t unmet = 0;
  for (const auto& check : gate.checks) {
    if (check->status != CheckStatus::failed && check->status != CheckStatus::errored) continue;
    if (++unmet > 5) continue;
    list.push_back(fmt::format("{} {}: {}", check->kind, shortened(check->target, 80),
                               check->expected.empty()
                                   ? "met instead of " + shortened(check->actual, 80)
                                   : fmt::format("{} instead of {}", shortened(check->expected, 80),
                                                 shortened(check->actual, 80))));
  }
  if (unmet == 0) return;
  list.push_back(fmt::format("with {} met: {}", unmet == 1 ? "it" : "all of them",
                             with_contract_met(attempt, gate)));
}

void tell_retry(std::vector<std::string>& list, const RunState& run, const JobState& job,
                const WhyVerdict& verdict) {
  switch (verdict.retry) {
    case RetryDecision::exhausted:
      list.push_back(fmt::format("more than {}: another attempt",
                                 render::plural(job.max_attempts, "attempt")));
      break;
    case RetryDecision::not_in_policy:
      list.push_back(fmt::format("{} among the job's retry.on: another attempt",
                                 schema::EnumNameFailureKind(verdict.failure)));
      break;
    case RetryDecision::no_budget:
      list.push_back(fmt::format("more than {} for the run: another attempt",
                                 run.budget == nullptr
                                     ? "its retries"
                                     : render::plural(run.budget->retries, "retry", "retries")));
      break;
    case RetryDecision::stopping:
      list.emplace_back("a run that was not being stopped: another attempt");
      break;
    default:
      break;
  }
}

void tell_kind(std::vector<std::string>& list, const AttemptState& attempt, FailureKind kind) {
  switch (kind) {
    case FailureKind::deadline_exceeded:
      list.push_back(fmt::format("a timeout above {}: it had {} when it was stopped",
                                 span_text(attempt.timeout_ms * 1'000'000),
                                 render::plural(attempt.turns, "turn")));
      break;
    case FailureKind::truncated:
      list.emplace_back("a higher output limit of the model, or a shorter answer");
      break;
    case FailureKind::provider_permanent:
      list.emplace_back("another key, model or quota; asking again does not help");
      break;
    case FailureKind::provider_transient:
    case FailureKind::provider_stalled:
      list.emplace_back("a provider that answers");
      break;
    case FailureKind::empty_final:
    case FailureKind::worker_incomplete:
      list.emplace_back("a last message with something to read");
      break;
    case FailureKind::killed:
      list.push_back(fmt::format("no signal {} from {}", attempt.signal,
                                 schema::EnumNameSignalSender(attempt.sender)));
      break;
    case FailureKind::context_overflow:
      list.emplace_back("less to read, or a model with more room");
      break;
    case FailureKind::configuration:
    case FailureKind::launch_error:
      list.emplace_back("a pi that starts; its standard error says what was wrong");
      break;
    default:
      break;
  }
}

void tell_success(std::vector<std::string>& list, const JobState& job, const GateState* gate) {
  if (gate == nullptr) {
    const bool has_one = job.declared != nullptr && job.declared->acceptance != nullptr;
    list.emplace_back(has_one ? "nothing but its own failure: its contract was not asked"
                              : "nothing but its own failure: it has no contract");
  } else if (gate->decision == schema::GateDecision::warned) {
    list.emplace_back("a contract that is not only audited: failed");
  } else if (gate->checks.empty()) {
    list.emplace_back("an unmet contract; of what it asked the record keeps no checks");
  } else if (!rules::looks_at_content(*gate)) {
    list.emplace_back("only a missing path: no check reads what is in the work");
  } else {
    list.push_back(
        fmt::format("any of its {} unmet", render::plural(gate->checks.size(), "check")));
  }
  if (job.attempts.size() > 1) list.emplace_back("without its retry: the first attempt's failure");
}

}  // namespace

std::string rule_of(const WhyVerdict& verdict, const AttemptState* attempt, const GateState* gate) {
  if (verdict.status == JobStatus::unknown) return "";
  if (attempt == nullptr) {
    return verdict.status == JobStatus::skipped
               ? "a job is skipped when one it depends on did not end as it had to"
               : "it never ran";
  }
  if (verdict.status == JobStatus::failed && verdict.failure == FailureKind::worker_incomplete &&
      attempt->report_status == schema::ReportStatus::blocked)
    return "it ended without a result: its worker reported itself blocked";
  if (verdict.status == JobStatus::blocked)
    return "a worker that reports itself blocked needs a person and is not repeated";
  if (verdict.ending == schema::WorkEnding::reported_error && verdict.status == JobStatus::failed &&
      verdict.blocking == schema::BlockingGate::report)
    return "a worker that reports an error has failed";
  if (verdict.failure == FailureKind::acceptance_failed)
    return "it ended well, so its contract was asked, and it is not met";
  if (verdict.status == JobStatus::succeeded) {
    const std::string ended =
        attempt->final_message != nullptr && attempt->final_message->size() > 0
            ? "it ended with a message to read"
            : "its end counted as done, though the record has no last words";
    if (gate == nullptr) return ended + ", and no contract asks for more";
    return gate->decision == schema::GateDecision::warned
               ? ended + "; its contract is not met, and was only to be looked at"
               : ended + ", and its contract is met";
  }
  if (verdict.status == JobStatus::cancelled) return "it was stopped on request";
  return fmt::format("the first cause wins: {}", label_of(verdict.failure));
}

std::vector<std::string> would_change(const RunState& run, const JobState& job,
                                      const AttemptState* attempt, const WhyVerdict& verdict) {
  std::vector<std::string> list;
  if (attempt == nullptr) {
    for (const auto& dependency : job.depends_on) {
      const JobState* other = pievt::find_job(run, dependency->job);
      if (other == nullptr || other->status == JobStatus::succeeded) continue;
      list.push_back(fmt::format("{} succeeding", shortened(other->id, 60)));
    }
    return list;
  }
  const GateState* gate = asked_gate(run, job.number, attempt->number);
  if (verdict.status == JobStatus::succeeded) {
    tell_success(list, job, gate);
    return list;
  }
  if (attempt->report_status == schema::ReportStatus::blocked) {
    list.push_back(attempt->requests.empty()
                       ? "what its report asks for"
                       : fmt::format("{}", fmt::join(attempt->requests, "; ")));
    return list;
  }
  if (gate != nullptr && verdict.failure == FailureKind::acceptance_failed) {
    tell_checks(list, *attempt, *gate);
  } else {
    tell_kind(list, *attempt, verdict.failure);
  }
  tell_retry(list, run, job, verdict);
  return list;
}

}  // namespace pievt::audit
