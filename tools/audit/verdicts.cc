// What another ruleset makes of the same facts, and what the recorded verdicts list beside the
// first cause.
#include <algorithm>

#include <fmt/format.h>

#include "tools/audit/build.h"
#include "tools/audit/unmet.h"
#include "tools/audit/words.h"

namespace pievt::audit {
namespace {

using schema::FailureKind;
using schema::JobStatus;

// Checks that were not met because the work never got that far.
void add_consequences(Verdicts& verdicts, const RunReport& report, const Material& material) {
  for (const Cause& cause : report.causes) {
    if (cause.kind == FailureKind::acceptance_failed) continue;
    std::string list;
    Events events;
    std::size_t count = 0;
    for (const std::uint32_t number : cause.jobs) {
      const JobState& job = *pievt::find_job(material.run, number);
      const GateState* gate = job.attempts.empty()
                                  ? nullptr
                                  : asked_gate(material.run, number, job.attempts.back()->number);
      if (gate == nullptr || gate->decision != schema::GateDecision::failed) continue;
      if (++count <= 6) {
        list += fmt::format("{}{}", list.empty() ? "" : ", ",
                            shortened(unmet_checks(material.run, job, Naming::exactly), 80));
      }
      add_event(events, gate->decided_revision);
    }
    if (count == 0) continue;
    if (count > 6) list += fmt::format(" and {} more", count - 6);
    verdicts.consequences.push_back(
        {fmt::format("{} also lists {}: {} of {}", program_of(material.run.ruleset), list,
                     count == 1 ? "a consequence" : "consequences", cause.number),
         std::move(events)});
  }
}

}  // namespace

std::string own_reason(const Judgement& now, const JobState& job) {
  if (now.status != JobStatus::failed || now.reason != job.attempts.back()->reason)
    return now.reason;
  return std::string(label_of(now.failure));
}

Verdicts verdicts_of(const RunReport& report, const Material& material, const Ruleset& ruleset) {
  Verdicts verdicts;
  verdicts.recorded_by = material.run.ruleset;
  verdicts.judged_by = ruleset.name;
  for (const auto& job : material.run.jobs) {
    if (job->attempts.empty() || job->phase != state::JobPhase::finished) continue;
    const Judgement now = judge_again(ruleset, material.run, *job);
    const FailureKind kind = job->failure;
    const bool same_kind = kind == now.failure || kind == FailureKind::unknown;
    if (job->status == now.status && same_kind) {
      ++verdicts.agree;
      continue;
    }
    VerdictRow row;
    row.job = job->number;
    row.recorded = job->status;
    row.judged = now.status;
    row.recorded_kind = kind;
    row.judged_kind = now.failure;
    row.reason = own_reason(now, *job);
    add_event(row.events, job->judged_revision);
    verdicts.differ.push_back(std::move(row));
  }
  add_consequences(verdicts, report, material);
  return verdicts;
}

}  // namespace pievt::audit
