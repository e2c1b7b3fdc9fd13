// A plan after everything has been checked and expanded: what the planner and the loop work from.
// Values only, no behaviour; made by read_plan (read_plan.h).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "supervisor/plan/limits.h"

namespace pievt::plan {

enum class PlanKind : std::uint8_t { batch };
enum class Thinking : std::uint8_t { off, minimal, low, medium, high, xhigh };
enum class When : std::uint8_t {
  success,  ///< start only if it succeeded
  finished  ///< start when it has ended, whatever became of it
};
enum class PathType : std::uint8_t { file, directory, glob };
enum class SynthesisMode : std::uint8_t { parent, report_only };

/// Failures that a retry policy can be narrowed to. The names are those of FailureKind in
/// schemas/job.fbs; kinds that no retry mends (provider_permanent, cancelled, …) are not here.
enum class RetryOn : std::uint8_t {
  launch,
  provider_transient,
  context_overflow,
  worker_incomplete,
  timeout,
  killed,
  acceptance,
  lost
};

/// Where another attempt begins.
enum class RetrySession : std::uint8_t { fresh, resume };
enum class RetryTree : std::uint8_t { clean, previous };

std::string_view name_of(RetrySession session);
std::string_view name_of(RetryTree tree);
std::string_view name_of(PlanKind kind);
std::string_view name_of(Thinking level);
std::string_view name_of(When when);
std::string_view name_of(PathType type);
std::string_view name_of(SynthesisMode mode);
std::string_view name_of(RetryOn kind);

/// Stands in a prompt for the final message of another job, which is among the dependencies.
struct FinalOf {
  std::string job;
  std::uint32_t index = 0;  ///< of that job in Plan::jobs
};

/// A prompt is its pieces in order. Adjacent texts are one piece, and none is empty.
using Prompt = std::vector<std::variant<std::string, FinalOf>>;

/// A file whose text goes before the prompt.
struct ContextFile {
  std::string path;  ///< as written, after expansion; relative to the plan file
  std::shared_ptr<const std::string> text;  ///< UTF-8; shared by all jobs that name the file
  std::string sha256;                       ///< hexadecimal; empty until the caller fills it in
};

/// The value is read from the supervisor's environment when the job starts, so that it is not in
/// the plan.
struct FromEnv {
  std::string name;
  friend bool operator==(const FromEnv&, const FromEnv&) = default;
};
using EnvValues = std::map<std::string, std::variant<std::string, FromEnv>>;

struct RetryPolicy {
  std::uint32_t max_attempts = 2;  ///< in total, at least 1
  std::uint64_t initial_ms = 1'500;
  std::uint64_t max_ms = 15'000;
  double multiplier = 2;
  bool jitter = true;
  std::vector<RetryOn> retry_on;  ///< empty: all that the ruleset calls retryable. No kind twice
  RetrySession session = RetrySession::fresh;
  RetryTree tree = RetryTree::clean;

  friend bool operator==(const RetryPolicy&, const RetryPolicy&) = default;
};

/// What may be spent; 0: no bound.
struct Budget {
  std::uint64_t tokens = 0;
  std::int64_t cost_nanodollars = 0;
  std::uint64_t wall_ms = 0;
  std::uint32_t retries = 0;

  friend bool operator==(const Budget&, const Budget&) = default;
};

/// After how much silence an attempt is stopped, by what it was doing; 0: never.
struct Silence {
  std::uint64_t starting_ms = 0;
  std::uint64_t thinking_ms = 0;
  std::uint64_t tool_ms = 0;
  std::uint64_t provider_ms = 0;
  std::uint64_t lingering_ms = 0;  ///< 0: as always

