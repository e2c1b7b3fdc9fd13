// Texts without the words that differ between any two runs and mean nothing: a run's id, the
// directory of an imported batch, an attempt's directory and id. A prompt that names them is the
// same prompt.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pievt/run_state.h"

namespace pievt::tools {

class VolatileWords {
 public:
  VolatileWords() = default;
  /// Those of a run.
  explicit VolatileWords(const RunState& run);

  /// And those of one of its attempts.
  void add(const JobState& job, const AttemptState& attempt);

  /// The text with a name in brackets for each of them: "(run id)".
  std::string replaced_in(std::string_view text) const;

 private:
  void add(std::string word, std::string_view name);

  std::vector<std::pair<std::string, std::string_view>> words_;  ///< the longest first
};

}  // namespace pievt::tools
