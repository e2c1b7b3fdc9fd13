// Acceptance: what must be true of the work when an attempt has ended. Looks at files and says what
// it saw; what a failed check means for the job is the ruleset's business.
#pragma once

#include <filesystem>

#include "pievt/event.h"
#include "pievt/result.h"

namespace pievt::acceptance {

/// Answers every check of `contract`, with relative paths taken from the job's directory. Never
/// fails: what cannot be looked at is a check that errored, with the reason.
schema::GateDecidedT evaluate(const schema::AcceptanceT& contract,
                              const std::filesystem::path& cwd);

}  // namespace pievt::acceptance
