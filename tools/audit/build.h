// From what was gathered to the report: pure functions, so that the same run gives the same report
// on any machine.
#pragma once

#include <string>
#include <vector>

#include "pievt/ruleset.h"
#include "tools/audit/material.h"
#include "tools/audit/report.h"

namespace pievt::audit {

/// Another run, as far as it matters here.
struct Neighbour {
  std::string run_id;
  std::string name;
  std::string parent_run;
  std::uint64_t planned_ns = 0;
  bool succeeded = false;
  bool ended = false;
  std::string plan;  ///< digest of its plan, in hexadecimal; empty: not stored
  std::string pi_version, models, cwd, base_commit;
  std::uint32_t concurrency = 0;
  struct Job {
    std::string id, rerun_of;
    schema::JobStatus status{};
    std::string error;   ///< the last error of its last attempt
    std::string prompt;  ///< digest of its prompt
  };
  std::vector<Job> jobs;
};
Neighbour neighbour_of(const RunState& run);

struct BuildOptions {
  /// The rules this report judges by.
  const Ruleset* ruleset = nullptr;
  /// What commands call the run; must be found by resolve_run.
  std::string short_id;
  /// "interrupted" and the like: what is known of processes, which no event says. Empty: the
  /// recorded word.
  std::string live_status;
  /// The other runs of the store, oldest first.
  std::vector<Neighbour> others;
};

RunReport build_report(const Material& material, const BuildOptions& options);

// The parts of it, each in a file of its own.

/// What a ruleset makes of a job's last attempt now.
Judgement judge_again(const Ruleset& ruleset, const RunState& run, const JobState& job);
/// Why it judged the job so. Where a rule has no words of its own it hands on the reason that was
/// recorded with the attempt; that is the other ruleset's, and the kind of failure is said instead.
std::string own_reason(const Judgement& now, const JobState& job);
/// The acceptance gate of an attempt, or null.
const GateState* gate_of(const RunState& run, std::uint32_t job, std::uint32_t attempt);
/// The same where it asked anything: null too where the gate was passed over.
const GateState* asked_gate(const RunState& run, std::uint32_t job, std::uint32_t attempt);

void add_causes(RunReport& report, const Material& material, const Ruleset& ruleset);
void add_usable(RunReport& report, const Material& material, const Ruleset& ruleset);
void add_actions(RunReport& report, const Material& material, const Ruleset& ruleset);
void add_timeline(RunReport& report, const Material& material);
void add_now(RunReport& report, const Material& material, const Ruleset& ruleset);
void add_record(RunReport& report, const Material& material);
void add_writes(RunReport& report, const Material& material);
void add_again(RunReport& report, const Material& material, const BuildOptions& options);
Verdicts verdicts_of(const RunReport& report, const Material& material, const Ruleset& ruleset);

}  // namespace pievt::audit
