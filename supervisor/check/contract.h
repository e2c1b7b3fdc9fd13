// Acceptance: what must be true of the work when an attempt has ended. Looks and says what it saw;
// what a failed check means for the job is the ruleset's business.
#pragma once

#include "pievt/event.h"
#include "supervisor/check/evidence.h"

namespace pievt::acceptance {

/// Whether the contract asks for something that must be gathered from the log first.
enum class Needs : std::uint8_t { nothing, evidence };
Needs needs(const schema::AcceptanceT& contract);

/// Answers every check of `contract`, with relative paths taken from the job's directory. Never
/// fails and never hangs: what cannot be looked at in time is a check that errored, with the
/// reason. Commands have been run: their outcomes are in the evidence, in the contract's order.
schema::GateDecidedT evaluate(const schema::AcceptanceT& contract, const Evidence& evidence);

}  // namespace pievt::acceptance
