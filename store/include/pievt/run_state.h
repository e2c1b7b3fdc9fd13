// The state of one run and what may happen in it.
//
// Two pure functions. `check` is the decision: may this event happen now? It can refuse. `apply` is
// the fold: the event has happened, what is true now? It cannot fail. Neither knows a clock, a file
// or a random number, so replaying the same events gives the same state on any machine, for ever.
//
// The state itself is written down in schemas/state/run_state.fbs; it is the same type that
// checkpoints hold and that `pievt show -o json` prints.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "pievt/event.h"
#include "pievt/result.h"
#include "pievt/schema/run_state_generated.h"

namespace pievt {

using RunState = state::RunStateT;
using JobState = state::JobStateT;
using AttemptState = state::AttemptStateT;
using GateState = state::GateStateT;

/// Folds one event of the run's stream into its state. Events of types this program does not know
/// are counted and change nothing else; numbers that make no sense (a job that was never declared)
/// are ignored: they happened.
void apply(RunState& run, const EventView& event);

/// Whether the event may happen to the run as it is. invalid_transition with a sentence that says
/// what stands in the way; ok otherwise. What it admits, `apply` understands.
Status check(const RunState& run, const NewEvent& event);

/// Folds an event that is about to be appended, before it has its final stamp: `revision` must be
/// the one it will get. Times are the caller's and may differ from the stamp's by the duration of
/// the append.
void apply_new(RunState& run, const NewEvent& event, Revision revision, std::uint64_t wall_ns,
               std::uint64_t monotonic_ns);

/// The job or attempt with that number, or null. `job` 0 with an attempt: one that serves the run
/// itself.
const JobState* find_job(const RunState& run, std::uint32_t job);
const AttemptState* find_attempt(const RunState& run, std::uint32_t job, std::uint32_t attempt);

/// The job with that id, or null.
const JobState* find_job(const RunState& run, std::string_view id);

/// The state as bytes, and back. The same state always gives the same bytes.
std::vector<std::byte> to_bytes(const RunState& run);
Result<RunState> run_state_from_bytes(std::span<const std::byte> bytes);

}  // namespace pievt
