#include "tools/importers/pi_jobs_batch.h"

#include <algorithm>

#include <fmt/format.h>

#include "supervisor/capture/excerpt.h"
#include "tools/importers/json_fields.h"

namespace pievt::tools::pi_jobs {

using schema::ImportAnomaly;

namespace {

constexpr std::size_t anomalies_max = 1000;

void read_head(Batch& batch, const Json& json, AnomalyList& anomalies) {
  constexpr std::string_view file = "batch.json";
  if (count_in(json, "schemaVersion") != 1) {
    anomalies.add(ImportAnomaly::unknown_version, file,
                  "schemaVersion is not 1; read as if it were");
  }
  if (const auto id = text_in(json, "batchId"); id != batch.id) {
    auto& found = anomalies.add(ImportAnomaly::foreign, file,
                                "names another batch than the directory it lies in");
    found.field = "batchId";
    found.expected = batch.id;
    found.actual = supervisor::one_line(id.value_or("(none)"));
  }
  batch.status = text_or_empty(json, "status");
  if (batch.status != "initializing" && batch.status != "running" && !run_ending(batch.status))
    anomalies.unknown_value(file, "status", batch.status);
  if (const std::string tool = text_or_empty(json, "toolName"); tool != "job" && tool != "jobs")
    anomalies.unknown_value(file, "toolName", tool);
  if (const std::string audit = text_or_empty(json, "auditIntegrity");
      audit != "pending" && audit != "ok" && audit != "failed" && audit != "degraded")
    anomalies.unknown_value(file, "auditIntegrity", audit);
  batch.directory = text_or_empty(json, "batchDir");
  batch.cwd = text_or_empty(json, "rootCwd");
  batch.model = text_or_empty(json, "defaultModel");
  batch.thinking = text_or_empty(json, "defaultThinking");
  batch.parent = text_or_empty(json, "parentBatchId");
  batch.concurrency = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(count_in(json, "effectiveConcurrency").value_or(0), 1'000'000));
  batch.started_ns = read_time(json, "startedAt", file, anomalies);
  batch.finished_ns = read_time(json, "finishedAt", file, anomalies);
  const auto ids = array_in(json, "jobIds");
  if (!ids) {
    anomalies.add(ImportAnomaly::wrong_shape, file, "has no list of jobs").field = "jobIds";
    return;
  }
  for (const Json id : *ids) {
    std::string_view text;
    if (id.get(text) != simdjson::SUCCESS || text.empty()) {
      anomalies.add(ImportAnomaly::wrong_shape, file, "a job id is no text").field = "jobIds";
    } else if (batch.find(text) == nullptr) {
      batch.jobs.emplace_back().id = std::string(text);
    } else {
      anomalies.add(ImportAnomaly::duplicate, file, fmt::format("names job {} twice", text));
    }
  }
}

// A root element of the named file, or nothing and an anomaly.
std::optional<Json> parse_file(simdjson::dom::parser& parser, const SourceFile& file,
                               AnomalyList& anomalies) {
  Json root;
  const auto failed = parser.parse(file.bytes).get(root);
  if (failed == simdjson::SUCCESS && root.is_object()) return root;
  const std::string what = failed == simdjson::SUCCESS
                               ? "is no JSON object"
                               : fmt::format("is not JSON: {}", simdjson::error_message(failed));
  anomalies.add(ImportAnomaly::not_json, file.name, what).size = file.bytes.size();
  return std::nullopt;
}

void read_plan(Batch& batch, const SourceFiles& files, AnomalyList& anomalies) {
  const SourceFile* file = files.find("plan.json");
  if (file == nullptr) return;
  batch.has_plan = true;
  simdjson::dom::parser parser;
  if (const auto json = parse_file(parser, *file, anomalies))
    batch.name = text_or_empty(*json, "batchName");
}

// Job files nobody announced are jobs all the same.
void add_unannounced(Batch& batch, const SourceFiles& files, AnomalyList& anomalies) {
  for (const SourceFile& file : files.all()) {
    std::string_view name = file.name;
    if (!name.starts_with("jobs/") || !name.ends_with(".json")) continue;
    name = name.substr(5, name.size() - 10);
    if (batch.find(name) != nullptr) continue;
    if (batch.present)
      anomalies.add(ImportAnomaly::foreign, file.name, "is a job that batch.json does not name");
    batch.jobs.emplace_back().id = std::string(name);
  }
}

void list_strays(const SourceFiles& files, AnomalyList& anomalies) {
  for (const SourceFile& file : files.all()) {
    const std::string& name = file.name;
    const bool known = name == "batch.json" || name == "events.jsonl" || name == "summary.md" ||
                       name == "plan.json" || name.starts_with("attempts/") ||
                       (name.starts_with("jobs/") && name.ends_with(".json"));
    if (known && !name.ends_with(".tmp")) continue;
    auto& found =
        anomalies.add(ImportAnomaly::stray_file, name,
                      name.ends_with(".tmp") ? "was left behind by a write that was cut off"
                                             : "belongs to no part of a batch");
    found.size = file.bytes.size();
  }
}

}  // namespace

