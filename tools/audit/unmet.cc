#include "tools/audit/unmet.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "tools/audit/build.h"
#include "tools/audit/words.h"

namespace pievt::audit {
namespace {

using schema::CheckStatus;

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-';
}

// Only whole words: in job "missing" a file is still missing.
std::string with_general_id(const JobState& job, std::string text) {
  if (job.id.empty()) return text;
  for (std::size_t at = text.find(job.id); at != std::string::npos; at = text.find(job.id, at)) {
    const std::size_t end = at + job.id.size();
    const bool inside =
        (at > 0 && is_word(text[at - 1])) || (end < text.size() && is_word(text[end]));
    if (inside) {
      at = end;
      continue;
    }
    text.replace(at, job.id.size(), "<id>");
    at += 4;
  }
  return text;
}

bool is_unmet(const schema::CheckT& check) {
  return check.status == CheckStatus::failed || check.status == CheckStatus::errored;
}

// What a bare number of a check counts.
std::string_view unit_of(const std::string& kind) {
  if (kind.find("Bytes") != std::string::npos) return " bytes";
  return kind.find("Chars") != std::string::npos ? " characters" : "";
}

// What the contract asked for, where the check itself does not repeat it.
std::string asked_of(const JobState& job, const schema::CheckT& check) {
  if (!check.expected.empty()) return shortened(check.expected, 60) + " wanted";
  if (job.declared == nullptr || job.declared->acceptance == nullptr) return "";
  for (const auto& required : job.declared->acceptance->required_paths) {
    if (required->path == check.target && required->min_bytes > 0 &&
        check.kind.find("minBytes") != std::string::npos)
      return fmt::format("at least {} were asked for", required->min_bytes);
  }
  return "";
}

std::string words_of(const JobState& job, const schema::CheckT& check, const std::string& target) {
  const bool missing =
      check.failure == "missing" || check.actual.find("missing") != std::string::npos;
  if (missing) return target + " missing";
  const bool number =
      !check.actual.empty() &&
      std::ranges::all_of(check.actual, [](unsigned char c) { return std::isdigit(c) != 0; });
  if (!number) {
    return check.actual.empty() ? fmt::format("{} of {}", check.kind, target)
                                : fmt::format("{}: {}", target, shortened(check.actual, 80));
  }
  const std::string asked = asked_of(job, check);
  return fmt::format("{} has {}{}{}{}", target, check.actual, unit_of(check.kind),
                     asked.empty() ? "" : ", ", asked);
}

const GateState* last_gate(const RunState& run, const JobState& job) {
  return job.attempts.empty() ? nullptr : asked_gate(run, job.number, job.attempts.back()->number);
}

}  // namespace

std::string unmet_checks(const RunState& run, const JobState& job, Naming naming) {
  const auto named = [&](std::string text) {
    return naming == Naming::generally ? with_general_id(job, std::move(text)) : text;
  };
  std::string text;
  if (const GateState* gate = last_gate(run, job)) {
    for (const auto& check : gate->checks) {
      if (!is_unmet(*check)) continue;
      text += fmt::format("{}{}", text.empty() ? "" : "; ",
                          words_of(job, *check, named(shortened(check->target, 100))));
    }
  }
  return text.empty() ? named(job.reason) : text;
}

bool only_writes_unmet(const RunState& run, const JobState& job) {
  const GateState* gate = last_gate(run, job);
  if (gate == nullptr) return false;
  bool any = false;
  for (const auto& check : gate->checks) {
    if (!is_unmet(*check)) continue;
    any = true;
    if (check->kind != "allowedWritePaths" && check->kind != "forbiddenWritePaths") return false;
  }
  return any;
}

}  // namespace pievt::audit
