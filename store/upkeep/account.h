// What is said of texts that a copy does not have, in the file SALVAGED.
#pragma once

#include <string>

#include "pievt/upkeep.h"

namespace pievt {

/// Lines: how many texts and chunks of output are lost, and which of which runs, as far as the
/// report lists them. Empty where none is.
std::string account_of_texts(const CopyReport& report);

}  // namespace pievt
