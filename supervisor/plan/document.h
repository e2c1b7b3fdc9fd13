// A plan as it is written: every key read and checked by itself, nothing expanded, nothing combined
// with anything else. What parse makes and expand uses up.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "supervisor/plan/plan.h"
#include "supervisor/plan/template.h"

namespace pievt::plan {

struct WrittenRetry {
  std::optional<std::uint32_t> max_attempts;
  std::optional<std::uint64_t> initial_ms, max_ms;
  std::optional<double> multiplier;
  std::optional<bool> jitter;
  std::optional<std::vector<RetryOn>> retry_on;
  std::optional<RetrySession> session;
  std::optional<RetryTree> tree;
};

struct WrittenBudget {
  std::optional<std::uint64_t> tokens, wall_ms;
  std::optional<std::int64_t> cost_nanodollars;
  std::optional<std::uint32_t> retries;
};

struct WrittenSilence {
  std::optional<std::uint64_t> starting_ms, thinking_ms, tool_ms, provider_ms, lingering_ms;
};

struct WrittenPath {
  Text path;
  PathType type = PathType::file;
  std::uint64_t min_bytes = 0;
  /// A path written as a string may splat; one in an object may not, because it has a type and
  /// size.
  enum class Form { string, object } form = Form::string;
  std::vector<Text> required_regex{}, forbidden_regex{};
};

struct WrittenDependency {
  Text job;
  When when = When::success;
};

struct WrittenEnvValue {
  Text text;  ///< the value, or the variable to take it from
  enum class From { plan, environment } from = From::plan;
};

struct WrittenCommand {
  Place place;
  std::optional<Text> shell;
  std::vector<Text> argv;
  std::optional<Text> cwd;
  std::optional<std::uint64_t> timeout_ms;
  std::map<std::string, WrittenEnvValue> env;
  std::uint32_t expect_exit = 0;
};

struct WrittenCarry {
  Text path;
  CarriedPath::How how = CarriedPath::How::copy;
};

struct WrittenAcceptance {
  std::optional<Place> place;
  std::vector<WrittenPath> required_paths;
  std::array<std::vector<Text>, contract_lists> lists;
  std::optional<std::uint64_t> min_worker_log_bytes, min_report_summary_chars;
  std::optional<bool> require_deliverables_evidence, audit_only;
  std::vector<WrittenCommand> commands;
};

/// A job, a row of the matrix, "defaults", or the whole-plan forms of some of its keys. All have
/// the same keys but for id and name, which "defaults" has not.
struct Written {
  Place place;        ///< of the object, or of the line that stands for it
  std::string label;  ///< how messages name it: `job "intro"`, `matrix row "ch01"`, `"defaults"`
  /// Something in it could not be read, so what seems to be missing may be there.
  bool damaged = false;

  std::optional<Text> id, name, prompt, prompt_file, cwd, model, thinking;
  std::optional<std::vector<Text>> context, tools;
  Vars vars;
  std::map<std::string, WrittenEnvValue> env;
  std::optional<std::uint64_t> timeout_ms;
  Place timeout_place;  ///< of the value that set it
  std::optional<WrittenRetry> retry;
  Place retry_place;
  std::optional<std::int32_t> priority;
  std::optional<std::uint32_t> wave;
  std::optional<WrittenBudget> budget;
  std::optional<WrittenSilence> silence;
  WrittenAcceptance acceptance;
  std::optional<Isolation> isolation;
  std::optional<std::vector<WrittenCarry>> carry;
  std::optional<std::vector<WrittenDependency>> depends_on;
  std::map<std::string, Text> metadata;
};

/// Where rows come from when they are not in the plan.
struct MatrixFile {
  enum class Kind { glob, csv, json_lines } kind = Kind::glob;
  Text path;  ///< or pattern
};

struct Document {
  Place place;
  std::optional<Text> name;
  std::optional<std::uint32_t> concurrency;
  std::optional<Place> matrix_place, jobs_place;
  bool damaged = false;               ///< as in Written, apart from rows and jobs
  std::size_t problems_in_lists = 0;  ///< noted while rows and jobs were read
  bool list_missing = false;          ///< rows or jobs are there but could not be listed
  std::vector<Written> rows;
  std::optional<MatrixFile> matrix_file;
  std::vector<Written> jobs;
  Written defaults;    ///< "defaults" and, after parse, the keys of `whole_plan` as well
  Written whole_plan;  ///< timeout, retry and acceptanceDefaults at the top, as jobs_plan has them
  std::optional<Text> prompt_template, name_template, cwd_template;
  WrittenAcceptance acceptance_template;
  std::map<std::string, Text> metadata_template;
  std::optional<Throttle> throttle;
  std::optional<WrittenBudget> budget;
  std::optional<Synthesis> synthesis;
  std::optional<std::string> parent_run;
  std::vector<std::string> rerun_of_jobs;
};

}  // namespace pievt::plan
