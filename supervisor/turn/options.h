// What a supervisor is told before it begins.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "pievt/run_state.h"
#include "supervisor/process/spawn.h"
#include "supervisor/settings/settings.h"

namespace pievt::supervisor {

enum class Probe : std::uint8_t {
  every_model,  ///< one small real request per distinct model before any job starts
  none,
};

struct Options {
  std::filesystem::path store;
  /// What the supervising program calls itself, for those who ask over the control socket.
  std::string program = "pievt";
  /// The program that is run: a name on PATH or a path.
  std::string pi = "pi";
  /// The supervisor's own environment; children get what is allowed of it.
  std::vector<process::Variable> environment;
  /// Values for single jobs, by job id. Kept out of the log: they may be secrets.
  std::map<std::string, std::vector<process::Variable>> job_environment;
  /// pievt's own extension for pi and the program it asks: what gives workers a `job_report`. Empty
  /// where it is not installed; workers can write a report without it.
  std::filesystem::path extension, extension_program;
  /// What the user decided for all runs. The plan's own words are stronger, where it has any.
  settings::Settings settings;
  Probe probe = Probe::every_model;
  /// From TERM to the second TERM, and from there to KILL.
  std::chrono::milliseconds stop_grace{5000};
  /// Children at once of all supervisors on the store that are told the same; 0: as many as the
  /// machine's memory has room for, 64 at most.
  std::uint32_t store_children_max = 0;
  /// What a child is expected to take. Without so much free memory only a run that has none running
  /// starts one.
  std::uint64_t child_memory_bytes = 256u << 20;
  /// Called after every turn that changed something, and about once a second besides. May be empty.
  std::function<void(const RunState&)> on_change;
};

}  // namespace pievt::supervisor
