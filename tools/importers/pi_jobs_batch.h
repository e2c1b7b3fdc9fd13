// One batch as its files tell it: plain values, nothing believed yet beyond its form. What is
// damaged, missing or at odds is listed beside it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tools/importers/json_fields.h"
#include "tools/importers/pi_jobs_words.h"
#include "tools/importers/source_files.h"

namespace pievt::tools::pi_jobs {

enum class RecordType : std::uint8_t {
  batch_started,
  job_queued,
  attempt_started,
  activity,
  attempt_finished,
  job_finished,
  retry_scheduled,
  throttled,
  batch_finished,
  other,
};

/// A line of events.jsonl, or what a snapshot says where the log does not (`line` 0 then).
struct Record {
  RecordType type = RecordType::other;
  std::uint64_t line = 0, offset = 0, size = 0;
  std::uint64_t seq = 0;
  std::uint64_t at_ns = 0;
  std::string job, attempt, status, failure;
  std::uint64_t delay_ms = 0;
  std::string kind, label, text;  ///< of an activity; of a throttle decision `text`
  std::uint32_t from = 0, to = 0;
};

struct AttemptRecord {
  std::uint32_t ordinal = 0;
  std::string status, failure, error, stop_reason;
  std::uint64_t started_ns = 0, finished_ns = 0, timeout_ms = 0;
  std::optional<int> exit_code;
  std::optional<bool> saw_final;
};

struct CheckRecord {
  std::string name, status, path, message, expected, actual;
};

struct JobRecord {
  std::string id;
  bool present = false;  ///< its file was there and could be read
  std::string name, prompt, cwd, status, failure, acceptance, error;
  bool retryable = false;
  std::uint64_t timeout_ms = 0, queued_ns = 0, finished_ns = 0;
  std::unique_ptr<schema::AcceptanceT> contract;
  std::vector<std::pair<std::string, std::string>> metadata;
  std::vector<CheckRecord> checks;
  std::vector<AttemptRecord> attempts;
};

struct Batch {
  std::string id;          ///< the directory's name
  bool present = false;    ///< batch.json was there and could be read
  bool log_there = false;  ///< events.jsonl was there
  std::string directory;   ///< on the machine it was made on
  std::string status, cwd, model, thinking, parent, name;
  bool has_plan = false;
  std::uint32_t concurrency = 0;
  std::uint64_t started_ns = 0, finished_ns = 0;
  std::vector<JobRecord> jobs;  ///< in the order of the input, then those nobody had announced
  std::vector<Record> records;  ///< by sequence number, ties by line
  std::uint64_t record_count = 0;
  std::uint64_t records_known = 0;  ///< so many there were at least, read or not
  std::string numbers_missing;      ///< among those that were read: `7, 9-12`
  bool tail_lost = false;           ///< behind the last line that could be read there was another

  JobRecord* find(std::string_view job);
  /// Its number in the run, from 1; 0 where there is no such job.
  std::uint32_t number_of(std::string_view job) const;
};

/// Reads one batch. Never fails: the less there is, the more anomalies.
Batch read_batch(const std::string& id, const SourceFiles& files,
                 std::vector<FoundAnomaly>& anomalies);

/// Collects what is wrong, without end but not without bound: beyond a thousand only a count.
class AnomalyList {
 public:
  explicit AnomalyList(std::vector<FoundAnomaly>& list) : list_(list) {}
  ~AnomalyList();
  AnomalyList(const AnomalyList&) = delete;
  AnomalyList& operator=(const AnomalyList&) = delete;

  schema::ImportAnomalyFoundT& add(schema::ImportAnomaly kind, std::string_view file,
                                   std::string detail);
  schema::ImportAnomalyFoundT& add(schema::ImportAnomaly kind, std::string_view file,
                                   const SourceLine& line, std::string detail);
  /// One that says how many there are of others: it is told behind any number of them.
  schema::ImportAnomalyFoundT& add_sum(schema::ImportAnomaly kind, std::string_view file,
                                       std::string detail);
  /// A value that is none of its writer's.
  void unknown_value(std::string_view file, std::string_view field, std::string_view actual);

 private:
  std::vector<FoundAnomaly>& list_;
  schema::ImportAnomalyFoundT surplus_;
  std::uint64_t left_out_ = 0;
};

/// The time in `field`, in nanoseconds since 1970; 0 where there is none, or where it is no time,
/// which is an anomaly.
std::uint64_t read_time(const Json& of, std::string_view field, std::string_view file,
                        AnomalyList& anomalies);

inline constexpr std::string_view log_name = "events.jsonl";

/// How the line of prose begins that pi-jobs writes where it does not keep a child's output.
inline constexpr std::string_view placeholder = "Raw stdout capture disabled";

/// The parts of read_batch, each in a file of its own.
void read_log(Batch& batch, const SourceFiles& files, AnomalyList& anomalies);
JobRecord read_job(const Batch& batch, const std::string& id, const SourceFiles& files,
                   AnomalyList& anomalies);
/// What the snapshots and the log say of each other.
void compare(Batch& batch, const SourceFiles& files, AnomalyList& anomalies);

}  // namespace pievt::tools::pi_jobs
