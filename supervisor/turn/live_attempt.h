// An attempt whose process exists, or is about to, as the loop holds it: handles and deadlines.
// What is true about it is in the run's state; this is what is lost when the supervisor dies.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "supervisor/capture/attempt_output.h"
#include "supervisor/process/child_machine.h"
#include "supervisor/process/exit_cause.h"
#include "supervisor/process/process.h"
#include "supervisor/process/slots.h"
#include "supervisor/turn/gate_commands.h"
#include "supervisor/turn/launcher.h"

namespace pievt::supervisor {

struct LiveAttempt {
  Subject subject;
  std::string cwd;
  process::ChildState machine = process::ChildState::down;
  std::optional<PreparedLaunch> launch;  ///< until it was started
  std::uint64_t session_before = 0;      ///< bytes of the session it went on in
  std::optional<process::Process> process;
  std::optional<AttemptOutput> output;

  /// Of its contract, while they run and until it is judged. Then `process` is the command's.
  std::shared_ptr<GateCommands> commands;

  /// The process and its tree are gone, and this much output is to be read before it is judged.
  std::optional<std::uint64_t> drain_until;

  std::optional<process::Slot> slot;  ///< its place among the children of the whole store

  process::Moment note_peak_at{};  ///< when to ask for its memory next
  /// Its last activity, where the silence since then was noted.
  std::optional<process::Moment> silence_noted;
  std::optional<process::Moment> deadline;   ///< the job's timeout
  std::optional<process::Moment> step_over;  ///< when the next step of the stop ladder is due
  schema::StopReason stop_reason = schema::StopReason::unknown;
  std::uint32_t stop_step = 0;
  std::vector<process::SentSignal> sent;
  process::MemoryKills memory_kills;
};

}  // namespace pievt::supervisor
