// The commands of an acceptance contract, as the loop holds them while they run: one after the
// other, after the agent has ended and before its attempt is judged.
//
// A command is started, stopped and swept as an attempt is, with a marker of its own, and each step
// is in the log before it is done. What one that was running when its supervisor died would have
// answered cannot be known: it is ended, recorded as lost, and asked once more.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "supervisor/capture/attempt_output.h"
#include "supervisor/check/evidence.h"
#include "supervisor/process/child_machine.h"
#include "supervisor/process/clock.h"
#include "supervisor/record/run_record.h"

namespace pievt::supervisor {

struct GateCommands {
  std::vector<acceptance::CommandOutcome> outcomes;  ///< of those that are over
  std::uint32_t number = 0;                          ///< of the one that is asked, from 1
  process::ChildState machine = process::ChildState::down;
  process::Moment began{};
  std::filesystem::path output;  ///< where it writes
  std::uint32_t stop_step = 0;
  std::string error;  ///< why it was stopped or could not be started
  std::uint32_t left_behind = 0;
  std::optional<schema::ResourceUseT> resources{};
  std::uint32_t exit_code = 0, signal = 0;

  /// What the attempt said: it is over, and deadlines of talking do not concern a command.
  std::optional<AttemptOutput> said{};
};

/// The outcomes that the log has of an attempt's commands, in their order, and the number of one
/// that was begun and whose end is not known; 0: none. Reads what is committed.
struct KnownCommands {
  std::vector<acceptance::CommandOutcome> outcomes;
  std::uint32_t open = 0;
};
Result<KnownCommands> known_commands(RunRecord& record, Subject subject);

/// What bears this marker belongs to the command.
std::string command_marker(const std::string& run_id, Subject subject, std::uint32_t command);

/// What a command wrote, cut in its middle where it is long, and the last line of it.
struct CommandText {
  std::string text;
  std::string last_line;
  std::uint64_t bytes = 0;
};
CommandText read_command_output(const std::filesystem::path& path);

}  // namespace pievt::supervisor
