// Starting a command of an acceptance contract: what the intent says of it, then the act.
#include <algorithm>

#include <fmt/format.h>

#include "supervisor/launch/attempt_files.h"
#include "supervisor/turn/gate_commands.h"
#include "supervisor/turn/launcher.h"
#include "supervisor/turn/plan_run.h"

namespace pievt::supervisor {
namespace {

const schema::CommandCheckT& command_of(const RunState& run, Subject subject,
                                        std::uint32_t number) {
  return *find_job(run, subject.job)->declared->acceptance->commands.at(number - 1);
}

std::vector<std::string> argv_of(const schema::CommandCheckT& command) {
  if (!command.argv.empty()) return command.argv;
  return {"/bin/sh", "-c", command.shell};
}

std::string directory_of(const schema::CommandCheckT& command, const std::string& cwd) {
  return (std::filesystem::path(cwd) / command.cwd).lexically_normal().string();
}

}  // namespace

// As the job's own, without what a model needs and with what the command asks for.
Result<launch::ChildEnvironment> Launcher::command_environment(const RunState& run, Subject subject,
                                                               std::uint32_t number) const {
  const std::string job = find_job(run, subject.job)->id;
  std::vector<process::Variable> variables;
  for (const std::string& key : {job, command_key(job, number)}) {
    const auto found = options_->job_environment.find(key);
    if (found == options_->job_environment.end()) continue;
    for (const process::Variable& each : found->second) {
      std::erase_if(variables, [&](const auto& known) { return known.name == each.name; });
      variables.push_back(each);
    }
  }
  const launch::AttemptFiles files =
      launch::attempt_files(options_->store, attempt_name(run, subject));
  return launch::select_environment(options_->environment,
                                    {.provider = std::string("-"),
                                     .custom = {},
                                     .agent_directory = files.agent_directory,
                                     .temporary_directory = files.temporary_directory,
                                     .attempt = command_marker(run.run_id, subject, number),
                                     .job = std::move(variables)});
}

Status Launcher::request_command(RunRecord& record, Subject subject, std::uint32_t number,
                                 const std::string& cwd) const {
  const schema::CommandCheckT& command = command_of(record.state(), subject, number);
  schema::GateCommandRequestedT event;
  event.command = number;
  event.argv = argv_of(command);
  event.cwd = directory_of(command, cwd);
  event.timeout_ms = command.timeout_ms;
  event.expect_exit = command.expect_exit;
  if (const auto environment = command_environment(record.state(), subject, number);
      environment.ok())
    event.environment_names = environment->passed;
  PIEVT_TRY(record.propose({std::move(event), subject}));
  return {};
}

Result<process::Spawned> Launcher::start_command(const RunState& run, Subject subject,
                                                 std::uint32_t number, const std::string& cwd,
                                                 const std::filesystem::path& output,
                                                 std::uint64_t open_files_max) const {
  const schema::CommandCheckT& command = command_of(run, subject, number);
  const launch::ChildEnvironment environment = PIEVT_TRY(command_environment(run, subject, number));
  return process::spawn({.argv = argv_of(command),
                         .environment = environment.variables,
                         .cwd = directory_of(command, cwd),
                         .input = process::NullDevice{},
                         .output = process::OutputFile{output},
                         .error = process::OutputFile{output},
                         .open_files_max = open_files_max});
}

}  // namespace pievt::supervisor