std::uint64_t read_time(const Json& of, std::string_view field, std::string_view file,
                        AnomalyList& anomalies) {
  const auto text = text_in(of, field);
  if (!text) return 0;
  if (const auto time = time_of(*text)) return *time;
  auto& found = anomalies.add(ImportAnomaly::bad_time, file,
                              fmt::format("{} is no time; it was left out", field));
  found.field = std::string(field);
  found.actual = supervisor::one_line(*text);
  return 0;
}

JobRecord* Batch::find(std::string_view job) {
  const auto found = std::ranges::find(jobs, job, &JobRecord::id);
  return found == jobs.end() ? nullptr : &*found;
}

std::uint32_t Batch::number_of(std::string_view job) const {
  const auto found = std::ranges::find(jobs, job, &JobRecord::id);
  return found == jobs.end() ? 0 : static_cast<std::uint32_t>(found - jobs.begin() + 1);
}

AnomalyList::~AnomalyList() {
  if (left_out_ == 0) return;
  FoundAnomaly& last = list_.emplace_back();
  last.what.detail = fmt::format("{} more anomalies were found and only counted", left_out_);
}

schema::ImportAnomalyFoundT& AnomalyList::add(ImportAnomaly kind, std::string_view file,
                                              std::string detail) {
  if (list_.size() >= anomalies_max) {
    ++left_out_;
    return surplus_ = {};
  }
  return add_sum(kind, file, std::move(detail));
}

schema::ImportAnomalyFoundT& AnomalyList::add_sum(ImportAnomaly kind, std::string_view file,
                                                  std::string detail) {
  auto& found = list_.emplace_back().what;
  found.anomaly = kind;
  found.file = std::string(file);
  found.detail = std::move(detail);
  return found;
}

schema::ImportAnomalyFoundT& AnomalyList::add(ImportAnomaly kind, std::string_view file,
                                              const SourceLine& line, std::string detail) {
  auto& found = add(kind, file, std::move(detail));
  found.line = line.number;
  found.offset = line.offset;
  found.size = line.text.size();
  return found;
}

void AnomalyList::unknown_value(std::string_view file, std::string_view field,
                                std::string_view actual) {
  auto& found = add(ImportAnomaly::unknown_value, file,
                    fmt::format("{} has a value that pi-jobs 0.5.0 did not write", field));
  found.field = std::string(field);
  found.actual = supervisor::one_line(actual);
}

Batch read_batch(const std::string& id, const SourceFiles& files, std::vector<FoundAnomaly>& list) {
  Batch batch;
  batch.id = id;
  AnomalyList anomalies(list);
  const SourceFile* file = files.find("batch.json");
  if (file == nullptr) {
    anomalies.add(ImportAnomaly::missing_file, "batch.json",
                  files.all().empty() ? "the batch's directory is empty"
                                      : "is missing; the batch is told from its other files");
  } else {
    simdjson::dom::parser parser;
    if (const auto json = parse_file(parser, *file, anomalies)) {
      batch.present = true;
      read_head(batch, *json, anomalies);
    }
  }
  read_plan(batch, files, anomalies);
  add_unannounced(batch, files, anomalies);
  for (JobRecord& job : batch.jobs) job = read_job(batch, job.id, files, anomalies);
  read_log(batch, files, anomalies);
  compare(batch, files, anomalies);
  list_strays(files, anomalies);
  return batch;
}

}  // namespace pievt::tools::pi_jobs
