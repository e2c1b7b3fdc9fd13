#include "supervisor/check/contract.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "supervisor/check/look.h"
#include "supervisor/check/writes.h"

namespace pievt::acceptance {
namespace {

using schema::CheckStatus;
using Patterns = std::vector<std::string>;

// All of a contract together: meanwhile the loop serves nobody.
constexpr std::chrono::milliseconds contract_time_max{1000};

void ask_channel(const Channel& channel, std::string_view name, const Patterns& required,
                 const Patterns& forbidden, Deadline deadline, Checks& checks) {
  const auto ask = [&](const Patterns& patterns, const char* kind, auto answer) {
    for (const std::string& pattern : patterns) {
      schema::CheckT& seen = add_check(checks, fmt::format("{}.{}", name, kind), name);
      answer(seen, pattern, channel.text.value_or(""), deadline);
      if (channel.absence == Channel::Absence::not_searched) {
        seen.status = CheckStatus::errored;
        seen.failure = "undecided";
        seen.actual = channel.absent;
      } else if (!channel.text && seen.failure != "invalid-regex") {
        seen.actual += fmt::format(": {}", channel.absent);
      }
      if (channel.content) seen.content = std::make_unique<schema::BlobRef>(*channel.content);
    }
  };
  ask(required, "requiredRegex", ask_pattern);
  ask(forbidden, "forbiddenRegex", ask_forbidden_pattern);
}

// As JavaScript counts: two for a character beyond the first 65,536.
std::uint64_t utf16_length(std::string_view text) {
  std::uint64_t length = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xc0) != 0x80) length += byte >= 0xf0 ? 2 : 1;
  }
  return length;
}

void ask_lengths(const schema::AcceptanceT& contract, const Evidence& evidence, Checks& checks) {
  if (contract.min_worker_log_bytes > 0) {
    schema::CheckT& seen = add_check(checks, "minWorkerLogBytes", "workerLog");
    seen.size = evidence.worker_log.text.value_or("").size();
    seen.expected = fmt::format("at least {} bytes", contract.min_worker_log_bytes);
    seen.actual =
        evidence.worker_log.text ? fmt::format("{} bytes", seen.size) : evidence.worker_log.absent;
    const bool met = seen.size >= contract.min_worker_log_bytes;
    seen.status = met ? CheckStatus::passed : CheckStatus::failed;
    if (!met) seen.failure = "log-too-short";
    if (evidence.worker_log.content)
      seen.content = std::make_unique<schema::BlobRef>(*evidence.worker_log.content);
  }
  if (contract.min_report_summary_chars > 0) {
    schema::CheckT& seen = add_check(checks, "minReportSummaryChars", "report");
    seen.size = evidence.report ? utf16_length(evidence.report->summary) : 0;
    seen.expected =
        fmt::format("a summary of at least {} characters", contract.min_report_summary_chars);
    seen.actual =
        evidence.report ? fmt::format("{} characters", seen.size) : evidence.report_text.absent;
    const bool met = seen.size >= contract.min_report_summary_chars;
    seen.status = met ? CheckStatus::passed : CheckStatus::warned;
    if (!met) seen.failure = "summary-too-short";
  }
}

void ask_deliverable(const Deliverable& wanted, const Evidence& evidence, Deadline deadline,
                     Checks& checks) {
  constexpr std::string_view kind = "requireDeliverablesEvidence";
  if (wanted.kind == "file" || wanted.kind == "dir") {
    schema::RequiredPathT path;
    path.path = wanted.path;
    path.type = wanted.kind == "dir" ? schema::PathType::directory : schema::PathType::file;
    path.min_bytes = wanted.kind == "dir" ? 0 : 1;
    const std::size_t from = checks.size();
    look_at_path(path, evidence.cwd, deadline, checks);
    for (std::size_t i = from; i < checks.size(); ++i) checks[i]->kind = kind;
    return;
  }
  schema::CheckT& seen = add_check(checks, kind, wanted.path);
  seen.expected = "evidence in the report";
  seen.actual = fmt::format("{} values", evidence.report->evidence);
  seen.status = evidence.report->evidence > 0 ? CheckStatus::passed : CheckStatus::failed;
  if (evidence.report->evidence == 0) seen.failure = "needs-evidence";
}

