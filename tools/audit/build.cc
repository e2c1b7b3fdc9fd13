#include "tools/audit/build.h"

#include <algorithm>

#include <fmt/format.h>

#include "tools/audit/words.h"
#include "tools/render/sanitise.h"

namespace pievt::audit {
namespace {

using schema::JobStatus;
using state::JobPhase;
using state::RunPhase;

std::string status_of(const RunState& run, const std::string& live) {
  if (!live.empty()) return live;
  if (run.phase != RunPhase::finished) return state::EnumNameRunPhase(run.phase);
  if (run.ending == schema::RunEnding::failed) return "FAILED";
  return schema::EnumNameRunEnding(run.ending);
}

std::string source_of(const Material& material) {
  const RunState& run = material.run;
  if (material.story.imported || material.extras.pievt_version.empty()) {
    if (run.ruleset.empty()) return "imported from another system";
    return "imported from " + program_of(run.ruleset);
  }
  return fmt::format("pievt {}{}", material.extras.pievt_version,
                     run.pi_version.empty() ? "" : fmt::format(", pi {}", run.pi_version));
}

// What the record knows of how long the job has run: its attempts, and of one without an end what
// was seen of it. `seen_ns`: the last thing that was seen of the run.
std::uint64_t duration_of(const JobState& job, std::uint64_t seen_ns) {
  std::uint64_t duration_ms = job.duration_ms;
  if (job.phase == JobPhase::finished || job.attempts.empty()) return duration_ms;
  const AttemptState& last = *job.attempts.back();
  const bool open =
      last.launched_ns != 0 && last.exited_ns == 0 && last.phase != state::AttemptPhase::classified;
  if (open && seen_ns > last.launched_ns) duration_ms += (seen_ns - last.launched_ns) / 1'000'000;
  return duration_ms;
}

std::string why_of(const JobState& job, const Judgement& now) {
  if (job.phase != JobPhase::finished)
    return job.attempts.empty() ? "not started" : state::EnumNameJobPhase(job.phase);
  if (now.status == JobStatus::blocked) return now.reason;
  if (!job.reason.empty()) return shortened(job.reason, 120);
  if (job.status == JobStatus::succeeded) return now.reason;
  return std::string(label_of(now.failure));
}

void add_jobs(RunReport& report, const Material& material, const Ruleset& ruleset) {
  for (const auto& job : material.run.jobs) {
    JobRow row;
    row.job = job->number;
    row.id = render::one_line(job->id);
    row.status = job->status;
    row.ended = job->phase == JobPhase::finished;
    row.attempts = static_cast<std::uint32_t>(job->attempts.size());
    row.duration_ms = duration_of(*job, report.end_ns);
    row.spent = spent_of(job->usage.get());
    const Judgement now = judge_again(ruleset, material.run, *job);
    row.ending = now.ending;
    row.why = why_of(*job, now);
    if (!job->attempts.empty()) {
      row.first_event = job->attempts.front()->first_revision;
      row.last_event = std::max(job->attempts.back()->last_revision, job->finished_revision);
      row.has_output =
          job->attempts.back()->stdout_bytes > 0 || job->attempts.back()->stderr_bytes > 0;
      const bool says_done = row.ended && job->status != JobStatus::succeeded &&
                             job->attempts.back()->ending == schema::Ending::ok;
      if (says_done) row.said = shortened(job->attempts.back()->final_excerpt, 100);
    } else {
      row.first_event = job->declared_revision;
      row.last_event = job->finished_revision;
    }
    for (const Cause& cause : report.causes) {
      const bool own = std::ranges::find(cause.jobs, job->number) != cause.jobs.end();
      const bool after =
          std::ranges::find(cause.consequences, job->number) != cause.consequences.end();
      if (own || after) row.cause = cause.number;
      if (own && !row.ended) {
        row.why += ", " + cause.title.substr(0, cause.title.find(" for "));
        continue;
      }
      if (own && !row.why.empty() && cause.kind == schema::FailureKind::provider_transient &&
          job->reason.find(cause.title) == std::string::npos)
        row.why = cause.title.substr(0, cause.title.find(" for "));
      if (own && cause.kind == schema::FailureKind::acceptance_failed && job->reason.empty())
        row.why = cause.seen;
    }
    report.jobs.push_back(std::move(row));
  }
}

void add_sums(RunReport& report, const RunState& run) {
  report.spent = spent_of(run.usage.get());
  for (const auto& job : run.jobs) {
    report.attempts += static_cast<std::uint32_t>(job->attempts.size());
    const bool ok = job->status == JobStatus::succeeded;
    report.jobs_ok += ok ? 1u : 0u;
    report.jobs_failed += job->phase == JobPhase::finished && !ok ? 1u : 0u;
    if (job->phase == JobPhase::finished && !ok) report.spent_failed += spent_of(job->usage.get());
    for (std::size_t i = 0; i + 1 < job->attempts.size(); ++i)
      report.spent_retried += spent_of(job->attempts[i]->usage.get());
  }
  report.jobs_total = static_cast<std::uint32_t>(run.jobs.size());
}

}  // namespace

Spent& Spent::operator+=(const Spent& other) {
  requests += other.requests;
  unreported += other.unreported;
  input_tokens += other.input_tokens;
  output_tokens += other.output_tokens;
  cache_read_tokens += other.cache_read_tokens;
  cache_write_tokens += other.cache_write_tokens;
  total_tokens += other.total_tokens;
  nanodollars += other.nanodollars;
  return *this;
}

Spent spent_of(const state::UsageTotalsT* usage) {
  if (usage == nullptr) return {};
  return {usage->requests,      usage->unreported,        usage->input_tokens,
          usage->output_tokens, usage->cache_read_tokens, usage->cache_write_tokens,
          usage->total_tokens,  usage->cost_nanodollars};
}

const std::string& job_id(const RunReport& report, std::uint32_t job) {
  static const std::string none;
  return job == 0 || job > report.jobs.size() ? none : report.jobs[job - 1].id;
}

int exit_code(const RunReport& report) {
  if (report.integrity == Integrity::damaged) return 5;
  const bool unwell = report.failed || !report.violations.empty() || !report.needs_you.empty();
  if (unwell) return 1;
  return report.integrity == Integrity::incomplete ? 4 : 0;
}

const GateState* gate_of(const RunState& run, std::uint32_t job, std::uint32_t attempt) {
  const auto found = std::ranges::find_if(run.gates, [&](const auto& gate) {
    return gate->job == job && gate->attempt == attempt &&
           gate->kind == schema::GateKind::acceptance;
  });
  return found == run.gates.end() ? nullptr : found->get();
}

const GateState* asked_gate(const RunState& run, std::uint32_t job, std::uint32_t attempt) {
  const GateState* gate = gate_of(run, job, attempt);
  return gate != nullptr && gate->decision == schema::GateDecision::skipped ? nullptr : gate;
}

Judgement judge_again(const Ruleset& ruleset, const RunState& run, const JobState& job) {
  if (job.attempts.empty()) {
    return {job.status, job.failure,
            false,      schema::BlockingGate::none,
            job.reason, schema::WorkEnding::unknown,
            {}};
  }
  const AttemptState& last = *job.attempts.back();
  return ruleset.judge(last, gate_of(run, job.number, last.number));
}

RunReport build_report(const Material& material, const BuildOptions& options) {
  const RunState& run = material.run;
  const Ruleset& ruleset = options.ruleset == nullptr ? current_ruleset() : *options.ruleset;
  RunReport report;
  report.run_id = run.run_id;
  report.short_id = options.short_id.empty() ? run.run_id : options.short_id;
  report.name = render::one_line(run.name.empty() ? run.run_id : run.name);
  report.source = source_of(material);
  report.ruleset = ruleset.name;
  report.status = status_of(run, options.live_status);
  report.ended = run.phase == RunPhase::finished;
  report.begin_ns = run.started_ns != 0 ? run.started_ns : run.planned_ns;
  report.end_ns = run.finished_ns != 0 ? run.finished_ns : run.updated_ns;
  report.concurrency = run.concurrency;
  report.models = neighbour_of(run).models;
  add_sums(report, run);
  report.failed = report.jobs_failed > 0 || report.status == "interrupted" ||
                  (report.ended && run.ending != schema::RunEnding::succeeded);
  add_causes(report, material, ruleset);
  add_jobs(report, material, ruleset);
  add_writes(report, material);
  add_usable(report, material, ruleset);
  add_now(report, material, ruleset);
  add_actions(report, material, ruleset);
  add_timeline(report, material);
  add_again(report, material, options);
  report.verdicts = verdicts_of(report, material, ruleset);
  add_record(report, material);
  return report;
}

}  // namespace pievt::audit
