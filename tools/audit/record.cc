// Whether the record can be believed, what it does not tell, what today's rules make of it, and who
// wrote which file.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "supervisor/pi/worker_report.h"
#include "tools/audit/build.h"
#include "tools/audit/words.h"
#include "tools/render/text.h"

namespace pievt::audit {
namespace {

using schema::FailureKind;
using schema::JobStatus;

std::uint64_t attempts_of(const RunState& run) {
  std::uint64_t count = 0;
  for (const auto& job : run.jobs) count += job->attempts.size();
  return count;
}

void tell_anomalies(RunReport& report, const Material& material) {
  constexpr std::size_t most = 5;
  const auto& anomalies = material.extras.anomalies;
  for (std::size_t i = 0; i < std::min(most, anomalies.size()); ++i) {
    const auto& seen = anomalies[i];
    Finding finding;
    finding.text = fmt::format("{}{}: {}", seen.what.file.empty() ? "source" : seen.what.file,
                               seen.what.line == 0 ? "" : fmt::format(":{}", seen.what.line),
                               shortened(seen.what.detail, 140));
    finding.events = {seen.revision};
    report.record.push_back(std::move(finding));
  }
  if (anomalies.size() > most) {
    report.record.push_back({fmt::format("and {} more anomalies; pievt log {} --type "
                                         "ImportAnomalyFound",
                                         anomalies.size() - most, report.short_id),
                             {}});
  }
  const bool lost = std::ranges::any_of(anomalies, [](const auto& seen) {
    using schema::ImportAnomaly;
    const ImportAnomaly kind = seen.what.anomaly;
    return kind != ImportAnomaly::stray_file && kind != ImportAnomaly::out_of_order &&
           kind != ImportAnomaly::duplicate;
  });
  if (lost) report.integrity = Integrity::incomplete;
}

void tell_sum(RunReport& report, const Material& material) {
  const RunState& run = material.run;
  std::string text =
      fmt::format("{} of {} events, in order, none missing", run.revision, report.events);
  const std::uint64_t attempts = attempts_of(run);
  if (material.story.imported) {
    text += fmt::format("; {} of {} sessions. The source has no checksums: {}, not proven.",
                        material.extras.sessions, attempts,
                        material.extras.anomalies.empty() ? "complete" : "read as it was");
  } else {
    text += fmt::format(
        ". Read whole, every page's checksum right; pievt verify {} asks for the "
        "chain and the projections too.",
        report.short_id);
  }
  report.record.insert(report.record.begin(), Finding{std::move(text), {}});
}

struct Missing {
  std::uint64_t no_output = 0, no_exit = 0, no_usage = 0, shells = 0, unwatched = 0;
};

Missing missing(const Material& material) {
  Missing count;
  for (const auto& job : material.run.jobs) {
    for (const auto& attempt : job->attempts) {
      const bool ran = attempt->launched_ns != 0;
      count.no_output += ran && attempt->stdout_bytes == 0 && attempt->stdout_chunks == 0 ? 1u : 0u;
      count.no_exit +=
          ran && attempt->knowledge != schema::ExitKnowledge::observed && attempt->exited_ns != 0
              ? 1u
              : 0u;
      count.unwatched += attempt->lost != schema::LostReason::unknown ? 1u : 0u;
    }
  }
  for (const story::Attempt& attempt : material.story.attempts) {
    count.shells += std::ranges::any_of(attempt.tools,
                                        [](const auto& call) {
                                          return pi::effect_of(call.tool) == pi::ToolEffect::shell;
                                        })
                        ? 1u
                        : 0u;
  }
  if (material.run.usage != nullptr) count.no_usage = material.run.usage->unreported;
  return count;
}

void tell_unknown(RunReport& report, const Material& material) {
  const Missing count = missing(material);
  auto& unknown = report.unknown;
  if (count.no_output > 0) {
    unknown.push_back(
        fmt::format("raw output of {} (not captured)", render::plural(count.no_output, "attempt")));
  }
  if (count.no_exit > 0) {
    unknown.push_back(fmt::format("how {} exited (nobody saw it)",
                                  render::plural(count.no_exit, "process", "processes")));
  }
  if (count.unwatched > 0) {
    unknown.push_back(fmt::format("what {} did while nobody watched",
                                  render::plural(count.unwatched, "attempt")));
  }
  if (count.no_usage > 0) {
    unknown.push_back(fmt::format("tokens and cost of {} that report no usage",
                                  render::plural(count.no_usage, "request")));
  }
  if (count.shells > 0 && material.extras.writes.empty()) {
    unknown.push_back(
        fmt::format("what shell commands of {} wrote", render::plural(count.shells, "attempt")));
  }
  const bool provider = std::ranges::any_of(report.causes, [](const Cause& cause) {
    return cause.kind == FailureKind::provider_transient ||
           cause.kind == FailureKind::provider_stalled;
  });
  if (provider) unknown.emplace_back("who else used the provider");
  if (material.extras.trees_observed == 0) unknown.emplace_back("git state before and after");
  if (material.story.imported) unknown.emplace_back("processes that tools left (not recorded)");
  if (material.run.unknown_events > 0) {
    unknown.push_back(fmt::format("what {} of a later version say",
                                  render::plural(material.run.unknown_events, "event")));
  }
}

}  // namespace

void add_record(RunReport& report, const Material& material) {
  report.events = std::max(report.events, material.run.revision);
  tell_anomalies(report, material);
  if (material.events_missing > 0) {
    report.integrity = Integrity::damaged;
    report.record.push_back(
        {fmt::format("{} acknowledged events are not in the store; pievt verify says where",
                     material.events_missing),
         {}});
  }
  tell_sum(report, material);
  tell_unknown(report, material);
}

Verdicts verdicts_of(const Material& material, const Ruleset& ruleset) {
  Verdicts verdicts;
  verdicts.recorded_by = material.run.ruleset;
  verdicts.judged_by = ruleset.name;
  for (const auto& job : material.run.jobs) {
    if (job->attempts.empty() || job->phase != state::JobPhase::finished) continue;
    const Judgement now = judge_again(ruleset, material.run, *job);
    const JobStatus recorded = job->status;
    const FailureKind kind = job->failure;
    const bool same_kind = kind == now.failure || kind == FailureKind::unknown;
    if (recorded == now.status && same_kind) {
      ++verdicts.agree;
      continue;
    }
    VerdictRow row;
    row.job = job->number;
    row.recorded = recorded;
    row.judged = now.status;
    row.recorded_kind = kind;
    row.judged_kind = now.failure;
    row.reason = now.reason;
    add_event(row.events, job->judged_revision);
    verdicts.differ.push_back(std::move(row));
  }
  return verdicts;
}

void add_writes(RunReport& report, const Material& material) {
  bool zones = false;
  for (const auto& job : material.run.jobs) {
    const auto* contract = job->declared == nullptr ? nullptr : job->declared->acceptance.get();
    zones = zones || (contract != nullptr && (!contract->allowed_write_paths.empty() ||
                                              !contract->forbidden_write_paths.empty()));
  }
  std::set<std::pair<std::uint32_t, std::string>> seen;
  for (const auto& observed : material.extras.writes) {
    for (const auto& write : observed.what.writes) {
      WriteRow row;
      row.path = write->path;
      row.job = observed.job;
      row.attempt = observed.attempt;
      row.change = schema::EnumNameWriteChange(write->change);
      row.attribution = schema::EnumNameAttribution(write->attribution);
      row.zone = schema::EnumNameWriteZone(write->zone);
      row.detail = write->detail;
      if (!write->candidates.empty())
        row.detail += fmt::format("{}one of {}", row.detail.empty() ? "" : "; ",
                                  fmt::join(write->candidates, ", "));
      add_event(row.events, observed.revision);
      for (const std::uint64_t evidence : write->evidence) add_event(row.events, evidence);
      seen.emplace(row.job, row.path);
      report.writes.push_back(std::move(row));
    }
  }
  for (const auto& [job, files] : material.files) {
    for (const ToolFile& file : files) {
      if (file.calls.empty() || seen.contains({job, file.path})) continue;
      WriteRow row;
      row.path = file.path;
      row.job = job;
      row.attempt = file.attempt;
      row.change = "written";
      row.attribution = "tool";
      row.zone = "undeclared";
      row.events = {file.calls.begin(),
                    file.calls.begin() +
                        static_cast<std::ptrdiff_t>(std::min<std::size_t>(file.calls.size(), 8))};
      report.writes.push_back(std::move(row));
    }
  }
  if (!zones && !report.writes.empty()) report.writes_note.emplace_back("no zone declared");
  if (material.extras.writes.empty() && !report.writes.empty())
    report.writes_note.emplace_back("seen by tool calls; shell writes were not observed");
}

}  // namespace pievt::audit
