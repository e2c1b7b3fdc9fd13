// Starts one child process, exactly as asked and with nothing of ours: its own session, its own
// environment, no inherited descriptor, no blocked or ignored signal.
//
// vfork and not fork: RocksDB has threads in this process, and a forked copy of their locks is a
// trap; and a copy of our memory's tables costs more than the whole start. Errors of exec come back
// in memory, so there is no error pipe. And not posix_spawn: a child's limit of open files is set
// by the child itself, so that no other thread has it for a moment.
//
// The thread that starts a child waits until it has become its program, and no other thread does:
// starter.h is for who has no time for that.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "pievt/result.h"
#include "supervisor/process/process.h"

namespace pievt::process {

/// One environment variable.
struct Variable {
  std::string name;
  std::string value;
};

/// /dev/null.
struct NullDevice {};

/// A regular file, read from its start. Not through a symbolic link.
struct InputFile {
  std::filesystem::path path;
};

/// A regular file of ours, made (0600) when absent, appended to. Not through a symbolic link.
struct OutputFile {
  std::filesystem::path path;
};

/// A descriptor of the caller, who keeps it and closes it: one end of a pipe, for RPC.
struct BorrowedFd {
  int fd = -1;
};

using StandardInput = std::variant<NullDevice, InputFile, BorrowedFd>;
using StandardOutput = std::variant<NullDevice, OutputFile, BorrowedFd>;

struct SpawnRequest {
  /// argv[0] is the program: a path (relative to cwd) or a name to search in the child's PATH.
  std::vector<std::string> argv;

  /// The whole environment. Names occur once and hold no '='; PATH decides where argv[0] is found.
  std::vector<Variable> environment;

  std::filesystem::path cwd;
  StandardInput input;
  StandardOutput output;
  StandardOutput error;

  /// The child's soft limit of open files; empty: ours (open_files.h).
  std::optional<std::uint64_t> open_files_max = {};
};

struct Spawned {
  Process process;
  std::string executable;  ///< the file that was executed
};

/// Starts the child. When this returns its exec can no longer fail, but the kernel may still be
/// laying out the program: /proc shows its environment a moment later.
///
/// The child leads a session and process group of its own, has an empty signal mask and every
/// signal at its default (but for the two real-time signals glibc keeps for itself), the
/// descriptors 0, 1 and 2, and our umask and resource limits, that of open files as asked. It is
/// not tied to our life: whoever starts it sees to its end (process.h, sweep.h).
///
/// Failures, each with what, where and what to do, and none of them leaves a process behind:
/// Errc::not_found (program, directory or input file is missing), Errc::invalid (argument,
/// environment or file is not acceptable), Errc::busy (limit of processes or memory reached: try
/// later), Errc::io (the rest). Output files may have been made.
///
/// May be called by several threads at once. A child is its thread's: it goes to another thread of
/// the process when that one ends.
Result<Spawned> spawn(const SpawnRequest& request);

}  // namespace pievt::process