// Without a report nothing is declared. pi-jobs passes that; here it is said.
void ask_deliverables(const Evidence& evidence, Deadline deadline, Checks& checks) {
  if (evidence.report && !evidence.report->deliverables.empty()) {
    for (const Deliverable& wanted : evidence.report->deliverables)
      ask_deliverable(wanted, evidence, deadline, checks);
    return;
  }
  schema::CheckT& seen = add_check(checks, "requireDeliverablesEvidence", "report");
  seen.expected = "deliverables in the report";
  seen.actual = evidence.report ? "the report names none" : evidence.report_text.absent;
  seen.status = CheckStatus::warned;
  seen.failure = "nothing-declared";
}

void ask_command(const schema::CommandCheckT& command, const CommandOutcome& seen, Checks& checks) {
  const std::string words =
      command.argv.empty() ? command.shell : fmt::format("{}", fmt::join(command.argv, " "));
  schema::CheckT& row = add_check(checks, "command", excerpt_of(words, 0, words.size()));
  row.expected = fmt::format("exit {}", command.expect_exit);
  row.size = seen.output_bytes;
  row.excerpt = seen.excerpt;
  if (seen.output) row.content = std::make_unique<schema::BlobRef>(*seen.output);
  const std::string after =
      fmt::format(" after {:.1f} s", static_cast<double>(seen.duration_ms) / 1000);
  if (!seen.error.empty()) {
    row.status = CheckStatus::errored;
    row.failure = seen.signal != 0 ? "stopped" : "not-started";
    row.actual = seen.error;
  } else if (seen.signal != 0) {
    row.status = CheckStatus::failed;
    row.failure = "killed";
    row.actual = fmt::format("ended by signal {}{}", seen.signal, after);
  } else {
    const bool met = seen.exit_code == command.expect_exit;
    row.status = met ? CheckStatus::passed : CheckStatus::failed;
    if (!met) row.failure = "wrong-exit";
    row.actual = fmt::format("exit {}{}", seen.exit_code, after);
  }
}

schema::GateDecision decide(const schema::AcceptanceT& contract, const Checks& checks) {
  const bool met = std::ranges::none_of(checks, [](const auto& check) {
    return check->status == CheckStatus::failed || check->status == CheckStatus::errored;
  });
  if (met) return schema::GateDecision::passed;
  return contract.audit_only ? schema::GateDecision::warned : schema::GateDecision::failed;
}

}  // namespace

Needs needs(const schema::AcceptanceT& c) {
  const bool of_files = c.required_final.empty() && c.forbidden_final.empty() &&
                        c.required_worker_log.empty() && c.forbidden_worker_log.empty() &&
                        c.required_report.empty() && c.forbidden_report.empty() &&
                        c.required_raw_output.empty() && c.forbidden_raw_output.empty() &&
                        c.min_worker_log_bytes == 0 && c.min_report_summary_chars == 0 &&
                        c.allowed_write_paths.empty() && c.forbidden_write_paths.empty() &&
                        !c.require_deliverables_evidence;
  return of_files ? Needs::nothing : Needs::evidence;
}

schema::GateDecidedT evaluate(const schema::AcceptanceT& contract, const Evidence& evidence) {
  const Deadline deadline = std::chrono::steady_clock::now() + contract_time_max;
  schema::GateDecidedT gate;
  gate.decided_by = "supervisor";
  Checks& checks = gate.checks;
  for (const auto& required : contract.required_paths)
    look_at_path(*required, evidence.cwd, deadline, checks);
  for (const std::string& path : contract.forbidden_paths)
    look_at_forbidden(path, evidence.cwd, checks);
  ask_lengths(contract, evidence, checks);
  ask_channel(evidence.final_message, "finalMessage", contract.required_final,
              contract.forbidden_final, deadline, checks);
  ask_channel(evidence.worker_log, "workerLog", contract.required_worker_log,
              contract.forbidden_worker_log, deadline, checks);
  ask_channel(evidence.report_text, "report", contract.required_report, contract.forbidden_report,
              deadline, checks);
  ask_channel(evidence.raw_output, "rawOutput", contract.required_raw_output,
              contract.forbidden_raw_output, deadline, checks);
  if (contract.require_deliverables_evidence) ask_deliverables(evidence, deadline, checks);
  ask_writes(contract, evidence, checks);
  for (std::size_t i = 0; i < contract.commands.size() && i < evidence.commands.size(); ++i)
    ask_command(*contract.commands[i], evidence.commands[i], checks);
  gate.decision = decide(contract, checks);
  return gate;
}

}  // namespace pievt::acceptance
