// What became of an attempt, from what is recorded of it and what it said. Pure: the verdict after
// a crash is the one that would have been given before.
#pragma once

#include <optional>

#include "pievt/run_state.h"
#include "supervisor/pi/outcome.h"

namespace pievt::supervisor {

/// What was understood of an attempt's output. Borrowed for the call.
struct Said {
  const pi::StreamFacts& facts;
  const pi::SessionTail& session;
  std::uint64_t stdout_bytes = 0, stderr_bytes = 0;
};

/// `said`: nothing where its output does not exist any more.
schema::AttemptClassifiedT classify(const AttemptState& state, const std::optional<Said>& said);

}  // namespace pievt::supervisor
