// The command line of a pi child. Pure.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "supervisor/launch/pi_version.h"

namespace pievt::launch {

struct PiCommand {
  std::string program;  ///< PiProgram::path
  PiVersion version;
  PiMode mode = PiMode::json;
  std::filesystem::path session;     ///< the session file; absolute, so that it is no session id
  std::optional<std::string> model;  ///< absent: pi's default
  std::optional<std::string> thinking;
  std::optional<std::vector<std::string>> tools;  ///< absent: pi's choice; empty: none
  std::vector<std::string> extensions{};          ///< loaded in this order, and no others
};

/// argv, the program first. The prompt is not in it: an argument ends at 128 KiB, is read by
/// everybody in /proc, and 0.73 takes one that starts with a dash for a flag. In json mode it is
/// the child's standard input, a file (an open pipe there would be waited for without end); over
/// RPC it is a command.
///
/// Extensions, skills, templates and themes are off in every version, those of the repository it
/// works on above all; from 0.79 on, project settings as well (older ones have no such flag).
std::vector<std::string> pi_arguments(const PiCommand& command);

}  // namespace pievt::launch
