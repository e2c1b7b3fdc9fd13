// See run_text.h.
#include "tools/agent_tools/run_text.h"

#include <algorithm>

#include <fmt/format.h>

#include "pievt/bytes.h"
#include "supervisor/plan/canonical.h"
#include "supervisor/plan/text.h"
#include "tools/render/sanitise.h"
#include "tools/render/text.h"

namespace pievt::tools {
namespace {

using plan::json_text;

// Of all last words together; a model reads them all, and pays for them.
constexpr std::size_t finals_bytes_max = 24'000;
constexpr std::size_t final_bytes_min = 400;

std::string seconds_text(std::uint64_t ms) {
  return render::duration_text(static_cast<std::int64_t>(ms / 1000 * 1'000'000'000));
}

std::string one_line(std::string_view text) {
  return std::string(render::one_line(text));
}

std::string_view icon_of(const JobState& job) {
  if (job.status == schema::JobStatus::succeeded) return "✓";
  return job.status == schema::JobStatus::cancelled || job.status == schema::JobStatus::skipped
             ? "⊘"
             : "✗";
}

// Valid UTF-8, cut at a character's end.
std::string cut(std::string text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0u) == 0x80u) --end;
  text.resize(end);
  return text + " …";
}

// Invalid bytes would make the JSON around it invalid.
std::string valid(std::string_view bytes) {
  std::string out(bytes);
  for (std::size_t bad = plan::invalid_utf8_at(out); bad != std::string::npos;
       bad = plan::invalid_utf8_at(out))
    out[bad] = '?';
  return out;
}

std::string final_of(const Log& log, const JobState& job) {
  if (job.attempts.empty() || job.attempts.back()->final_message == nullptr) return {};
  const auto bytes = log.get_blob(*job.attempts.back()->final_message);
  if (!bytes.ok()) return {};
  return valid(text_of(*bytes));
}

std::string job_json(const JobState& job, const std::string& final) {
  return fmt::format(
      R"({{"id":{},"name":{},"status":{},"failure":{},"reason":{},"attempts":{},"model":{},)"
      R"("final":{}}})",
      json_text(job.id), json_text(valid(job.name)),
      json_text(schema::EnumNameJobStatus(job.status)),
      json_text(schema::EnumNameFailureKind(job.failure)), json_text(valid(job.reason)),
      job.attempts.size(), json_text(valid(job.model)), json_text(final));
}

std::string next_steps(const RunState& run, bool failed) {
  std::string out = fmt::format(
      "run {}: pievt show {} tells everything, pievt cat {}/JOB a job's "
      "whole last message",
      run.run_id, run.run_id, run.run_id);
  if (failed) out += fmt::format("; pievt show {}/JOB why one failed", run.run_id);
  return out + "\n";
}

}  // namespace

std::string progress_text(const std::string& run, const control::Progress& progress,
                          std::uint64_t elapsed_ms) {
  const std::uint32_t ended =
      progress.succeeded + progress.failed + progress.cancelled + progress.skipped;
  std::string out = fmt::format(
      "JOBS {} · {} active / {}{}{} · {}\n\n",
      progress.stop_mode == schema::StopMode::unknown ? "running" : "stopping", progress.running,
      progress.jobs, ended > 0 ? fmt::format(" · {} ended", ended) : "",
      progress.failed > 0 ? fmt::format(" · {} failed", progress.failed) : "",
      seconds_text(elapsed_ms));
  for (const control::ActiveJob& job : progress.active)
    out += fmt::format("◐  {}{}{}\n", one_line(job.id),
                       job.attempt > 1 ? fmt::format(" (try {})", job.attempt) : "",
                       job.line.empty() ? "" : "  " + one_line(job.line));
  return out + fmt::format("\n/jobs-ui {}\n", run);
}

Result<RunResult> run_result(const Log& log, const RunState& run) {
  RunResult result;
  result.failed = run.ending != schema::RunEnding::succeeded;
  std::uint32_t succeeded = 0;
  for (const auto& job : run.jobs)
    succeeded += job->status == schema::JobStatus::succeeded ? 1u : 0u;
  const std::uint64_t ms =
      run.finished_ns > run.started_ns ? (run.finished_ns - run.started_ns) / 1'000'000 : 0;
  const std::string_view word = run.ending == schema::RunEnding::succeeded ? "done"
                                : run.ending == schema::RunEnding::stopped ? "aborted"
                                                                           : "error";
  result.text =
      fmt::format("JOBS {} · {}/{} jobs succeeded · {}{}\n\n", word, succeeded, run.jobs.size(),
                  seconds_text(ms), run.reason.empty() ? "" : " · " + one_line(run.reason));
  const std::size_t room =
      std::max(final_bytes_min, finals_bytes_max / std::max<std::size_t>(run.jobs.size(), 1));
  std::string jobs;
  for (const auto& job : run.jobs) {
    const std::string final = cut(final_of(log, *job), room);
    result.text += fmt::format("{}  {}{}{}\n", icon_of(*job), one_line(job->id),
                               job->name == job->id ? "" : "  " + one_line(job->name),
                               job->status == schema::JobStatus::succeeded || job->reason.empty()
                                   ? ""
                                   : " · " + one_line(job->reason));
    if (!final.empty()) result.text += final + "\n\n";
    jobs += (jobs.empty() ? "" : ",") + job_json(*job, final);
  }
  result.text += "\n" + next_steps(run, result.failed);
  result.details = fmt::format(
      R"({{"schema":"pievt.tool_result","schema_version":1,"run":{},"ending":{},"ok":{},)"
      R"("reason":{},"duration_ms":{},"jobs":[{}]}})",
      json_text(run.run_id), json_text(schema::EnumNameRunEnding(run.ending)), !result.failed,
      json_text(valid(run.reason)), ms, jobs);
  return result;
}

}  // namespace pievt::tools
