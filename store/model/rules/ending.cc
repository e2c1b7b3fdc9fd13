// How work ended, in the words of schemas/job.fbs. A worker's own report is asked first: it knows
// that it is blocked, and its last message often sounds like success all the same.
#include <algorithm>
#include <array>
#include <cctype>

#include "store/model/rules/rules.h"

namespace pievt::rules {
namespace {

using schema::Ending;
using schema::ReportStatus;
using schema::WorkEnding;

/// A longer message may well speak of what is to be done and hold the work too.
constexpr std::uint64_t stub_bytes_max = 120;

/// What workers say instead of working. The words of pi-jobs' own inspector, and what has been seen
/// since.
constexpr std::array<std::string_view, 12> stub_words = {
    "todo",
    "in progress",
    "i will now",
    "i'll now",
    "will be done",
    "not started",
    "\u5df2\u5f00\u59cb",
    "\u51c6\u5907\u9605\u8bfb",
    "\u5f85\u6267\u884c",
    "\u8fdb\u884c\u4e2d",
    "\u672a\u5b8c\u6210",
    "starting now",
};

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool is_stub(const AttemptState& attempt) {
  if (attempt.final_message == nullptr || attempt.final_message->size() >= stub_bytes_max)
    return false;
  const std::string said = lower(attempt.final_excerpt);
  return std::ranges::any_of(
      stub_words, [&](std::string_view word) { return said.find(word) != std::string::npos; });
}

}  // namespace

WorkEnding work_ending(const AttemptState& attempt) {
  switch (attempt.report_status) {
    case ReportStatus::blocked:
      return WorkEnding::blocked;
    case ReportStatus::error:
      return WorkEnding::reported_error;
    default:
      break;
  }
  switch (attempt.ending) {
    case Ending::ok:
      break;
    case Ending::empty:
      return WorkEnding::empty;
    case Ending::thinking_only:
      return WorkEnding::thinking_only;
    case Ending::tool_only:
      return WorkEnding::tool_only;
    case Ending::truncated:
      return WorkEnding::truncated;
    case Ending::unknown:
      return WorkEnding::unknown;
    default:
      return WorkEnding::cut_off;
  }
  if (attempt.report_status == ReportStatus::partial) return WorkEnding::partial;
  return is_stub(attempt) ? WorkEnding::stub : WorkEnding::visible_final;
}

}  // namespace pievt::rules
