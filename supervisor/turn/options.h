// What a supervisor is told before it begins.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "pievt/run_state.h"
#include "supervisor/process/spawn.h"

namespace pievt::supervisor {

enum class Probe : std::uint8_t {
  every_model,  ///< one small real request per distinct model before any job starts
  none,
};

struct Options {
  std::filesystem::path store;
  /// The program that is run: a name on PATH or a path.
  std::string pi = "pi";
  /// The supervisor's own environment; children get what is allowed of it.
  std::vector<process::Variable> environment;
  /// Values for single jobs, by job id. Kept out of the log: they may be secrets.
  std::map<std::string, std::vector<process::Variable>> job_environment;
  Probe probe = Probe::every_model;
  /// From TERM to the second TERM, and from there to KILL.
  std::chrono::milliseconds stop_grace{5000};
  /// How long a child that has said its last word may take to exit.
  std::chrono::milliseconds linger_max{30'000};
  /// Called after every turn that changed something, and about once a second besides. May be empty.
  std::function<void(const RunState&)> on_change;
};

}  // namespace pievt::supervisor
