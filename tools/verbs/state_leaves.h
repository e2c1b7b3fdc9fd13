// States in the flat form in which two of them are compared: a line for each thing that is true,
// `retry.max_attempts = 3`. Nothing here knows a field by name but those that differ between any
// two runs and mean nothing: times, numbers of events and processes, places.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/result.h"
#include "pievt/run_state.h"
#include "store/format/reflect_json.h"

namespace pievt::tools {

using Leaves = std::vector<reflect::Leaf>;

struct FieldChange {
  std::string path;
  std::string before;  ///< empty where it was not there
  std::string after;
  friend bool operator==(const FieldChange&, const FieldChange&) = default;
};

/// What is true of the run itself, without its jobs, gates and attempts. `run` is as before when it
/// returns.
Result<Leaves> leaves_of_run(RunState& run);

/// What is true of one job (by number), its attempts included; of no job, nothing.
Result<Leaves> leaves_of_job(RunState& run, std::uint32_t job);

/// The same of a gate, by its number.
Result<Leaves> leaves_of_gate(RunState& run, std::uint32_t gate);

/// A JSON text's leaves, named the same way. Text that is no JSON has none.
Leaves leaves_of_json(std::string_view json);

/// Where the two say different things, in the order of `before`; what is new comes last.
std::vector<FieldChange> changes_between(const Leaves& before, const Leaves& after);

/// Whether a field of that path differs between any two runs of the same plan, and says nothing.
bool is_volatile(std::string_view path);

/// Only those that are not volatile.
std::vector<FieldChange> lasting(std::vector<FieldChange> changes);

}  // namespace pievt::tools
