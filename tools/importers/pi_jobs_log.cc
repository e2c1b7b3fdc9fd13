// events.jsonl, line by line.
#include <algorithm>
#include <array>
#include <charconv>
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
    batch_.tail_lost = false;
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

  // Records are numbered from 1 without gaps, so the highest number says how many there were; and
  // a line that cannot be read was one, too. What stands behind the end of a batch counts nothing.
  void count() {
    if (end_ != 0) highest_ = std::min(highest_, end_);
    const bool beyond = batch_.tail_lost && !tail_numbered_ && end_ == 0;
    batch_.records_known = std::max(highest_ + (beyond ? 1u : 0u), batch_.record_count + bad_);
  }

  // Which numbers are missing, as people would say it: `7, 9-12`.
  std::string missing() const {
    std::string text;
    std::uint64_t expected = 1;
    std::size_t gaps = 0;
    for (const std::uint64_t number : numbers_) {
      if (number > highest_) break;
      if (number > expected && ++gaps <= gaps_named) {
        text += fmt::format("{}{}", text.empty() ? "" : ", ", expected);
        if (number > expected + 1) text += fmt::format("-{}", number - 1);
      }
      expected = number + 1;
    }
    return gaps > gaps_named ? text + " and others" : text;
  }

 private:
  // No batch has as many records: such a number is damage.
  static constexpr std::uint64_t believable = 10'000'000;
  static constexpr std::size_t gaps_named = 5;

  void saw_number(std::uint64_t number) {
    if (number <= believable) highest_ = std::max(highest_, number);
  }

  // A line that was cut off has its number still, which stands near its begin.
  static std::optional<std::uint64_t> number_of_line(std::string_view line) {
    constexpr std::string_view key = "\"seq\":";
    const std::size_t at = line.substr(0, 100).find(key);
    if (at == std::string_view::npos) return std::nullopt;
    const char* const digits = line.data() + at + key.size();
    std::uint64_t number = 0;
    const auto [end, failed] = std::from_chars(digits, line.data() + line.size(), number);
    // Without what comes after it, it may lack digits.
    if (failed != std::errc() || end == line.data() + line.size()) return std::nullopt;
    return number;
  }

  void bad_line(const SourceLine& line) {
    const auto number = number_of_line(line.text);
    ++bad_;
    batch_.tail_lost = true;
    tail_numbered_ = number.has_value();
    if (number) saw_number(*number);
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
    saw_number(record.seq);
    if (record.type == RecordType::batch_finished && record.seq <= believable) end_ = record.seq;
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
  std::uint64_t last_ = 0, highest_ = 0, end_ = 0, bad_ = 0;
  bool tail_numbered_ = false;
  int started_ = 0;
};

}  // namespace

void read_log(Batch& batch, const SourceFiles& files, AnomalyList& anomalies) {
  const SourceFile* file = files.find(log_name);
  if (file == nullptr) {
    anomalies
        .add(ImportAnomaly::missing_file, log_name,
             "is missing; what happened is told from the snapshots")
        .field = "seq";
    return;
  }
  batch.log_there = true;
  LogReader reader(batch, anomalies);
  for (const SourceLine& line : lines_of(file->text())) reader.line(line, *file);
  reader.count();
  batch.numbers_missing = reader.missing();
  std::ranges::stable_sort(batch.records, {}, &Record::seq);
}

}  // namespace pievt::tools::pi_jobs
