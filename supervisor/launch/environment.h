// The environment of a pi child, chosen name by name.
//
// pi hands its whole environment to every tool, so what a child gets, a model can read. Only what
// a program needs to run, the keys of the one provider in use, and what the job asks for go in.
// Names are recorded, values never.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/result.h"
#include "supervisor/launch/agent_json.h"
#include "supervisor/process/spawn.h"

namespace pievt::launch {

struct EnvironmentRequest {
  /// Whose keys are passed; provider_of_model(), or default_provider() when no model is asked for.
  /// nullopt: pi chooses a provider by the keys it finds, so it gets those of all of them. Empty:
  /// nobody's.
  std::optional<std::string> provider;

  std::vector<CustomProvider> custom;         ///< custom_providers() of the user's models.json
  std::filesystem::path agent_directory;      ///< the private one
  std::filesystem::path temporary_directory;  ///< the private one
  std::string attempt;                        ///< the marker (process/sweep.h)
  std::vector<process::Variable> job;         ///< the job's own entries, resolved; they win
  std::vector<std::string> allow{};           ///< names the user lets through besides ours
  std::vector<std::string> deny{};            ///< names the user keeps back
};

struct ChildEnvironment {
  std::vector<process::Variable> variables;  ///< ascending by name, each once; for spawn()
  std::vector<std::string> passed;           ///< all names the child has, ascending
  std::vector<std::string> withheld;         ///< names of the parent's it has not, ascending
};

/// Pure. Of the parent's: PATH (a usual one when absent) HOME USER LOGNAME SHELL LANG LC_* TZ TERM,
/// the certificate and proxy variables, and the provider's keys; first of a repeated name. Then
/// ours: PI_CODING_AGENT_DIR, PI_OFFLINE=1, PI_TELEMETRY=0, PI_SKIP_VERSION_CHECK=1, TMPDIR and
/// PIEVT_ATTEMPT. Then the job's.
///
/// What the user allows besides is added, except keys of other providers, which only a job's own
/// entry can bring in; what the user denies is left out, except PATH and what is ours or the job's.
///
/// NODE_OPTIONS, LD_*, BASH_ENV and NODE_REPL_EXTERNAL_MODULE put foreign code first and never
/// pass, not even when models.json, the user or the job names it.
///
/// Errc::invalid when the job sets one of these or one of ours, or a name or value cannot be one;
/// the sentence names the variable and never shows its value.
Result<ChildEnvironment> select_environment(const std::vector<process::Variable>& parent,
                                            const EnvironmentRequest& request);

/// The entries of a list like `environ` (ends with a null pointer) that have a name.
std::vector<process::Variable> read_environment(const char* const* entries);

}  // namespace pievt::launch
