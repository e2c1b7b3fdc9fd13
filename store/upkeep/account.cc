#include "store/upkeep/account.h"

#include <fmt/format.h>

#include "store/trust/salvaged_note.h"

namespace pievt {

std::string account_of_texts(const CopyReport& report) {
  const std::uint64_t lost = report.bodies_damaged + report.bodies_missing;
  if (lost == 0) return {};
  std::string text = lost_texts_line(lost);
  for (const BodyProblem& problem : report.problems) {
    text += problem.severity == Severity::damaged ? "damaged: " : "missing: ";
    if (!problem.stream.empty())
      text += fmt::format("{} #{} ", problem.stream, problem.revision.value);
    text += fmt::format("@{}: {}\n", problem.sequence.value, problem.what);
  }
  return text;
}

}  // namespace pievt
