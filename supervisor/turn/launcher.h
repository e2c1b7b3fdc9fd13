// Starting pi for one attempt: first everything that can be said about it (for the intent event),
// then the act.
#pragma once

#include <string>

#include "supervisor/launch/agent_json.h"
#include "supervisor/launch/attempt_files.h"
#include "supervisor/launch/environment.h"
#include "supervisor/launch/pi_program.h"
#include "supervisor/record/run_record.h"
#include "supervisor/turn/options.h"
#include "supervisor/turn/worktrees.h"

namespace pievt::supervisor {

/// An attempt whose start is recorded and can be carried out.
struct PreparedLaunch {
  Subject subject;
  launch::AttemptName name;
  launch::ChildEnvironment environment;
  std::vector<std::string> argv;
  std::string cwd;
  std::string prompt;
  std::string session = {};  ///< the session file it goes on in; empty: pi makes one
  std::optional<WorktreePlan> worktree{};  ///< is made before it is started
};

class Launcher {
 public:
  /// Finds pi and reads what its children need to know of the user's settings.
  static Result<Launcher> create(const Options& options);

  /// Proposes the AttemptLaunchRequested of the job's next attempt.
  Result<PreparedLaunch> prepare_job(RunRecord& record, std::uint32_t job) const;

  /// The same for the probe of a model.
  Result<PreparedLaunch> prepare_probe(RunRecord& record, const std::string& model) const;

  /// Makes the attempt's files and starts its process, which may have `open_files_max` open files.
  /// Nothing is left running when it fails.
  Result<process::Spawned> start(const PreparedLaunch& prepared,
                                 std::uint64_t open_files_max) const;

  /// The environment of a job that came later than the options.
  void add_environment(const std::string& job, std::vector<process::Variable> environment) {
    added_environment_[job] = std::move(environment);
  }
  // launch_command.cc
  /// Proposes the GateCommandRequested of a command of the job's contract, counted from 1.
  Status request_command(RunRecord& record, Subject subject, std::uint32_t number,
                         const std::string& cwd) const;

  /// Starts it. It writes to `output`, and nothing is left running when it fails.
  Result<process::Spawned> start_command(const RunState& run, Subject subject, std::uint32_t number,
                                         const std::string& cwd,
                                         const std::filesystem::path& output,
                                         std::uint64_t open_files_max) const;

  const launch::PiProgram& pi() const { return pi_; }

  /// Names, never values, of what every child gets, and of what none or not every one gets: which
  /// keys an attempt has is in its launch.
  Result<launch::ChildEnvironment> common_environment() const;

 private:
  struct Ask;
  Launcher(const Options& options, launch::PiProgram pi, std::filesystem::path user_directory,
           std::vector<launch::CustomProvider> custom, std::optional<std::string> usual_provider)
      : options_(&options),
        pi_(std::move(pi)),
        user_directory_(std::move(user_directory)),
        custom_(std::move(custom)),
        usual_provider_(std::move(usual_provider)) {}
  Result<PreparedLaunch> prepare(RunRecord& record, Ask ask) const;
  Result<launch::ChildEnvironment> command_environment(const RunState& run, Subject subject,
                                                       std::uint32_t number) const;
  std::optional<std::string> provider_of(const std::string& model) const;

  const Options* options_;
  launch::PiProgram pi_;
  std::filesystem::path user_directory_;
  std::vector<launch::CustomProvider> custom_;
  std::map<std::string, std::vector<process::Variable>> added_environment_;
  std::optional<std::string> usual_provider_;  ///< of the user's own pi settings
};

/// The files of an attempt by its place in the run; probes live under a name no job can have.
launch::AttemptName attempt_name(const RunState& run, Subject subject);

/// What a child's environment bears, so that its whole tree can be found.
std::string marker_of(const std::string& run_id, Subject subject);

}  // namespace pievt::supervisor
