// What the kernel tells about processes under /proc, read and parsed. Every answer is about one
// moment; who acts on it opens a pidfd first and looks again (process.h, sweep.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "pievt/result.h"

namespace pievt::process {

/// Of /proc/<pid>/stat.
struct ProcStat {
  pid_t pid = 0;
  pid_t parent_pid = 0;
  char state = '?';                ///< R S D T Z X ...
  std::uint64_t threads = 0;       ///< includes a first thread that has ended before the others
  std::uint64_t start_ticks = 0;   ///< field 22: clock ticks from boot to the start
  std::uint64_t memory_bytes = 0;  ///< virtual; 0 for zombies and the kernel's own threads
  std::uint64_t environment_start = 0;  ///< where its environment lies in its memory; both 0
  std::uint64_t environment_end = 0;    ///< while it executes a program, or when we may not know
  std::string comm;                     ///< at most 15 bytes, chosen by the process itself
};

/// Reads one line of /proc/<pid>/stat. The name in it may hold spaces, brackets and newlines.
/// nullopt when it is something else.
std::optional<ProcStat> parse_stat(std::string_view text);

/// Errc::not_found when there is no such process. A zombie is a process.
Result<ProcStat> read_stat(pid_t pid);

/// The value of `key` in text of lines "key value" or "key: value unit", as /proc/vmstat,
/// /proc/<pid>/status and a cgroup's memory.events are. nullopt when it is absent or no number.
std::optional<std::uint64_t> parse_counter(std::string_view text, std::string_view key);

/// A file of /proc or /sys, at most limits::proc_text_bytes_max of it.
Result<std::string> read_proc_text(const std::string& path);

/// Changes with every start of the machine. 36 characters.
Result<std::string> read_boot_id();

/// The inode of the pid namespace in which our numbers count.
Result<std::uint64_t> read_pid_namespace();

/// All processes we can see, ascending; without threads.
Result<std::vector<pid_t>> list_processes();

/// The children of one thread of this process, ended ones included, in no order. Errc::not_found
/// where the kernel does not list them, and when the thread has ended.
Result<std::vector<pid_t>> list_children_of(pid_t thread);

/// The last number of /proc/loadavg's text; nullopt when it is something else.
std::optional<pid_t> parse_last_pid(std::string_view text);

/// The number that was given last in our pid namespace, to a process or a thread, living or not.
/// Numbers grow until they begin again at a low one.
Result<pid_t> read_last_pid();

/// Looks for one entry in a list of NUL-terminated entries that arrives in pieces. Only a whole
/// entry counts: `A=1` is not found in `A=12` nor in `BA=1`.
class EntrySearch {
 public:
  /// `entry` must outlive the search.
  explicit EntrySearch(std::string_view entry) : entry_(entry) {}

  /// Takes the next piece; true once the entry was seen.
  bool feed(std::string_view piece);

  /// What stands after the last NUL is an entry too. True when the entry was seen.
  bool finish();

 private:
  void take(std::string_view part);
  void end_entry();

  std::string_view entry_;
  std::size_t matched_ = 0;
  bool differs_ = false;
  bool found_ = false;
};

enum class EnvironmentLook : std::uint8_t {
  has,      ///< the entry is there
  has_not,  ///< it is not, or the process is gone or a zombie and has no environment any more
  not_yet,  ///< it is just executing a program, and for a moment has none: look again
  hidden,   ///< we may not look
};

/// Whether the environment `pid` was started with has `entry` ("NAME=value") in it. A process
/// whose first thread has ended is looked at through its others. `not_yet` is no rarity: a spawn
/// returns before the kernel has laid out the child's environment.
EnvironmentLook look_at_environment(pid_t pid, std::string_view entry);

/// The value of the variable `name` in the environment `pid` was started with; empty where it has
/// none of that name. Nothing when no environment is to be seen: the process is gone, a zombie,
/// just executing a program, or not ours to look at.
std::optional<std::string> environment_value(pid_t pid, std::string_view name);

/// The command line with spaces between arguments, bytes outside printable ASCII as '?', cut to
/// `bytes_max`. Empty for a zombie or a process that is gone.
std::string command_excerpt(pid_t pid, std::size_t bytes_max);

}  // namespace pievt::process
