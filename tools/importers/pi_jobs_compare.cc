// What the snapshots, the log and the directories of a batch say of each other, and what of them is
// known to be gone.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "tools/importers/pi_jobs_batch.h"

namespace pievt::tools::pi_jobs {
namespace {

using schema::ImportAnomaly;

struct LastWord {
  const Record* finished = nullptr;
  const Record* retry = nullptr;              ///< scheduled and not begun
  std::map<std::string, const Record*> open;  ///< attempts without an end
};

std::map<std::string, LastWord> last_words(const Batch& batch) {
  std::map<std::string, LastWord> words;
  for (const Record& record : batch.records) {
    LastWord& word = words[record.job];
    if (record.type == RecordType::job_finished) word.finished = &record;
    if (record.type == RecordType::retry_scheduled) word.retry = &record;
    if (record.type == RecordType::attempt_started) {
      word.retry = nullptr;
      word.open[record.attempt] = &record;
    }
    if (record.type == RecordType::attempt_finished) word.open.erase(record.attempt);
  }
  return words;
}

SourceLine place(const Record& record) {
  return {record.line, record.offset, std::string_view(), true};
}

void compare_job(const JobRecord& job, const LastWord& word, AnomalyList& anomalies) {
  if (word.retry != nullptr) {
    anomalies.add(ImportAnomaly::unfinished, log_name, place(*word.retry),
                  fmt::format("attempt {} of job {} was scheduled and never began",
                              word.retry->attempt, job.id));
  }
  for (const auto& [attempt, began] : word.open) {
    anomalies.add(ImportAnomaly::unfinished, log_name, place(*began),
                  fmt::format("attempt {} began and its end is not in the log", attempt));
  }
  if (word.finished == nullptr || !job.present || word.retry != nullptr || !word.open.empty())
    return;
  if (word.finished->status == job.status) return;
  auto& found =
      anomalies.add(ImportAnomaly::contradiction, fmt::format("jobs/{}.json", job.id),
                    fmt::format("says otherwise than line {} of events.jsonl, which is believed",
                                word.finished->line));
  found.line = 0;
  found.field = "status";
  found.expected = word.finished->status;
  found.actual = job.status;
}

// What is known to be gone of the log: one anomaly with both counts.
void tell_lost_records(Batch& batch, bool end_missing, AnomalyList& anomalies) {
  if (!batch.log_there) return;
  // A line that was cut off behind all others may have been the end.
  if (end_missing && !batch.tail_lost) ++batch.records_known;
  if (batch.records_known <= batch.record_count) return;
  const std::uint64_t lost = batch.records_known - batch.record_count;
  auto& found = anomalies.add_sum(
      ImportAnomaly::unfinished, log_name,
      fmt::format("{} of at least {} records {} not there or cannot be read{}", lost,
                  batch.records_known, lost == 1 ? "is" : "are",
                  batch.numbers_missing.empty()
                      ? ""
                      : fmt::format("; missing numbers: {}", batch.numbers_missing)));
  found.field = "seq";
  found.expected = fmt::format("{}", batch.records_known);
  found.actual = fmt::format("{}", batch.record_count);
}

// An attempt that spoke has left a session, unless its output was kept whole. Which is missing most
// often says so already; this is how many.
void tell_lost_sessions(const Batch& batch, const SourceFiles& files, AnomalyList& anomalies) {
  std::uint64_t known = 0, there = 0;
  std::string first;
  for (const JobRecord& job : batch.jobs) {
    for (const AttemptRecord& attempt : job.attempts) {
      if (attempt.failure == "launch_error") continue;
      const std::string below = fmt::format("attempts/{}/attempt-{}/", job.id, attempt.ordinal);
      const SourceFile* output = files.find(below + "stdout.jsonl");
      const bool told = files.find(below + "session.jsonl") != nullptr ||
                        (output != nullptr && output->bytes.size() != 0 &&
                         !output->text().starts_with(placeholder));
      const bool spoke = attempt.saw_final == true || !attempt.stop_reason.empty();
      if (!told && !spoke && files.has_below(below)) continue;
      ++known;
      if (told) {
        ++there;
      } else if (first.empty()) {
        first = below + "session.jsonl";
      }
    }
  }
  if (there == known) return;
  auto& found = anomalies.add_sum(
      ImportAnomaly::missing_file, first,
      fmt::format("{} of {} sessions {} not there; what they said of calls, tokens and costs is "
                  "not known",
                  known - there, known, known - there == 1 ? "is" : "are"));
  found.field = "sessions";
  found.expected = fmt::format("{}", known);
  found.actual = fmt::format("{}", there);
}

}  // namespace

void compare(Batch& batch, const SourceFiles& files, AnomalyList& anomalies) {
  auto words = last_words(batch);
  for (const JobRecord& job : batch.jobs) {
    compare_job(job, words[job.id], anomalies);
    for (const AttemptRecord& attempt : job.attempts) {
      const std::string below = fmt::format("attempts/{}/attempt-{}/", job.id, attempt.ordinal);
      if (!files.has_below(below)) {
        anomalies.add(ImportAnomaly::missing_file, below,
                      fmt::format("the files of attempt {} are not there", attempt.ordinal));
      } else if (files.find(below + "attempt.json") == nullptr) {
        anomalies.add(ImportAnomaly::missing_file, below + "attempt.json",
                      "is missing; the attempt is told from its job");
      }
    }
  }
  const auto end = std::ranges::find(batch.records, RecordType::batch_finished, &Record::type);
  const bool ended = run_ending(batch.status).has_value();
  const bool end_missing = batch.log_there && ended && end == batch.records.end();
  tell_lost_records(batch, end_missing, anomalies);
  tell_lost_sessions(batch, files, anomalies);
  if (end_missing) {
    anomalies
        .add(ImportAnomaly::unfinished, log_name,
             "batch.json says that the batch has ended, and the log has no end")
        .actual = batch.status;
  }
  if (end != batch.records.end() && batch.present && end->status != batch.status) {
    auto& found = anomalies.add(ImportAnomaly::contradiction, "batch.json",
                                fmt::format("says otherwise than line {} of events.jsonl, which is "
                                            "believed",
                                            end->line));
    found.field = "status";
    found.expected = end->status;
    found.actual = batch.status;
  }
  if (batch.present && !ended && end == batch.records.end()) {
    anomalies
        .add(ImportAnomaly::unfinished, "batch.json",
             batch.status == "initializing"
                 ? "the batch was being set up, and never was"
                 : "the batch never ended: it goes on, or who ran it died")
        .actual = batch.status;
  }
}

}  // namespace pievt::tools::pi_jobs
