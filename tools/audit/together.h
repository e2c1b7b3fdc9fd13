// Several runs in one report: who looks at nine runs in the morning wants one list of what needs
// them, one of causes with the jobs of all runs under each, and one of commands, before the reports
// of the runs one by one. Made from those reports and nothing else, so it can say nothing that they
// do not say.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tools/audit/report.h"
#include "tools/audit/text.h"
#include "tools/render/json_writer.h"

namespace pievt::audit {

/// A finding of one of the runs.
struct OfRun {
  std::string run;  ///< its short id
  Finding finding;
  std::vector<std::string> also;  ///< short ids of runs that say the same
};

/// One reason for which jobs of several runs failed.
struct JointCause {
  std::string title;
  schema::FailureKind kind{};
  struct Part {
    std::string run;
    std::uint32_t number = 0;       ///< of the cause in that run's report
    std::vector<std::string> jobs;  ///< their ids
    std::uint64_t consequences = 0;
    Events events;
  };
  std::vector<Part> parts;
  std::uint64_t jobs = 0;
};

struct JointAction {
  std::string text;
  std::vector<std::string> commands;
  std::uint64_t jobs = 0;
  std::optional<std::int64_t> nanodollars;  ///< where all of it is known
};

struct Together {
  std::uint64_t runs = 0, runs_failed = 0, runs_open = 0;
  std::uint64_t jobs_ok = 0, jobs_total = 0, attempts = 0;
  std::uint64_t begin_ns = 0, end_ns = 0;
  Spent spent;
  std::vector<OfRun> needs_you;
  std::vector<OfRun> now;  ///< of runs that have not ended
  std::vector<JointCause> causes;
  std::vector<JointAction> actions;
  /// Runs that another one of the store has run again: what they need is asked there.
  std::vector<OfRun> repeated;
};

Together together_of(std::span<const RunReport> reports);

/// What leads before the reports one by one. Empty for less than two.
std::string together_text(std::span<const RunReport> reports, const TextStyle& style);
std::string together_markdown(std::span<const RunReport> reports, const TextStyle& style);
/// The member "together", into the object that is open; null for less than two.
void write_together(render::JsonWriter& json, std::span<const RunReport> reports);

}  // namespace pievt::audit
