// The incident report of a run as a value: what `pievt audit` says, before anybody has chosen how
// it looks. It is built from the log alone (build.h) and rendered by text.h, markdown.h, json.h,
// sarif.h and the HTML export, so that all of them say the same.
//
// Every statement names the events it rests on by their revision in the run. A list that is empty
// has nothing to say, and its section is left out; what is not known is in `unknown`, never a zero.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pievt/run_state.h"

namespace pievt::audit {

/// Revisions of events of the run, oldest first.
using Events = std::vector<std::uint64_t>;

/// A sentence and what it rests on.
struct Finding {
  std::string text;
  Events events;
};

/// What was spent, as far as it was reported. Sums over model requests, each counted once.
struct Spent {
  std::uint64_t requests = 0;
  /// Requests that report no usage: nobody knows their tokens and money.
  std::uint64_t unreported = 0;
  std::uint64_t input_tokens = 0, output_tokens = 0;
  std::uint64_t cache_read_tokens = 0, cache_write_tokens = 0;
  std::uint64_t total_tokens = 0;
  std::int64_t nanodollars = 0;

  bool known() const { return requests > unreported; }
  Spent& operator+=(const Spent& other);
  friend bool operator==(const Spent&, const Spent&) = default;
};
Spent spent_of(const state::UsageTotalsT* usage);

/// One reason for which jobs failed, with those that failed only because of them.
struct Cause {
  std::uint32_t number = 0;  ///< from 1, the one with most jobs first
  schema::FailureKind kind{};
  schema::WorkEnding ending{};
  std::string title;                        ///< "provider answered HTTP 500 for 2.6 s"
  std::vector<std::uint32_t> jobs;          ///< numbers of jobs, in the plan's order
  std::vector<std::uint32_t> consequences;  ///< of jobs that were skipped because of these
  std::string seen;                         ///< "12 of 12 recorded requests failed"
  std::uint64_t begin_ns = 0, end_ns = 0;   ///< when it was seen; 0: no moment
  std::vector<std::string> details;
  Events events;
  std::string command;  ///< what runs these jobs again; empty where that would not help
};

/// A thing that a job left, as far as the record saw it.
struct Product {
  std::string path;
  std::optional<std::uint64_t> bytes;
};

/// What can be used of one job, or what it left half done.
struct Usable {
  std::uint32_t job = 0;
  bool accepted = false;  ///< the job succeeded
  std::vector<Product> products;
  std::string verdict;          ///< "contract met, but it only asks that the file exists"
  bool existence_only = false;  ///< that it exists is all that was asked of it
  std::vector<Finding> weak;
};

/// Something a person can do next.
struct Action {
  std::string text;     ///< what, in words
  std::string command;  ///< as typed; empty where there is none
  std::uint64_t jobs = 0;
  /// What it will cost, from what such jobs cost before; not known where nothing of the kind ran.
  std::optional<std::int64_t> nanodollars;
  std::string priced_by;  ///< "mean of r1, r4"
  std::vector<std::string> details;
};

struct JobRow {
  std::uint32_t job = 0;
  std::string id;
  schema::JobStatus status{};
  bool ended = false;
  schema::WorkEnding ending{};
  std::string why;
  std::string said;  ///< the first line of its last words, where they matter
  std::uint32_t attempts = 0;
  std::uint64_t duration_ms = 0;
  Spent spent;
  std::uint32_t cause = 0;  ///< number of its cause; 0: it did not fail
  std::uint64_t first_event = 0, last_event = 0;
  bool has_output = false;  ///< output of its last attempt was captured
};

struct SecretPlace {
  std::string where;  ///< "session.jsonl of r6/1"
  std::uint64_t event = 0;
  std::uint64_t times = 0;
};

struct Secret {
  std::string rule, where, prefix;
  std::uint64_t bytes = 0;
  std::uint32_t job = 0, attempt = 0;
  bool masked = false;
  std::uint32_t places = 1;           ///< in so many texts the same secret was found
  std::vector<SecretPlace> found_in;  ///< those of them that could be looked for
  bool looked_everywhere = false;     ///< in every text of the run
  std::uint64_t found = 0;            ///< the event that tells of it
  Events events;
};

struct WriteRow {
  std::string path;
  std::uint32_t job = 0, attempt = 0;
  std::string change;       ///< created, modified, deleted, written, perhaps written
  std::string attribution;  ///< `tool`, `own_tree`, `one_of`, ...; `shell`: a command names it
  std::string zone;         ///< `inside`, `outside`, ...; `undeclared`
  std::string detail;
  Events events;
};

/// Whether it lies where it may, or nothing was said of where it may lie.
bool is_harmless(const WriteRow& row);

/// What another ruleset makes of the same facts.
struct VerdictRow {
  std::uint32_t job = 0;
  schema::JobStatus recorded{}, judged{};
  schema::FailureKind recorded_kind{}, judged_kind{};
  std::string reason;  ///< of the other ruleset
  Events events;
};
struct Verdicts {
  std::string recorded_by;  ///< the ruleset of the record
  std::string judged_by;    ///< the one that was asked
  std::uint32_t agree = 0;
  std::vector<VerdictRow> differ;
  /// Unmet checks that the record lists beside a first cause: they follow from it.
  std::vector<Finding> consequences;
};

/// Another run that belongs to this one.
struct Relative {
  std::string run_id;
  std::string relation;  ///< "rerun of", "rerun", "same plan, before", "same error"
  std::string text;
};

/// A rule of the policy file that was broken.
struct Violation {
  std::string rule;
  std::string text;
  std::uint32_t job = 0, attempt = 0;
  Events events;
};

/// How far the record itself can be believed.
enum class Integrity : std::uint8_t {
  whole,       ///< in order, nothing missing, nothing contradicts
  incomplete,  ///< nothing is known to be wrong, but a part is missing
  damaged,
};

struct RunReport {
  std::string run_id;
  std::string short_id;  ///< what commands of this report call it
  std::string name;
  std::string source;   ///< "imported from pi-jobs", or which pievt and pi ran it
  std::string ruleset;  ///< the one this report judges by
  std::string status;   ///< "FAILED", "succeeded", "interrupted", "running", ...
  bool failed = false;  ///< a job failed, or it did not come to its end
  bool ended = false;
  std::uint64_t begin_ns = 0, end_ns = 0;
  std::uint32_t jobs_ok = 0, jobs_failed = 0, jobs_total = 0, attempts = 0;
  std::uint32_t concurrency = 0;
  std::string models;  ///< "fake/scripted-1, thinking low"
  Spent spent;
  Spent spent_failed;   ///< on jobs that did not succeed
  Spent spent_retried;  ///< on attempts that another one repeated

  std::vector<Finding> needs_you;  ///< requests of blocked workers, leaked secrets, what lives on
  std::vector<Finding> now;
  std::vector<Cause> causes;
  std::vector<Usable> usable;
  std::vector<Action> actions;
  std::vector<Finding> timeline;  ///< what the picture of the timeline shows, in sentences
  std::vector<JobRow> jobs;
  std::vector<Secret> secrets;
  std::vector<WriteRow> writes;
  std::vector<std::string> writes_note;  ///< how writes were seen, and where not
  bool writes_walked = false;            ///< trees were walked, so shells were seen too
  std::vector<Relative> again;
  std::vector<std::string> again_note;
  Verdicts verdicts;
  std::vector<Violation> violations;
  std::vector<Finding> record;
  Integrity integrity = Integrity::whole;
  std::vector<std::string> unknown;
  std::uint64_t events = 0;
};

/// The number of a job as people call it: its id.
const std::string& job_id(const RunReport& report, std::uint32_t job);

/// 0 nothing to report, 1 the run failed or a rule is broken, 4 evidence is missing, 5 damage.
int exit_code(const RunReport& report);

}  // namespace pievt::audit
