// The checks of a contract that ask where was written.
#pragma once

#include "supervisor/check/evidence.h"
#include "supervisor/check/look.h"

namespace pievt::acceptance {

/// Adds a row for every write that lies where it must not, and one that sums up. A write that may
/// have been another attempt's is a warning: nobody fails by a guess. Without walks only what tools
/// were told is known, and that is said.
void ask_writes(const schema::AcceptanceT& contract, const Evidence& evidence, Checks& checks);

}  // namespace pievt::acceptance
