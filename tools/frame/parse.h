// From words to checked arguments. CLI11 does the reading of flags (clusters, `=`, glued values);
// which flags exist, what they take and what a mistake is called comes from our rows.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "pievt/result.h"
#include "tools/frame/arguments.h"
#include "tools/frame/verb.h"

namespace pievt::tools {

/// The words of a command line with the verb taken out. The verb is the first word that is neither
/// a global flag nor such a flag's value.
struct SplitLine {
  std::string verb;                ///< empty when there is none
  std::vector<std::string> words;  ///< everything else, in order
};
SplitLine split_verb(std::span<const std::string> words);

/// Whether the words ask for help (`--help` or `-h` before a `--`), whatever else is wrong with
/// them.
bool asks_for_help(std::span<const std::string> words);

/// Reads `words` by the global rows and `options`. Errc::invalid for an unknown flag (with the
/// nearest known one), a missing or bad value, a missing or surplus argument. After `--` everything
/// is an argument.
Result<Arguments> parse(std::span<const Option> options, std::span<const std::string> words);

}  // namespace pievt::tools
