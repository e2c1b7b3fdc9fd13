#include "tools/verbs/lasting_text.h"

#include <algorithm>

#include <fmt/format.h>

namespace pievt::tools {
namespace {

bool goes_on(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

}  // namespace

VolatileWords::VolatileWords(const RunState& run) {
  add(run.run_id, "(run id)");
  // A plan file keeps its name from run to run; the directory of an imported batch does not.
  if (run.plan_path.find(run.run_id) != std::string::npos) add(run.plan_path, "(batch directory)");
}

void VolatileWords::add(const JobState& job, const AttemptState& attempt) {
  add(attempt.directory, "(attempt directory)");
  add(fmt::format("{}-a{}", job.id, attempt.number), "(attempt id)");
}

void VolatileWords::add(std::string word, std::string_view name) {
  while (word.ends_with('/')) word.pop_back();
  if (word.size() < 3) return;
  words_.emplace_back(std::move(word), name);
  std::ranges::stable_sort(words_, std::greater(),
                           [](const auto& each) { return each.first.size(); });
}

std::string VolatileWords::replaced_in(std::string_view text) const {
  std::string out(text);
  for (const auto& [word, name] : words_) {
    for (std::size_t at = 0; (at = out.find(word, at)) != std::string::npos;) {
      const std::size_t end = at + word.size();
      // A part of a longer word is another word.
      const bool whole =
          (at == 0 || !goes_on(out[at - 1])) && (end == out.size() || !goes_on(out[end]));
      if (!whole) {
        at = end;
        continue;
      }
      out.replace(at, word.size(), name);
      at += name.size();
    }
  }
  return out;
}

}  // namespace pievt::tools
