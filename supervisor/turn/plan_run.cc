#include "supervisor/turn/plan_run.h"

#include <algorithm>
#include <ctime>
#include <filesystem>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "pievt/ruleset.h"
#include "pievt/version.h"
#include "supervisor/settings/settings_json.h"
#include "supervisor/turn/secret_policy.h"

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
  out->session = policy.session == plan::RetrySession::resume ? schema::RetrySession::resume
                                                              : schema::RetrySession::fresh;
  out->tree = policy.tree == plan::RetryTree::previous ? schema::RetryTree::previous
                                                       : schema::RetryTree::clean;
  for (const plan::RetryOn kind : policy.retry_on) {
    out->retry_on.push_back(kind_of(kind));
    // An empty final message is one way of not having finished.
    if (kind == plan::RetryOn::worker_incomplete)
      out->retry_on.push_back(schema::FailureKind::empty_final);
  }
  return out;
}

std::unique_ptr<schema::BudgetT> budget_of(const plan::Budget& budget) {
  if (budget == plan::Budget{}) return nullptr;
  auto out = std::make_unique<schema::BudgetT>();
  out->tokens = budget.tokens;
  out->cost_nanodollars = budget.cost_nanodollars;
  out->wall_ms = budget.wall_ms;
  out->retries = budget.retries;
  return out;
}

std::unique_ptr<schema::SilencePolicyT> silence_of(const plan::Silence& silence) {
  if (silence == plan::Silence{}) return nullptr;
  auto out = std::make_unique<schema::SilencePolicyT>();
  out->starting_ms = silence.starting_ms;
  out->thinking_ms = silence.thinking_ms;
  out->tool_ms = silence.tool_ms;
  out->provider_ms = silence.provider_ms;
  out->lingering_ms = silence.lingering_ms;
  return out;
}

// Where nothing is said, as pi-jobs had it: between one and what the run may do at once anyway.
std::unique_ptr<schema::ThrottlePolicyT> throttle_of(const plan::Throttle& throttle,
                                                     std::uint32_t concurrency) {
  auto out = std::make_unique<schema::ThrottlePolicyT>();
  out->enabled = throttle.enabled;
  out->threshold = throttle.transient_failure_threshold.value_or(0.2);
  out->window = throttle.window_size.value_or(5);
  out->max = std::clamp(throttle.max_concurrency.value_or(concurrency), 1u, concurrency);
  out->min = std::clamp(throttle.min_concurrency.value_or(1), 1u, out->max);
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
  for (const plan::CommandCheck& command : contract.commands) {
    auto check = std::make_unique<schema::CommandCheckT>();
    check->shell = command.shell;
    check->argv = command.argv;
    check->cwd = command.cwd;
    check->timeout_ms = command.timeout_ms;
    for (const auto& [name, value] : command.env) check->environment_names.push_back(name);
    check->expect_exit = command.expect_exit;
    out->commands.push_back(std::move(check));
  }
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
  event.budget = budget_of(job.budget);
  event.silence = silence_of(job.silence);
  event.wave = job.wave;
  for (const plan::Dependency& dependency : job.depends_on) {
    auto out = std::make_unique<schema::JobDependencyT>();
    out->job = dependency.index + 1;
    out->when = dependency.when == plan::When::success ? schema::DependsWhen::success
                                                       : schema::DependsWhen::finished;
    event.depends_on.push_back(std::move(out));
  }
  event.acceptance = contract_of(job);
  event.isolation = job.isolation == plan::Isolation::worktree ? schema::Isolation::worktree
                                                               : schema::Isolation::shared;
  for (const plan::CarriedPath& carried : job.carry) {
    event.carry.push_back(std::make_unique<schema::CarryT>());
    event.carry.back()->path = carried.path;
    event.carry.back()->how = carried.how == plan::CarriedPath::How::link ? schema::CarryHow::link
                                                                          : schema::CarryHow::copy;
  }
  for (const auto& [key, value] : job.metadata) {
    auto pair = std::make_unique<schema::PairT>();
    pair->key = key;
    pair->value = value;
    event.metadata.push_back(std::move(pair));
  }
  return event;
}

}  // namespace

