// Completion scripts, made from the tables. They hold verbs, flags and choices as words and ask the
// program only for what changes: `pievt completion --candidates runs`.
#pragma once

#include <string>

#include "tools/frame/verb.h"

namespace pievt::tools {

std::string bash_completion(const Tables& tables);
std::string zsh_completion(const Tables& tables);
std::string fish_completion(const Tables& tables);

}  // namespace pievt::tools
