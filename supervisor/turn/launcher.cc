#include "supervisor/turn/launcher.h"

#include <algorithm>

#include <fmt/format.h>

#include "supervisor/check/contract.h"
#include "supervisor/launch/agent_dir.h"
#include "supervisor/launch/command.h"
#include "supervisor/launch/provider_keys.h"
#include "supervisor/launch/session_copy.h"
#include "supervisor/launch/user_agent.h"
#include "supervisor/turn/blob_text.h"
#include "supervisor/turn/second_attempt.h"

namespace pievt::supervisor {
namespace {

constexpr std::string_view probe_prompt =
    "This is a connection test. Reply with the single word: ready";
constexpr std::uint64_t probe_timeout_ms = 60'000;

Result<std::string> text_or_nothing(const Log& log, const std::unique_ptr<schema::BlobRef>& ref) {
  return ref == nullptr ? std::string() : blob_text(log, *ref);
}

// The prompt with the last words of other jobs where they belong. From the back, so that offsets
// stay true.
Result<std::string> resolve_finals(RunRecord& record, const schema::JobDeclaredT& job,
                                   std::string prompt) {
  for (auto it = job.finals.rbegin(); it != job.finals.rend(); ++it) {
    const schema::FinalReferenceT& final = **it;
    if (final.offset > prompt.size() || final.size > prompt.size() - final.offset) continue;
    std::string said;
    const JobState* other = find_job(record.state(), final.job);
    if (other != nullptr && !other->attempts.empty()) {
      said = PIEVT_TRY(text_or_nothing(record.log(), other->attempts.back()->final_message));
    }
    prompt.replace(final.offset, final.size, said);
  }
  return prompt;
}

Result<std::string> whole_prompt(RunRecord& record, const schema::JobDeclaredT& job) {
  std::string text;
  for (const auto& file : job.context) {
    text += fmt::format("<file name=\"{}\">\n{}\n</file>\n\n", file->path,
                        PIEVT_TRY(text_or_nothing(record.log(), file->content)));
  }
  const std::string prompt = PIEVT_TRY(text_or_nothing(record.log(), job.prompt));
  return text + PIEVT_TRY(resolve_finals(record, job, prompt));
}

// A worker that agents called for, or whose contract looks at a report, hears where one goes.
bool wants_report(const RunState& run, const schema::JobDeclaredT& declared) {
  return !run.tool.empty() ||
         (declared.acceptance != nullptr &&
          acceptance::needs(*declared.acceptance) == acceptance::Needs::evidence);
}

std::vector<std::string> names_of(const launch::ChildEnvironment& environment) {
  return environment.passed;
}

}  // namespace

launch::AttemptName attempt_name(const RunState& run, Subject subject) {
  const JobState* job = find_job(run, subject.job);
  return {run.run_id, job == nullptr ? "_probe" : job->id, subject.attempt};
}

std::string marker_of(const std::string& run_id, Subject subject) {
  return fmt::format("{}/{}/{}", run_id, subject.job, subject.attempt);
}

// What is asked of a child, whoever asks.
struct Launcher::Ask {
  Subject subject;
  schema::AttemptPurpose purpose;
  std::string model, thinking, cwd, prompt;
  std::optional<std::vector<std::string>> tools;
  std::uint64_t timeout_ms;
  std::vector<process::Variable> environment;
  Before before{};
  std::optional<WorktreePlan> worktree{};
  std::vector<std::string> extensions{};  ///< before the user's
};

Result<Launcher> Launcher::create(const Options& options) {
  launch::PiProgram pi = PIEVT_TRY(launch::probe_pi(options.pi, options.environment));
  std::filesystem::path user_directory = PIEVT_TRY(launch::user_agent_dir(options.environment));
  std::vector<launch::CustomProvider> custom;
  if (const auto models = launch::read_user_file(user_directory / "models.json"); models.ok()) {
    custom = launch::custom_providers(*models);
  }
  std::optional<std::string> usual;
  if (const auto text = launch::read_user_file(user_directory / "settings.json"); text.ok()) {
    usual = launch::default_provider(*text);
  }
  // What fails here fails again at each attempt, which is where it is told.
  static_cast<void>(launch::prepare_user_agent_dir(user_directory));
  return Launcher(options, std::move(pi), std::move(user_directory), std::move(custom),
                  std::move(usual));
}

// Whose keys an attempt gets: those of the provider its model names, or of the one pi takes when
// no model is named. All of them only where pi itself would choose by the keys it finds.
std::optional<std::string> Launcher::provider_of(const std::string& model) const {
  return model.empty() ? usual_provider_ : launch::provider_of_model(model, custom_);
}

Result<launch::ChildEnvironment> Launcher::common_environment() const {
  return launch::select_environment(
      options_->environment,
      {.provider = "",  // what every attempt gets; keys are named by each attempt

       .custom = custom_,
       .agent_directory = "/",
       .temporary_directory = "/",
       .attempt = "-",
       .job = {},
       .allow = options_->settings.environment_allow,
       .deny = options_->settings.environment_deny});
}

Result<PreparedLaunch> Launcher::prepare_job(RunRecord& record, std::uint32_t number) const {
  const JobState* job = find_job(record.state(), number);
  PIEVT_ASSERT(job != nullptr && job->declared != nullptr);
  const schema::JobDeclaredT& declared = *job->declared;
  Ask ask{
      .subject = {.job = number, .attempt = static_cast<std::uint32_t>(job->attempts.size() + 1)},
      .purpose = schema::AttemptPurpose::work,
      .model = job->model,
      .thinking = declared.thinking,
      .cwd = declared.cwd.empty() ? record.state().cwd : declared.cwd,
      .prompt = PIEVT_TRY(whole_prompt(record, declared)),
      .tools = {},
      .timeout_ms = job->timeout_ms,
      .environment = {},
      .before = {}};
  if (!declared.tools.empty()) ask.tools = declared.tools;
  if (const auto found = options_->job_environment.find(job->id);
      found != options_->job_environment.end()) {
    ask.environment = found->second;
  }
  if (const auto added = added_environment_.find(job->id); added != added_environment_.end())
    ask.environment = added->second;
  if (wants_report(record.state(), declared)) {
    const auto directory =
        launch::attempt_files(options_->store, attempt_name(record.state(), ask.subject)).directory;
    ask.environment.push_back({"PIEVT_WORKER_LOG", (directory / launch::worker_log_name).string()});
    ask.environment.push_back({"PIEVT_REPORT", (directory / launch::report_name).string()});
    if (!options_->extension.empty()) {
      ask.environment.push_back({"PIEVT_PROGRAM", options_->extension_program.string()});
      ask.extensions.push_back(options_->extension.string());
      if (ask.tools && !ask.tools->empty()) ask.tools->emplace_back("job_report");
    }
  }
  if (declared.isolation == schema::Isolation::worktree) {
    ask.worktree = PIEVT_TRY(plan_worktree(record, options_->store, ask.subject));
    ask.cwd = ask.worktree->cwd;
  }
  ask.before = PIEVT_TRY(before_attempt(record, number, ask.cwd));
  ask.prompt = ask.before.session.empty() ? ask.before.told + ask.prompt : ask.before.told;
  if (const auto& first = options_->settings.second_attempt; first && ask.subject.attempt > 1)
    ask.prompt = fmt::format("{}\n\n{}", *first, ask.prompt);
  return prepare(record, std::move(ask));
}

Result<PreparedLaunch> Launcher::prepare_probe(RunRecord& record, const std::string& model) const {
  return prepare(
      record,
      {.subject = {.attempt = static_cast<std::uint32_t>(record.state().attempts.size() + 1)},
       .purpose = schema::AttemptPurpose::probe,
       .model = model,
       .thinking = "off",
       .cwd = record.state().cwd,
       .prompt = std::string(probe_prompt),
       .tools = std::vector<std::string>{},
       .timeout_ms = probe_timeout_ms,
       .environment = {},
       .before = {}});
}

Result<PreparedLaunch> Launcher::prepare(RunRecord& record, Ask ask) const {
  PreparedLaunch prepared{ask.subject,
                          attempt_name(record.state(), ask.subject),
                          {},
                          {},
                          ask.cwd,
                          ask.prompt,
                          std::move(ask.before.session)};
  const launch::AttemptFiles files = launch::attempt_files(options_->store, prepared.name);
  prepared.environment = PIEVT_TRY(launch::select_environment(
      options_->environment, {.provider = provider_of(ask.model),
                              .custom = custom_,
                              .agent_directory = files.agent_directory,
                              .temporary_directory = files.temporary_directory,
                              .attempt = marker_of(record.run_id(), ask.subject),
                              .job = std::move(ask.environment),
                              .allow = options_->settings.environment_allow,
                              .deny = options_->settings.environment_deny}));
  launch::PiCommand command{.program = pi_.path,
                            .version = pi_.version,
                            .mode = launch::PiMode::json,
                            .session = files.session,
                            .model = {},
                            .thinking = {},
                            .tools = ask.tools,
                            .extensions = std::move(ask.extensions)};
  // A probe asks whether the model answers; extensions are no part of that.
  if (ask.purpose == schema::AttemptPurpose::work) {
    const auto& named = options_->settings.worker_extensions;
    command.extensions.insert(command.extensions.end(), named.begin(), named.end());
  }
  if (!ask.model.empty()) command.model = ask.model;
  if (!ask.thinking.empty()) command.thinking = ask.thinking;
  prepared.argv = launch::pi_arguments(command);

  schema::AttemptLaunchRequestedT event;
  event.mode = schema::AttemptMode::json;
  event.argv = prepared.argv;
  event.environment_names = names_of(prepared.environment);
  event.cwd = prepared.cwd;
  event.model = ask.model;
  event.thinking = ask.thinking;
  event.prompt = PIEVT_TRY(record.put_text(prepared.prompt));
  event.timeout_ms = ask.timeout_ms;
  event.marker = marker_of(record.run_id(), ask.subject);
  event.directory = std::filesystem::relative(files.directory, options_->store).string();
  event.purpose = ask.purpose;
  event.retry_of = ask.purpose == schema::AttemptPurpose::work ? ask.subject.attempt - 1 : 0;
  event.session_from = ask.before.session_from;
  event.session_id = std::move(ask.before.session_id);
  event.term_grace_ms = static_cast<std::uint64_t>(options_->stop_grace.count());
  event.isolation = ask.worktree ? schema::Isolation::worktree : schema::Isolation::shared;
  if (ask.worktree) event.base_commit = ask.worktree->commit;
  PIEVT_TRY(record.propose({std::move(event), ask.subject}));
  if (ask.worktree) {
    schema::WorktreeRequestedT request;
    request.path = ask.worktree->directory.string();
    request.repository = ask.worktree->repository.work_tree.string();
    request.base_commit = ask.worktree->commit;
    request.from_attempt = ask.worktree->from_attempt;
    PIEVT_TRY(record.propose({std::move(request), ask.subject}));
    prepared.worktree = std::move(ask.worktree);
  }
  return prepared;
}

Result<process::Spawned> Launcher::start(const PreparedLaunch& prepared,
                                         std::uint64_t open_files_max) const {
  const launch::AttemptFiles files =
      PIEVT_TRY(launch::create_attempt_files(options_->store, prepared.name, prepared.prompt));
  PIEVT_TRY(launch::prepare_agent_dir({.directory = files.agent_directory,
                                       .user_directory = user_directory_,
                                       .version = pi_.version,
                                       .mode = launch::PiMode::json}));
  if (!prepared.session.empty()) PIEVT_TRY(launch::write_session(files.session, prepared.session));
  return process::spawn({.argv = prepared.argv,
                         .environment = prepared.environment.variables,
                         .cwd = prepared.cwd,
                         .input = process::InputFile{files.prompt},
                         .output = process::OutputFile{files.output},
                         .error = process::OutputFile{files.error},
                         .open_files_max = open_files_max});
}

}  // namespace pievt::supervisor
