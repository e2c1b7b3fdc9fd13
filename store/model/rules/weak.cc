// Successes that rest on little. A run of forty green jobs is believed; these lines say which of
// them should be looked at first.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "store/model/rules/rules.h"

namespace pievt::rules {
namespace {

using schema::CheckStatus;
using schema::WorkEnding;

/// Less than a sentence.
constexpr std::uint64_t short_final_bytes = 40;

/// Kinds of checks that read what is in the work. `requiredPaths` asks for a file, and is counted
/// when it also asked for a size or a pattern.
constexpr std::array<std::string_view, 9> content_kinds = {"regex",
                                                           "Regex",
                                                           "minBytes",
                                                           "command",
                                                           "minReportSummaryChars",
                                                           "minWorkerLogBytes",
                                                           "pattern",
                                                           "Pattern",
                                                           "requireDeliverablesEvidence"};

bool reads(const schema::CheckT& check) {
  return std::ranges::any_of(content_kinds, [&](std::string_view word) {
    return check.kind.find(word) != std::string::npos;
  });
}

}  // namespace

bool looks_at_content(const GateState& gate) {
  return std::ranges::any_of(gate.checks, [](const auto& check) { return reads(*check); });
}

std::vector<std::string> weak_points(const AttemptState& attempt, const GateState* gate,
                                     WorkEnding ending) {
  std::vector<std::string> points;
  const std::uint64_t said = attempt.final_message == nullptr ? 0 : attempt.final_message->size();
  if (ending == WorkEnding::partial)
    points.emplace_back("the worker reported that only part of it is done");
  if (ending == WorkEnding::stub)
    points.push_back(fmt::format("its last message has {} bytes and announces work", said));
  if (ending == WorkEnding::empty) points.emplace_back("its last message is empty");
  if (ending == WorkEnding::truncated)
    points.emplace_back("its last message was cut at the output limit");
  if (ending == WorkEnding::thinking_only || ending == WorkEnding::tool_only)
    points.emplace_back("it ended without a word");
  const bool short_word = attempt.final_message != nullptr && said < short_final_bytes;
  if (gate == nullptr && ending == WorkEnding::visible_final && short_word) {
    points.push_back(fmt::format("no contract, and its last message has {} bytes", said));
  }
  if (gate != nullptr && gate->decision == schema::GateDecision::warned)
    points.emplace_back("the contract is not met, and was only to be looked at");
  if (gate != nullptr && gate->decision == schema::GateDecision::passed && !gate->checks.empty() &&
      !looks_at_content(*gate))
    points.emplace_back("contract met, but it asks for no more than that things are there");
  if (attempt.tools_open > 0) {
    points.push_back(fmt::format("{} tool call(s) were still open at its end", attempt.tools_open));
  }
  if (attempt.survivors > 0)
    points.push_back(fmt::format("{} process(es) it started live on", attempt.survivors));
  if (attempt.writes_outside > 0) {
    points.push_back(
        fmt::format("{} path(s) changed outside of where it may write", attempt.writes_outside));
  }
  return points;
}

}  // namespace pievt::rules
