#include "supervisor/turn/plan_run.h"

#include <algorithm>
#include <ctime>
#include <filesystem>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "pievt/ruleset.h"
#include "pievt/version.h"

namespace pievt::supervisor {
namespace {

schema::FailureKind kind_of(plan::RetryOn kind) {
  switch (kind) {
    case plan::RetryOn::launch:
      return schema::FailureKind::launch_error;
    case plan::RetryOn::provider_transient:
      return schema::FailureKind::provider_transient;
    case plan::RetryOn::context_overflow:
      return schema::FailureKind::context_overflow;
    case plan::RetryOn::worker_incomplete:
      return schema::FailureKind::worker_incomplete;
    case plan::RetryOn::timeout:
      return schema::FailureKind::deadline_exceeded;
    case plan::RetryOn::killed:
      return schema::FailureKind::killed;
    case plan::RetryOn::acceptance:
      return schema::FailureKind::acceptance_failed;
    case plan::RetryOn::lost:
      return schema::FailureKind::supervisor_lost;
  }
  return schema::FailureKind::unknown;
}

std::unique_ptr<schema::RetryPolicyT> policy_of(const plan::RetryPolicy& policy) {
  auto out = std::make_unique<schema::RetryPolicyT>();
  out->max_attempts = policy.max_attempts;
  out->initial_ms = policy.initial_ms;
  out->max_ms = policy.max_ms;
  out->multiplier = policy.multiplier;
  out->jitter_ratio = policy.jitter ? 0.25 : 0;
  for (const plan::RetryOn kind : policy.retry_on) {
    out->retry_on.push_back(kind_of(kind));
    // An empty final message is one way of not having finished.
    if (kind == plan::RetryOn::worker_incomplete)
      out->retry_on.push_back(schema::FailureKind::empty_final);
  }
  return out;
}

// The prompt as one text, with a note of where final messages of other jobs go.
std::string prompt_text(const plan::JobSpec& job, schema::JobDeclaredT& event) {
  std::string text;
  for (const auto& piece : job.prompt) {
    if (const auto* literal = std::get_if<std::string>(&piece)) {
      text += *literal;
      continue;
    }
    const auto& final = std::get<plan::FinalOf>(piece);
    const std::string shown = fmt::format("{{{{jobs.{}.final}}}}", final.job);
    auto reference = std::make_unique<schema::FinalReferenceT>();
    reference->offset = text.size();
    reference->size = shown.size();
    reference->job = final.index + 1;
    event.finals.push_back(std::move(reference));
    text += shown;
  }
  return text;
}

std::unique_ptr<schema::RequiredPathT> required_path(const plan::RequiredPath& path) {
  auto out = std::make_unique<schema::RequiredPathT>();
  out->path = path.path;
  out->type = path.type == plan::PathType::directory ? schema::PathType::directory
              : path.type == plan::PathType::glob    ? schema::PathType::glob
                                                     : schema::PathType::file;
  out->min_bytes = path.min_bytes;
  out->required_regex = path.required_regex;
  out->forbidden_regex = path.forbidden_regex;
  return out;
}

std::unique_ptr<schema::AcceptanceT> contract_of(const plan::JobSpec& job) {
  using enum plan::ContractList;
  const plan::Contract& contract = job.contract;
  if (contract.asked == plan::Contract::Asked::no) return nullptr;
  auto out = std::make_unique<schema::AcceptanceT>();
  for (const plan::RequiredPath& path : job.required_paths)
    out->required_paths.push_back(required_path(path));
  out->forbidden_paths = contract.of(forbidden_paths);
  out->required_final = contract.of(required_final);
  out->forbidden_final = contract.of(forbidden_final);
  out->required_worker_log = contract.of(required_worker_log);
  out->forbidden_worker_log = contract.of(forbidden_worker_log);
  out->required_report = contract.of(required_report);
  out->forbidden_report = contract.of(forbidden_report);
  out->required_raw_output = contract.of(required_raw_output);
  out->forbidden_raw_output = contract.of(forbidden_raw_output);
  out->min_worker_log_bytes = contract.min_worker_log_bytes;
  out->min_report_summary_chars = contract.min_report_summary_chars;
  out->allowed_write_paths = contract.of(allowed_write_paths);
  out->forbidden_write_paths = contract.of(forbidden_write_paths);
  out->require_deliverables_evidence = contract.require_deliverables_evidence;
  out->audit_only = contract.audit_only;
  return out;
}

Result<schema::JobDeclaredT> declare(RunRecord& record, const plan::JobSpec& job,
                                     const std::filesystem::path& cwd) {
  schema::JobDeclaredT event;
  event.id = job.id;
  event.name = job.name;
  event.prompt = PIEVT_TRY(record.put_text(prompt_text(job, event)));
  for (const plan::ContextFile& file : job.context) {
    auto context = std::make_unique<schema::ContextFileT>();
    context->path = file.path;
    context->content = PIEVT_TRY(record.put_text(*file.text));
    event.context.push_back(std::move(context));
  }
  event.model = job.model.value_or("");
  event.thinking = job.thinking ? std::string(plan::name_of(*job.thinking)) : "";
  if (job.tools) event.tools = *job.tools;
  event.cwd = job.cwd ? (cwd / *job.cwd).lexically_normal().string() : cwd.string();
  for (const auto& [name, value] : job.env) event.environment_names.push_back(name);
  event.timeout_ms = job.timeout_ms;
  event.retry = policy_of(job.retry);
  event.priority = job.priority;
  for (const plan::Dependency& dependency : job.depends_on) {
    auto out = std::make_unique<schema::JobDependencyT>();
    out->job = dependency.index + 1;
    out->when = dependency.when == plan::When::success ? schema::DependsWhen::success
                                                       : schema::DependsWhen::finished;
    event.depends_on.push_back(std::move(out));
  }
  event.acceptance = contract_of(job);
  for (const auto& [key, value] : job.metadata) {
    auto pair = std::make_unique<schema::PairT>();
    pair->key = key;
    pair->value = value;
    event.metadata.push_back(std::move(pair));
  }
  return event;
}

}  // namespace

std::string new_run_id() {
  const AppendId random = new_append_id();
  const auto last = [&](std::size_t i) { return std::to_integer<unsigned>(random.bytes[i]); };
  return fmt::format("{:%Y%m%d-%H%M%S}-{:02x}{:02x}{:02x}", fmt::gmtime(std::time(nullptr)),
                     last(13), last(14), last(15));
}

Status plan_run(RunRecord& record, const plan::PlanFile& file, const std::string& plan_path,
                const std::string& cwd, std::uint32_t concurrency) {
  schema::RunPlannedT planned;
  planned.run_id = record.run_id();
  planned.kind = schema::RunKind::batch;
  planned.name = file.plan.name;
  planned.plan = PIEVT_TRY(record.put_text(file.text, schema::BlobKind::json));
  planned.plan_path = plan_path;
  planned.job_count = static_cast<std::uint32_t>(file.plan.jobs.size());
  planned.concurrency = concurrency;
  planned.cwd = cwd;
  planned.parent_run = file.plan.parent_run.value_or("");
  planned.ruleset = current_ruleset().name;
  planned.pievt_version = version;
  PIEVT_TRY(record.propose({std::move(planned)}));
  for (std::size_t i = 0; i < file.plan.jobs.size(); ++i) {
    schema::JobDeclaredT declared = PIEVT_TRY(declare(record, file.plan.jobs[i], cwd));
    PIEVT_TRY(record.propose({std::move(declared), {.job = static_cast<std::uint32_t>(i + 1)}}));
  }
  return record.commit();
}

Result<std::map<std::string, std::vector<process::Variable>>> job_environments(
    const plan::Plan& plan, const std::vector<process::Variable>& environment) {
  std::map<std::string, std::vector<process::Variable>> all;
  for (const plan::JobSpec& job : plan.jobs) {
    for (const auto& [name, value] : job.env) {
      if (const auto* literal = std::get_if<std::string>(&value)) {
        all[job.id].push_back({name, *literal});
        continue;
      }
      const std::string& from = std::get<plan::FromEnv>(value).name;
      const auto found = std::ranges::find(environment, from, &process::Variable::name);
      if (found == environment.end()) {
        return Error{Errc::invalid,
                     fmt::format("job {} wants {} from your environment, where {} is not set",
                                 job.id, name, from)};
      }
      all[job.id].push_back({name, found->value});
    }
  }
  return all;
}

}  // namespace pievt::supervisor
