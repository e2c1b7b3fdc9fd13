// events.jsonl, line by line, and what the snapshots say of it.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <fmt/format.h>

#include "supervisor/capture/excerpt.h"
#include "tools/importers/harmless_line.h"
#include "tools/importers/json_fields.h"
#include "tools/importers/pi_jobs_batch.h"

namespace pievt::tools::pi_jobs {
namespace {

using schema::ImportAnomaly;
using supervisor::one_line;
constexpr std::string_view log_name = "events.jsonl";

RecordType type_of_word(std::string_view word) {
  static constexpr std::array<std::pair<std::string_view, RecordType>, 9> words{
      {{"job_activity", RecordType::activity},
       {"batch_started", RecordType::batch_started},
       {"job_queued", RecordType::job_queued},
       {"attempt_started", RecordType::attempt_started},
       {"attempt_finished", RecordType::attempt_finished},
       {"job_finished", RecordType::job_finished},
       {"attempt_retry_scheduled", RecordType::retry_scheduled},
       {"throttle_decision", RecordType::throttled},
       {"batch_finished", RecordType::batch_finished}}};
  const auto found =
      std::ranges::find(words, word, &std::pair<std::string_view, RecordType>::first);
  return found == words.end() ? RecordType::other : found->second;
}

class LogReader {
 public:
  LogReader(Batch& batch, AnomalyList& anomalies) : batch_(batch), anomalies_(anomalies) {}

  void line(const SourceLine& line, const SourceFile& file) {
    Json json;
    // Behind every line there are the next ones, or the padding of the file.
    const auto failed =
        parser_
            .parse(reinterpret_cast<const std::uint8_t*>(file.bytes.data()) + line.offset,
                   line.text.size(), false)
            .get(json);
    if (failed != simdjson::SUCCESS || !json.is_object()) {
      bad_line(line);
      return;
    }
    ++batch_.record_count;
    Record record;
    record.line = line.number;
    record.offset = line.offset;
    record.size = line.text.size();
    const std::string_view word = text_in(json, "type").value_or("");
    record.type = type_of_word(word);
    if (record.type == RecordType::other) {
      anomalies_
          .add(ImportAnomaly::unknown_type, log_name, line,
               "a record of a type that pi-jobs 0.5.0 did not write; it is kept in the file")
          .actual = supervisor::one_line(word);
    }
    fields(record, json, line);
    order(record, line);
    batch_.records.push_back(std::move(record));
  }

 private:
  void bad_line(const SourceLine& line) {
    auto& found = line.ended
                      ? anomalies_.add(ImportAnomaly::not_json, log_name, line,
                                       "a line that is not JSON; the lines around it were read")
                      : anomalies_.add(ImportAnomaly::torn_tail, log_name, line,
                                       "the last record was cut off while it was written");
    found.actual = supervisor::one_line(line.text);
  }

  void fields(Record& record, const Json& json, const SourceLine& line) {
    record.seq = count_in(json, "seq").value_or(0);
    const std::string_view at = text_in(json, "at").value_or("");
    if (const auto time = time_of(at)) {
      record.at_ns = *time;
    } else {
      auto& found =
          anomalies_.add(ImportAnomaly::bad_time, log_name, line, "`at` is no time; left out");
      found.field = "at";
      found.actual = supervisor::one_line(at);
    }
    if (const auto id = text_in(json, "batchId"); id != batch_.id) {
      auto& found = anomalies_.add(ImportAnomaly::foreign, log_name, line,
                                   "a record of another batch; it is read as one of this");
      found.expected = batch_.id;
      found.actual = supervisor::one_line(id.value_or("(none)"));
    }
    record.job = text_or_empty(json, "jobId");
    record.attempt = text_or_empty(json, "attemptId");
    record.status = text_or_empty(json, "status");
    if (const auto data = member(json, "data")) {
      record.failure = text_or_empty(*data, "failureKind");
      record.delay_ms = count_in(*data, "delayMs").value_or(0);
      if (record.type == RecordType::activity) activity(record, *data);
      if (record.type == RecordType::throttled) throttled(record, *data);
    }
    if (!record.status.empty() && !job_status(record.status))
      unknown(line, "status", record.status);
    if (!record.failure.empty() && !failure_kind(record.failure))
      unknown(line, "data.failureKind", record.failure);
    announce(record, line);
  }

  static void activity(Record& record, const Json& data) {
    record.kind = one_line(text_or_empty(data, "kind"));
    record.label = harmless_line(text_or_empty(data, "label"));
    record.text = harmless_line(text_or_empty(data, "detail"));
  }

  static void throttled(Record& record, const Json& data) {
    const auto places = [&](std::string_view key) {
      return static_cast<std::uint32_t>(
          std::min<std::uint64_t>(count_in(data, key).value_or(0), UINT32_MAX));
    };
    record.from = places("previousConcurrency");
    record.to = places("nextConcurrency");
    record.text = one_line(text_or_empty(data, "reason"));
    if (const auto rate = number_in(data, "transientRate"))
      record.text += fmt::format(", {:.0f} % of its window", *rate * 100);
  }

  void unknown(const SourceLine& line, std::string_view field, std::string_view actual) {
    auto& found =
        anomalies_.add(ImportAnomaly::unknown_value, log_name, line,
                       fmt::format("{} has a value that pi-jobs 0.5.0 did not write", field));
    found.field = std::string(field);
    found.actual = supervisor::one_line(actual);
  }

  void announce(const Record& record, const SourceLine& line) {
    if (record.type == RecordType::job_queued && !queued_.insert(record.job).second) {
      anomalies_.add(ImportAnomaly::duplicate, log_name, line,
                     fmt::format("job {} is queued a second time", record.job));
    }
    if (record.type == RecordType::batch_started && started_++ > 0)
      anomalies_.add(ImportAnomaly::duplicate, log_name, line, "the batch starts a second time");
    if (record.job.empty() || batch_.find(record.job) != nullptr) return;
    if (batch_.present) {
      anomalies_.add(ImportAnomaly::foreign, log_name, line,
                     fmt::format("speaks of job {}, which batch.json does not name", record.job));
    }
    batch_.jobs.emplace_back().id = record.job;
  }

  void order(const Record& record, const SourceLine& line) {
    if (!numbers_.insert(record.seq).second) {
      anomalies_.add(ImportAnomaly::duplicate, log_name, line,
                     fmt::format("a second record with sequence number {}", record.seq));
    } else if (record.seq < last_) {
      auto& found = anomalies_.add(ImportAnomaly::out_of_order, log_name, line,
                                   "stands after a record with a higher number; read by number");
      found.expected = fmt::format("more than {}", last_);
      found.actual = fmt::format("{}", record.seq);
    }
    last_ = std::max(last_, record.seq);
  }

  Batch& batch_;
  AnomalyList& anomalies_;
  simdjson::dom::parser parser_;
  std::set<std::string> queued_;
  std::set<std::uint64_t> numbers_;
  std::uint64_t last_ = 0;
  int started_ = 0;
};

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

}  // namespace

void read_log(Batch& batch, const SourceFiles& files, AnomalyList& anomalies) {
  const SourceFile* file = files.find(log_name);
  if (file == nullptr) {
    anomalies.add(ImportAnomaly::missing_file, log_name,
                  "is missing; what happened is told from the snapshots");
    return;
  }
  batch.log_there = true;
  LogReader reader(batch, anomalies);
  for (const SourceLine& line : lines_of(file->text())) reader.line(line, *file);
  std::ranges::stable_sort(batch.records, {}, &Record::seq);
}

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
  if (batch.log_there && ended && end == batch.records.end()) {
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
