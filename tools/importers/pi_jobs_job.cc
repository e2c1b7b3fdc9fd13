// jobs/<id>.json: the job as it stood when it was last written, with its attempts.
#include <algorithm>

#include <fmt/format.h>

#include "supervisor/capture/excerpt.h"
#include "tools/importers/json_fields.h"
#include "tools/importers/pi_jobs_batch.h"

namespace pievt::tools::pi_jobs {
namespace {

using schema::ImportAnomaly;
using supervisor::one_line;

AttemptRecord read_attempt(const Json& json, std::string_view file, AnomalyList& anomalies) {
  AttemptRecord attempt;
  attempt.ordinal = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(count_in(json, "index").value_or(0), 1'000'000));
  attempt.status = text_or_empty(json, "status");
  if (!job_status(attempt.status)) anomalies.unknown_value(file, "status", attempt.status);
  attempt.failure = text_or_empty(json, "failureKind");
  if (!failure_kind(attempt.failure)) anomalies.unknown_value(file, "failureKind", attempt.failure);
  attempt.error = text_or_empty(json, "error");
  attempt.started_ns = read_time(json, "startedAt", file, anomalies);
  attempt.finished_ns = read_time(json, "finishedAt", file, anomalies);
  attempt.timeout_ms = count_in(json, "timeoutMs").value_or(0);
  if (const auto runtime = member(json, "runtime")) {
    if (const auto code = number_in(*runtime, "exitCode"); code && *code >= -1e6 && *code <= 1e6)
      attempt.exit_code = static_cast<int>(*code);
    attempt.stop_reason = text_or_empty(*runtime, "stopReason");
    attempt.saw_final = truth_in(*runtime, "sawTerminalAssistantMessage");
  }
  return attempt;
}

std::vector<std::string> texts_in(const Json& of, std::string_view key) {
  std::vector<std::string> texts;
  const auto list = array_in(of, key);
  if (!list) return texts;
  for (const Json entry : *list) {
    std::string_view text;
    if (entry.get(text) == simdjson::SUCCESS) texts.push_back(one_line(text));
  }
  return texts;
}

std::unique_ptr<schema::RequiredPathT> read_path(const Json& entry) {
  auto path = std::make_unique<schema::RequiredPathT>();
  path->type = schema::PathType::file;
  std::string_view text;
  if (entry.get(text) == simdjson::SUCCESS) {
    path->path = one_line(text);
    return path;
  }
  path->path = one_line(text_or_empty(entry, "path"));
  const std::string type = text_or_empty(entry, "type");
  path->type = type == "dir"    ? schema::PathType::directory
               : type == "glob" ? schema::PathType::glob
                                : schema::PathType::file;
  path->min_bytes = count_in(entry, "minBytes").value_or(0);
  path->required_regex = texts_in(entry, "requiredRegex");
  path->forbidden_regex = texts_in(entry, "forbiddenRegex");
  return path;
}

// What pi-jobs calls output is the worker's log: it never looked at the last message.
void read_contract(JobRecord& job, const Json& json) {
  job.contract = std::make_unique<schema::AcceptanceT>();
  schema::AcceptanceT& contract = *job.contract;
  contract.forbidden_paths = texts_in(json, "forbiddenPaths");
  contract.required_worker_log = texts_in(json, "requiredOutputRegex");
  contract.forbidden_worker_log = texts_in(json, "forbiddenOutputRegex");
  contract.required_report = texts_in(json, "requiredReportRegex");
  contract.forbidden_report = texts_in(json, "forbiddenReportRegex");
  contract.allowed_write_paths = texts_in(json, "allowedWritePaths");
  contract.forbidden_write_paths = texts_in(json, "forbiddenWritePaths");
  contract.min_worker_log_bytes = count_in(json, "minWorkerLogBytes").value_or(0);
  contract.min_report_summary_chars = count_in(json, "minReportSummaryChars").value_or(0);
  contract.require_deliverables_evidence =
      truth_in(json, "requireDeliverablesEvidence").value_or(false);
  contract.audit_only = truth_in(json, "auditOnly").value_or(false);
  const auto paths = array_in(json, "requiredPaths");
  if (!paths) return;
  for (const Json entry : *paths) contract.required_paths.push_back(read_path(entry));
}

void read_acceptance(JobRecord& job, const Json& acceptance, std::string_view file,
                     AnomalyList& anomalies) {
  job.acceptance = text_or_empty(acceptance, "status");
  if (job.acceptance != "pending" && !gate_decision(job.acceptance))
    anomalies.unknown_value(file, "acceptance.status", job.acceptance);
  const auto checks = array_in(acceptance, "checks");
  if (!checks) return;
  for (const Json check : *checks) {
    CheckRecord seen{.name = one_line(text_or_empty(check, "name")),
                     .status = text_or_empty(check, "status"),
                     .path = one_line(text_or_empty(check, "path")),
                     .message = one_line(text_or_empty(check, "message")),
                     .expected = one_line(text_or_empty(check, "expected")),
                     .actual = one_line(text_or_empty(check, "actual"))};
    if (const auto size = number_in(check, "actual")) seen.actual = fmt::format("{}", *size);
    if (!check_status(seen.status)) anomalies.unknown_value(file, "checks.status", seen.status);
    job.checks.push_back(std::move(seen));
  }
}

void read_fields(JobRecord& job, const Json& json, const Batch& batch, std::string_view file,
                 AnomalyList& anomalies) {
  if (count_in(json, "schemaVersion") != 1) {
    anomalies.add(ImportAnomaly::unknown_version, file,
                  "schemaVersion is not 1; read as if it were");
  }
  const std::string named = text_or_empty(json, "batchId") + "/" + text_or_empty(json, "jobId");
  if (named != batch.id + "/" + job.id) {
    auto& found =
        anomalies.add(ImportAnomaly::foreign, file, "names another job than the place it lies in");
    found.expected = batch.id + "/" + job.id;
    found.actual = one_line(named);
  }
  job.name = one_line(text_or_empty(json, "name"));
  job.prompt = text_or_empty(json, "prompt");
  job.cwd = text_or_empty(json, "cwd");
  job.timeout_ms = count_in(json, "timeoutMs").value_or(0);
  job.status = text_or_empty(json, "status");
  if (job.status != "queued" && job.status != "running" && !job_status(job.status))
    anomalies.unknown_value(file, "status", job.status);
  job.failure = text_or_empty(json, "failureKind");
  if (!failure_kind(job.failure)) anomalies.unknown_value(file, "failureKind", job.failure);
  job.retryable = text_in(json, "retryability") == "retryable";
  job.error = one_line(text_or_empty(json, "error"));
  job.queued_ns = read_time(json, "queuedAt", file, anomalies);
  job.finished_ns = read_time(json, "finishedAt", file, anomalies);
  if (const auto contract = member(json, "acceptanceContract")) read_contract(job, *contract);
  if (const auto acceptance = member(json, "acceptance"))
    read_acceptance(job, *acceptance, file, anomalies);
  simdjson::dom::object metadata;
  if (const auto pairs = member(json, "metadata");
      pairs && pairs->get(metadata) == simdjson::SUCCESS) {
    for (const auto field : metadata) {
      std::string_view value;
      if (field.value.get(value) == simdjson::SUCCESS)
        job.metadata.emplace_back(one_line(field.key), one_line(value));
    }
  }
  if (const auto attempts = array_in(json, "attempts")) {
    for (const Json attempt : *attempts)
      job.attempts.push_back(read_attempt(attempt, file, anomalies));
  }
}

// attempt.json is written when an attempt settles and the job's list a moment later: after a crash
// between the two only the former has it.
void read_attempt_files(JobRecord& job, const SourceFiles& files, simdjson::dom::parser& parser,
                        AnomalyList& anomalies) {
  const std::string below = fmt::format("attempts/{}/", job.id);
  for (const SourceFile& file : files.all()) {
    if (!file.name.starts_with(below) || !file.name.ends_with("/attempt.json")) continue;
    Json json;
    if (parser.parse(file.bytes).get(json) != simdjson::SUCCESS || !json.is_object()) {
      anomalies.add(ImportAnomaly::not_json, file.name, "is not JSON").size = file.bytes.size();
      continue;
    }
    AttemptRecord attempt = read_attempt(json, file.name, anomalies);
    const auto listed = std::ranges::find(job.attempts, attempt.ordinal, &AttemptRecord::ordinal);
    if (listed == job.attempts.end()) {
      job.attempts.push_back(std::move(attempt));
    } else if (listed->status != attempt.status || listed->failure != attempt.failure) {
      auto& found = anomalies.add(ImportAnomaly::contradiction, file.name,
                                  fmt::format("says otherwise than jobs/{}.json", job.id));
      found.expected = fmt::format("{}, {}", listed->status, listed->failure);
      found.actual = fmt::format("{}, {}", attempt.status, attempt.failure);
    }
  }
  std::ranges::sort(job.attempts, {}, &AttemptRecord::ordinal);
}

}  // namespace

JobRecord read_job(const Batch& batch, const std::string& id, const SourceFiles& files,
                   AnomalyList& anomalies) {
  JobRecord job;
  job.id = id;
  simdjson::dom::parser parser;
  const std::string name = fmt::format("jobs/{}.json", id);
  if (const SourceFile* file = files.find(name); file == nullptr) {
    anomalies.add(ImportAnomaly::missing_file, name,
                  "is missing; the job is told from the event log and its attempts");
  } else {
    Json json;
    const auto failed = parser.parse(file->bytes).get(json);
    if (failed != simdjson::SUCCESS || !json.is_object()) {
      anomalies
          .add(ImportAnomaly::not_json, name,
               fmt::format("is not JSON: {}", simdjson::error_message(failed)))
          .size = file->bytes.size();
    } else {
      job.present = true;
      read_fields(job, json, batch, name, anomalies);
    }
  }
  read_attempt_files(job, files, parser, anomalies);
  return job;
}

}  // namespace pievt::tools::pi_jobs