  friend bool operator==(const Silence&, const Silence&) = default;
};

struct RequiredPath {
  std::string path;  ///< relative to the job's directory, or absolute
  PathType type = PathType::file;
  std::uint64_t min_bytes = 0;
  std::vector<std::string> required_regex{}, forbidden_regex{};
};

/// The lists of texts in a contract. Patterns of paths are those of pi-jobs, the others are
/// JavaScript regular expressions, each asked of one channel.
enum class ContractList : std::uint8_t {
  forbidden_paths,
  required_final,
  forbidden_final,
  required_worker_log,
  forbidden_worker_log,
  required_report,
  forbidden_report,
  required_raw_output,
  forbidden_raw_output,
  allowed_write_paths,
  forbidden_write_paths
};
constexpr std::size_t contract_lists = 11;

/// How a plan spells it: `requiredFinalRegex`.
std::string_view name_of(ContractList list);

/// A command that must end as expected. Either a text for a shell or a list of words.
struct CommandCheck {
  std::string shell;
  std::vector<std::string> argv;
  std::string cwd;  ///< relative to the job's directory; empty: that one
  std::uint64_t timeout_ms = limits::command_timeout_ms_default;
  EnvValues env;
  std::uint32_t expect_exit = 0;
  friend bool operator==(const CommandCheck&, const CommandCheck&) = default;
};

/// Where attempts work: in the job's directory with everybody else, or in a worktree of their own.
enum class Isolation : std::uint8_t { shared, worktree };

std::string_view name_of(Isolation isolation);

/// A file or directory that is not in the commit and is brought into the worktree.
struct CarriedPath {
  std::string path;  ///< relative to the repository
  enum class How : std::uint8_t { copy, link } how = How::copy;
};

/// What must be true when the agent has ended, besides the required paths.
struct Contract {
  enum class Asked : std::uint8_t { no, yes } asked = Asked::no;  ///< even an empty one is asked
  std::array<std::vector<std::string>, contract_lists> lists;
  std::uint64_t min_worker_log_bytes = 0;      ///< 0: not asked
  std::uint64_t min_report_summary_chars = 0;  ///< 0: not asked
  bool require_deliverables_evidence = false;
  bool audit_only = false;
  std::vector<CommandCheck> commands;

  const std::vector<std::string>& of(ContractList list) const {
    return lists[static_cast<std::size_t>(list)];
  }
  friend bool operator==(const Contract&, const Contract&) = default;
};

struct Dependency {
  std::string job;
  std::uint32_t index = 0;  ///< of that job in Plan::jobs
  When when = When::success;
};

struct JobSpec {
  std::string id;    ///< safe (ids.h), unique in the plan
  std::string name;  ///< not blank, any text
  Prompt prompt;     ///< not blank
  std::vector<ContextFile> context;
  std::optional<std::string> cwd;  ///< as written; absent: the run's directory
  std::map<std::string, std::variant<std::string, FromEnv>> env;  ///< added to what pi gets anyway
  std::optional<std::string> model;
  std::optional<Thinking> thinking;
  std::optional<std::vector<std::string>> tools;  ///< absent: pi's own choice; empty: none
  std::uint64_t timeout_ms = limits::timeout_ms_default;
  RetryPolicy retry;
  Budget budget;
  Silence silence;
  std::uint32_t wave = 0;              ///< 0: none
  std::int32_t priority = 0;           ///< larger starts first
  std::vector<Dependency> depends_on;  ///< by index, each job once; together without a cycle
  std::vector<RequiredPath> required_paths;
  Contract contract;
  Isolation isolation = Isolation::shared;
  std::vector<CarriedPath> carry;  ///< of a worktree only
  std::map<std::string, std::string> metadata;
};

/// Opt-in control of concurrency by failures; specs of pi-jobs. Absent fields have its defaults.
struct Throttle {
  bool enabled = false;
  std::optional<std::uint32_t> min_concurrency;
  std::optional<std::uint32_t> max_concurrency;
  std::optional<double> transient_failure_threshold;
  std::optional<std::uint32_t> window_size;
};

/// What is to be made of the results, for whoever reads them. Nothing is run because of it.
struct Synthesis {
  SynthesisMode mode = SynthesisMode::parent;
  std::optional<std::string> instructions;
};

struct Plan {
  std::string name;  ///< not blank
  PlanKind kind = PlanKind::batch;
  std::optional<std::uint32_t> concurrency;  ///< absent: limits::concurrency_default, and say so
  std::optional<Throttle> throttle;
  Budget budget;
  std::optional<Synthesis> synthesis;
  std::optional<std::string> parent_run;
  std::vector<std::string> rerun_of_jobs;
  std::vector<JobSpec> jobs;  ///< rows of the matrix, then "jobs"; 1 to limits::jobs_max
};

}  // namespace pievt::plan