Result<schema::JobDeclaredT> declare_job(RunRecord& record, const plan::JobSpec& job,
                                         const std::string& cwd) {
  return declare(record, job, cwd);
}

std::string new_run_id() {
  const AppendId random = new_append_id();
  const auto last = [&](std::size_t i) { return std::to_integer<unsigned>(random.bytes[i]); };
  return fmt::format("{:%Y%m%d-%H%M%S}-{:02x}{:02x}{:02x}", fmt::gmtime(std::time(nullptr)),
                     last(13), last(14), last(15));
}

Status plan_run(RunRecord& record, const plan::PlanFile& file, RunBasis basis) {
  PIEVT_TRY(check_plan_secrets(file, basis.secrets));
  schema::RunPlannedT planned;
  planned.run_id = record.run_id();
  planned.kind = schema::RunKind::batch;
  planned.name = file.plan.name;
  planned.plan = PIEVT_TRY(record.put_text(file.text, schema::BlobKind::json));
  planned.plan_path = basis.plan_path;
  planned.job_count = static_cast<std::uint32_t>(file.plan.jobs.size());
  planned.concurrency = basis.concurrency;
  planned.budget = budget_of(file.plan.budget);
  if (file.plan.throttle) planned.throttle = throttle_of(*file.plan.throttle, basis.concurrency);
  if (planned.throttle != nullptr && planned.throttle->enabled)
    planned.concurrency = planned.throttle->max;
  planned.cwd = basis.cwd;
  planned.parent_run = file.plan.parent_run.value_or("");
  planned.ruleset = current_ruleset().name;
  planned.pievt_version = version;
  planned.settings =
      PIEVT_TRY(record.put_text(settings::settings_json(basis.settings), schema::BlobKind::json));
  planned.tool = std::move(basis.caller.tool);
  // A person's command has no caller to be missed.
  planned.on_caller_gone = basis.caller.when_gone;
  if (!planned.tool.empty() && planned.on_caller_gone == schema::CallerGone::unknown) {
    planned.on_caller_gone = basis.settings.on_caller_gone == settings::CallerGone::stop
                                 ? schema::CallerGone::stop
                                 : schema::CallerGone::continue_run;
  }
  planned.asked_by = std::move(basis.caller.requester);
  PIEVT_TRY(record.propose({std::move(planned)}));
  for (std::size_t i = 0; i < file.plan.jobs.size(); ++i) {
    schema::JobDeclaredT declared = PIEVT_TRY(declare(record, file.plan.jobs[i], basis.cwd));
    PIEVT_TRY(record.propose({std::move(declared), {.job = static_cast<std::uint32_t>(i + 1)}}));
  }
  PIEVT_TRY(tell_plan_secrets(record, file, basis.secrets));
  return record.commit();
}

std::string command_key(const std::string& job, std::size_t number) {
  return fmt::format("{}#{}", job, number);
}

Result<std::map<std::string, std::vector<process::Variable>>> job_environments(
    const plan::Plan& plan, const std::vector<process::Variable>& environment) {
  std::map<std::string, std::vector<process::Variable>> all;
  const auto add = [&](const std::string& job, const std::string& key,
                       const plan::EnvValues& env) -> Status {
    for (const auto& [name, value] : env) {
      if (const auto* literal = std::get_if<std::string>(&value)) {
        all[key].push_back({name, *literal});
        continue;
      }
      const std::string& from = std::get<plan::FromEnv>(value).name;
      const auto found = std::ranges::find(environment, from, &process::Variable::name);
      if (found == environment.end()) {
        return Error{Errc::invalid,
                     fmt::format("job {} wants {} from your environment, where {} is not set", job,
                                 name, from)};
      }
      all[key].push_back({name, found->value});
    }
    return {};
  };
  for (const plan::JobSpec& job : plan.jobs) {
    PIEVT_TRY(add(job.id, job.id, job.env));
    for (std::size_t i = 0; i < job.contract.commands.size(); ++i)
      PIEVT_TRY(add(job.id, command_key(job.id, i + 1), job.contract.commands[i].env));
  }
  return all;
}

}  // namespace pievt::supervisor
