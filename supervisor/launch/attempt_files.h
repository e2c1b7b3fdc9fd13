// The live directory of one attempt: what its child reads and writes while it runs.
//
//   <store>/attempts/<run>/<job>/<n>/
//     prompt.txt     standard input in json mode
//     stdout stderr  what the child says, followed by the supervisor
//     session.jsonl  pi's own record, made by pi
//     worker.md      the worker's log and report, made by it where its contract asks for them
//     report.json
//     agent/         private pi directory (agent_dir.h)
//     tmp/           private TMPDIR
//
// Directories are 0700 and files 0600. The child runs as the same user and can put anything here,
// so every step below the store is taken on open directories and never through a symbolic link.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "pievt/result.h"

namespace pievt::launch {

/// The worker hears of them as PIEVT_WORKER_LOG and PIEVT_REPORT.
inline constexpr std::string_view worker_log_name = "worker.md";
inline constexpr std::string_view report_name = "report.json";

struct AttemptName {
  std::string run;
  std::string job;
  std::uint32_t number = 1;
};

/// Paths only; nothing is said about what is there.
struct AttemptFiles {
  std::filesystem::path directory;
  std::filesystem::path prompt;
  std::filesystem::path output;
  std::filesystem::path error;
  std::filesystem::path session;
  std::filesystem::path agent_directory;
  std::filesystem::path temporary_directory;
};

/// A run or job id as one component of a path: itself when it is a letter or digit and then up to
/// 99 letters, digits, `.`, `_` or `-`; otherwise `~` and its SHA-256, which no id can equal.
std::string path_component(std::string_view id);

/// Pure. `store` should be absolute: pi takes paths relative to the job's directory.
AttemptFiles attempt_files(const std::filesystem::path& store, const AttemptName& name);

/// Makes the directory with the prompt, empty stdout and stderr, agent/ and tmp/; session.jsonl is
/// left to pi. May run beside others, and beside the removal of other attempts.
///
/// Errc::conflict when the attempt has a directory already; Errc::invalid when something below the
/// store is a symbolic link, no directory or another user's, or `store` is relative. After an error
/// a part may be there: remove_attempt_files().
Result<AttemptFiles> create_attempt_files(const std::filesystem::path& store,
                                          const AttemptName& name, std::string_view prompt);

/// Removes the attempt's directory with all that is in it, whatever the child made of it, and the
/// directories of its job and run when they are empty then. Nothing being there is success.
///
/// To be called when nothing of the attempt runs any more. Errors as remove_tree(), and
/// Errc::invalid as above.
Status remove_attempt_files(const std::filesystem::path& store, const AttemptName& name);

}  // namespace pievt::launch
