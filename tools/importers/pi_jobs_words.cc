#include "tools/importers/pi_jobs_words.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <string>
#include <utility>

namespace pievt::tools::pi_jobs {
namespace {

template <class Value, std::size_t size>
std::optional<Value> in(const std::array<std::pair<std::string_view, Value>, size>& words,
                        std::string_view word) {
  const auto found = std::ranges::find(words, word, &std::pair<std::string_view, Value>::first);
  if (found == words.end()) return std::nullopt;
  return found->second;
}

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(at, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

}  // namespace

std::optional<schema::JobStatus> job_status(std::string_view word) {
  using schema::JobStatus;
  static constexpr std::array<std::pair<std::string_view, JobStatus>, 3> words{
      {{"success", JobStatus::succeeded},
       {"error", JobStatus::failed},
       {"aborted", JobStatus::cancelled}}};
  return in(words, word);
}

std::optional<schema::RunEnding> run_ending(std::string_view word) {
  using schema::RunEnding;
  static constexpr std::array<std::pair<std::string_view, RunEnding>, 3> words{
      {{"success", RunEnding::succeeded},
       {"error", RunEnding::failed},
       {"aborted", RunEnding::stopped}}};
  return in(words, word);
}

std::optional<schema::FailureKind> failure_kind(std::string_view word) {
  using schema::FailureKind;
  static constexpr std::array<std::pair<std::string_view, FailureKind>, 13> words{
      {{"none", FailureKind::none},
       {"provider_transient", FailureKind::provider_transient},
       {"provider_permanent", FailureKind::provider_permanent},
       {"launch_error", FailureKind::launch_error},
       {"protocol_error", FailureKind::protocol_error},
       {"acceptance_failed", FailureKind::acceptance_failed},
       {"audit_failed", FailureKind::audit_failed},
       {"worker_incomplete", FailureKind::worker_incomplete},
       {"worker_stalled", FailureKind::worker_stalled},
       {"provider_stalled", FailureKind::provider_stalled},
       {"unknown_stall", FailureKind::unknown_stall},
       {"aborted", FailureKind::cancelled},
       {"unknown", FailureKind::unknown}}};
  return in(words, word);
}

std::optional<schema::CheckStatus> check_status(std::string_view word) {
  using schema::CheckStatus;
  static constexpr std::array<std::pair<std::string_view, CheckStatus>, 3> words{
      {{"passed", CheckStatus::passed},
       {"warning", CheckStatus::warned},
       {"failed", CheckStatus::failed}}};
  return in(words, word);
}

std::optional<schema::GateDecision> gate_decision(std::string_view word) {
  using schema::GateDecision;
  static constexpr std::array<std::pair<std::string_view, GateDecision>, 4> words{
      {{"skipped", GateDecision::skipped},
       {"passed", GateDecision::passed},
       {"warning", GateDecision::warned},
       {"failed", GateDecision::failed}}};
  return in(words, word);
}

schema::ReportStatus report_status(std::string_view word) {
  using schema::ReportStatus;
  static constexpr std::array<std::pair<std::string_view, ReportStatus>, 4> words{
      {{"completed", ReportStatus::success},
       {"partial", ReportStatus::partial},
       {"blocked", ReportStatus::blocked},
       {"error", ReportStatus::error}}};
  return in(words, word).value_or(ReportStatus::unknown);
}

bool retryable(schema::FailureKind kind) {
  using schema::FailureKind;
  return kind == FailureKind::launch_error || kind == FailureKind::provider_transient ||
         kind == FailureKind::provider_stalled || kind == FailureKind::worker_stalled ||
         kind == FailureKind::worker_incomplete;
}

schema::Ending ending_of(std::string_view status, std::string_view failure,
                         std::string_view stop_reason, std::optional<bool> saw_final) {
  using schema::Ending;
  if (stop_reason == "thinking_only_stop") return Ending::thinking_only;
  if (status == "aborted") return Ending::aborted;
  if (status == "success") return saw_final == false ? Ending::incomplete : Ending::ok;
  if (failure == "worker_stalled") return Ending::killed;
  if (failure == "launch_error") return Ending::failed_to_run;
  return status == "error" ? Ending::failed : Ending::unknown;
}

std::optional<std::uint64_t> time_of(std::string_view text) {
  // The one form that JavaScript's toISOString writes.
  if (text.size() != 24 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' ||
      text[16] != ':' || text[19] != '.' || text[23] != 'Z')
    return std::nullopt;
  const auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  const auto hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  const auto milli = digits(text, 20, 3);
  if (!year || !month || !day || !hour || !minute || !second || !milli) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok() || *year < 1971 || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  const auto days = std::chrono::sys_days{date}.time_since_epoch().count();
  const std::int64_t seconds = days * 86'400LL + *hour * 3'600LL + *minute * 60LL + *second;
  return static_cast<std::uint64_t>(seconds) * 1'000'000'000u +
         static_cast<std::uint64_t>(*milli) * 1'000'000u;
}

std::optional<std::uint64_t> time_in_name(std::string_view batch) {
  std::string time(batch.substr(0, 24));
  if (time.size() != 24 || time[13] != '-' || time[16] != '-' || time[19] != '-')
    return std::nullopt;
  time[13] = time[16] = ':';
  time[19] = '.';
  return time_of(time);
}

std::optional<std::uint32_t> attempt_ordinal(std::string_view attempt, std::string_view job) {
  if (!attempt.starts_with(job) || !attempt.substr(job.size()).starts_with("-a"))
    return std::nullopt;
  const std::string_view number = attempt.substr(job.size() + 2);
  std::uint32_t value = 0;
  const auto [end, failed] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (failed != std::errc() || end != number.data() + number.size() || value == 0)
    return std::nullopt;
  return value;
}

}  // namespace pievt::tools::pi_jobs
