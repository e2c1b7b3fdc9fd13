// The user's own pi directory: where it is, what of it is read, and what a killed pi left in it.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "pievt/result.h"
#include "supervisor/process/spawn.h"

namespace pievt::launch {

/// Where the pi of a user with this environment keeps its files: PI_CODING_AGENT_DIR (a leading
/// `~/` is HOME), else HOME/.pi/agent, with HOME from the user database when it is not set. It may
/// not exist yet. Errc::invalid when it would be a relative path: pi would look for it in each
/// job's own working directory.
Result<std::filesystem::path> user_agent_dir(const std::vector<process::Variable>& environment);

/// The text of a file in the user's directory: a plain file of at most 4 MiB, or a link to one.
/// Errc::not_found when there is none; other errors when it cannot be read.
Result<std::string> read_user_file(const std::filesystem::path& path);

/// How old a lock beside auth.json must be before it is removed. pi holds one for at most 30 s
/// without renewing it (proper-lockfile touches it every 15 s, and 0.73's other lock every 5 s);
/// twice that leaves room for a machine that is busy.
inline constexpr std::chrono::seconds lock_stale_s{60};

/// Removes lock directories that pi processes left when they were killed: `auth.json.lock` in
/// `user_directory` and beside the file auth.json leads to. Only empty directories that nobody has
/// touched for `lock_stale_s` go. A fresh one would hold up every start of pi 1.x for half a
/// minute.
///
/// The paths removed. Errc::io when an old lock could not be; none being there is success.
Result<std::vector<std::filesystem::path>> clean_stale_locks(
    const std::filesystem::path& user_directory);

}  // namespace pievt::launch
