// The private pi directory of one attempt.
//
// pi writes into its directory: it refreshes tokens in auth.json, and commands over RPC change
// settings.json. What must be shared is therefore linked, so that pi writes through and locks at
// the real path (a copy would lose a rotated token); what must not be shared is generated.
//
//   auth.json, models.json, bin/   symbolic links to the user's
//   settings.json                  generated (agent_json.h)
//
// auth.json (`{}`, 0600) and bin/ are made on the user's side first when they are missing, because
// pi would otherwise make them in the private directory, where they are lost. models.json is only
// linked when the user has one: both versions only read it, take its absence for "no providers of
// the user's own", and refuse an empty one with a message.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pievt/result.h"
#include "supervisor/launch/pi_version.h"

namespace pievt::launch {

struct AgentDirRequest {
  std::filesystem::path directory;       ///< made here; its parent exists and is ours
  std::filesystem::path user_directory;  ///< user_agent_dir(); made (0700) when missing
  PiVersion version;
  PiMode mode = PiMode::json;
};

struct AgentDirReport {
  std::vector<std::string> dropped;   ///< settings of the user's that the attempt does not have
  std::vector<std::string> warnings;  ///< sentences for the record; the directory is usable
};

/// Fills `directory` (made with mode 0700, or empty and ours). After an error it may hold a part.
///
/// Errc::conflict when it is not empty; Errc::invalid when a path is relative, it is a symbolic
/// link or another user's, or the user's auth.json leads nowhere; otherwise what the system said.
Result<AgentDirReport> prepare_agent_dir(const AgentDirRequest& request);

/// Makes what is missing of the user's directory, as `prepare_agent_dir` does by itself. Called
/// before the first look at a tree in which that directory lies, so that the files are not taken
/// for the work of an attempt. Errors are those of `prepare_agent_dir`.
Status prepare_user_agent_dir(const std::filesystem::path& user_directory);

}  // namespace pievt::launch
