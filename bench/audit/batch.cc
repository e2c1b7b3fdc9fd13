#include "bench/audit/batch.h"

#include <array>
#include <ctime>
#include <fstream>
#include <random>
#include <string_view>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace pievt::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t long_messages = 10;

// So many seconds after the batch began.
std::string at(double seconds) {
  constexpr std::time_t begin = 1'775'037'600;  // 2026-04-01T10:00:00Z
  const auto whole = static_cast<std::time_t>(seconds);
  return fmt::format("{:%FT%T}.{:03}Z", fmt::gmtime(begin + whole),
                     static_cast<int>((seconds - static_cast<double>(whole)) * 1000));
}

Status write_file(const fs::path& path, std::string_view text) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.flush();
  if (file && !error) return {};
  return Error{Errc::io, fmt::format("cannot write {}", path.string())};
}

// Words as people's programs have them: some often, most of them rarely.
std::string prose(std::size_t bytes, std::mt19937_64& dice) {
  static const std::vector<std::string> words = [] {
    std::mt19937_64 letters(7);
    std::vector<std::string> made(4096);
    for (std::string& word : made) {
      for (std::uint64_t i = 2 + letters() % 9; i > 0; --i)
        word.push_back(static_cast<char>('a' + letters() % 26));
    }
    return made;
  }();
  std::string text;
  while (text.size() < bytes) {
    const std::uint64_t spread = 1 + dice() % words.size();
    text += words[dice() % spread];
    text += dice() % 12 == 0 ? "\\n" : " ";
  }
  return text;
}

std::string calls_of(const Batch& batch, std::size_t job, double begin) {
  const std::string_view other = batch.other_from != 0 && job >= batch.other_from ? " --again" : "";
  std::string lines;
  for (std::size_t call = 0; call < batch.calls; ++call) {
    const double when = begin + 1 + static_cast<double>(call);
    lines += fmt::format(
        R"({{"type":"tool_call_started","at":"{}","tool":"bash","argsPreview":"make {} {}{}"}})"
        "\n"
        R"({{"type":"tool_call_finished","at":"{}","tool":"bash","status":"ok"}})"
        "\n",
        at(when), job_name(job), call, other, at(when + 0.5));
  }
  return lines;
}

std::string session_of(const Batch& batch, std::size_t job, bool failed, double end) {
  std::mt19937_64 dice(job);
  std::string lines;
  for (std::size_t i = 0; batch.text_bytes > 0 && i < long_messages; ++i) {
    lines += fmt::format(
        R"({{"type":"message","timestamp":"{}","message":{{"role":"assistant","content":)"
        R"([{{"type":"text","text":"{}"}}],"stopReason":"stop"}}}})"
        "\n",
        at(end - 1), prose(batch.text_bytes, dice));
  }
  const std::string message =
      failed ? R"("content":[],"stopReason":"error","errorMessage":"HTTP 500")"
             : fmt::format(R"("content":[{{"type":"text","text":"{} is done."}}],)"
                           R"("stopReason":"stop","usage":{{"input":300,"output":20,)"
                           R"("totalTokens":320,"cost":{{"total":0.001}}}})",
                           job_name(job));
  lines +=
      fmt::format(R"({{"type":"message","timestamp":"{}","message":{{"role":"assistant",{}}}}})"
                  "\n",
                  at(end - 1), message);
  return lines;
}

Status write_job(const fs::path& root, const Batch& batch, std::size_t job) {
  const bool failed = job % 8 == 3;
  const std::string name = job_name(job);
  const auto begin = static_cast<double>(job * 2);
  const double end = begin + static_cast<double>(batch.calls) + 8;
  const std::string_view status = failed ? "error" : "success";
  const std::string_view kind = failed ? "provider_transient" : "none";
  PIEVT_TRY(write_file(
      root / "jobs" / (name + ".json"),
      fmt::format(
          R"({{"schemaVersion":1,"batchId":"{}","jobId":"{}","name":"{}","prompt":"Do {}.",)"
          R"("status":"{}","failureKind":"{}","acceptance":{{"status":"skipped","checks":[]}},)"
          R"("attempts":[],"finishedAt":"{}"}})"
          "\n",
          batch.id, name, name, name, status, kind, at(end))));
  const fs::path attempt = root / "attempts" / name / "attempt-1";
  PIEVT_TRY(
      write_file(attempt / "attempt.json",
                 fmt::format(R"({{"index":1,"status":"{}","failureKind":"{}","startedAt":"{}",)"
                             R"("finishedAt":"{}","runtime":{{"exitCode":0}}}})"
                             "\n",
                             status, kind, at(begin), at(end))));
  PIEVT_TRY(write_file(attempt / "worker-events.jsonl", calls_of(batch, job, begin)));
  return write_file(attempt / "session.jsonl", session_of(batch, job, failed, end));
}

}  // namespace

std::string job_name(std::size_t number) {
  constexpr std::array<std::string_view, 4> families = {"chapter", "figure", "index", "translate"};
  return fmt::format("{}-{}", families[number % families.size()], number);
}

Status write_batch(const fs::path& directory, const Batch& batch) {
  const fs::path root = directory / ".pi" / "jobs" / batch.id;
  std::string names;
  for (std::size_t job = 0; job < batch.jobs; ++job) {
    names += fmt::format("{}\"{}\"", names.empty() ? "" : ",", job_name(job));
    PIEVT_TRY(write_job(root, batch, job));
  }
  const auto last = static_cast<double>(batch.jobs * 2 + batch.calls + 10);
  PIEVT_TRY(write_file(
      root / "batch.json",
      fmt::format(R"({{"schemaVersion":1,"batchId":"{}","toolName":"jobs","status":"error",)"
                  R"("auditIntegrity":"ok","startedAt":"{}","finishedAt":"{}","jobIds":[{}],)"
                  R"("effectiveConcurrency":8}})"
                  "\n",
                  batch.id, at(0), at(last), names)));
  return write_file(
      root / "events.jsonl",
      fmt::format(R"({{"schemaVersion":1,"seq":1,"at":"{}","type":"batch_started","batchId":"{}"}})"
                  "\n",
                  at(0), batch.id));
}

}  // namespace pievt::bench
