// A process that cannot be mistaken for another one: a pidfd and the identity it was opened for.
//
// A pidfd becomes readable when the process ends, also when it is not our child, and a signal sent
// through it cannot reach somebody who got the same number later. So a child we started and one a
// new supervisor adopted are the same thing to the loop. Only how they ended differs: a status is
// kept for the parent alone, of others it is known *that* they ended.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include <sys/types.h>

#include "pievt/result.h"
#include "supervisor/process/clock.h"
#include "supervisor/process/fd.h"

namespace pievt::process {

/// Names a process for ever; what an event records of it.
struct ProcessId {
  pid_t pid = 0;
  std::uint64_t start_ticks = 0;    ///< field 22 of /proc/<pid>/stat
  std::string boot_id;              ///< the machine's, at that time
  std::uint64_t pid_namespace = 0;  ///< inode of the namespace the number counts in; 0: unknown

  friend bool operator==(const ProcessId&, const ProcessId&) = default;
};

enum class ExitKnowledge : std::uint8_t {
  observed,          ///< we were its parent and waited for it
  ended_unobserved,  ///< it was not our child: that it ended is known, how is not
};

enum class CoreDump : std::uint8_t { none, dumped };

/// What the kernel counted for a process and the children it waited for.
struct ResourceUse {
  std::uint64_t user_us = 0;
  std::uint64_t system_us = 0;

  /// The largest resident set of the process or of one child it waited for, in KiB. Linux starts
  /// this count at the peak of the process that spawned, so of a child that stayed below ours, and
  /// of a process that was not our child, it is the last Process::note_peak(); absent without one.
  std::optional<std::uint64_t> peak_kib;
};

struct ExitStatus {
  ExitKnowledge knowledge = ExitKnowledge::ended_unobserved;
  std::optional<int> exit_code;  ///< observed, and it ended by itself
  std::optional<int> signal;     ///< observed, and it was ended by this signal
  CoreDump core = CoreDump::none;
  ResourceUse resources;
};

enum class Delivery : std::uint8_t { sent, already_gone };

/// Why a recorded process cannot be opened again.
enum class Absence : std::uint8_t {
  ended,              ///< no process has its number
  number_reused,      ///< another process has its number
  machine_restarted,  ///< it ran before the machine was started
};

/// Owns the pidfd. Moves. Not for several threads at once.
class Process {
 public:
  /// Takes a child of this process that nobody has waited for yet. On failure the child is as
  /// before, and still the caller's.
  static Result<Process> own_child(pid_t pid);

  /// The descriptor to poll: readable when the process has ended. Belongs to this object.
  int fd() const { return pidfd_.get(); }
  const ProcessId& id() const { return id_; }

  /// Whether this very process started it, and so inherits what it leaves behind.
  bool is_our_child() const { return inherited_peak_kib_.has_value(); }

  /// Sends a signal. A zombie still counts as there. Errc::io with EPERM's text when the process
  /// took other rights.
  Result<Delivery> signal(int number) const;

  /// Whether it has ended. Does not wait.
  bool has_ended() const;

  /// Waits until it has ended or `deadline` has come; tells whether it has ended. Blocks the loop,
  /// so it is for the ends of programs and for tests.
  bool wait_for_end(Moment deadline) const;

  /// How it ended; nullopt while it runs. The first answer frees the zombie and is remembered.
  /// Errc::io when the kernel refuses.
  Result<std::optional<ExitStatus>> reap();

  /// The largest resident set of this process so far, in KiB (VmHWM), without what the kernel
  /// lends it from its parent. Errc::not_found when it has ended.
  Result<std::uint64_t> peak_kib() const;

  /// Remembers peak_kib() of now for reap(), unless the kernel will know better. To be called now
  /// and then while it runs; about 30 us.
  void note_peak();

 private:
  friend Result<std::variant<Process, Absence>> reopen(const ProcessId& id);
  Process(Fd pidfd, ProcessId id) : pidfd_(std::move(pidfd)), id_(std::move(id)) {}

  Fd pidfd_;
  ProcessId id_;
  std::optional<std::uint64_t> inherited_peak_kib_;  // of our children
  std::optional<std::uint64_t> noted_peak_kib_;
  std::optional<ExitStatus> status_;
};

/// Opens a process somebody recorded, or tells why it is not there any more. A process that has
/// ended but was not waited for opens, and is at once readable. Errc::unsupported when its number
/// counts in another pid namespace: nothing can be said about it here. Errc::invalid for a number
/// that no process has.
Result<std::variant<Process, Absence>> reopen(const ProcessId& id);

/// The identity of the process that has this number now. Errc::not_found when none has.
Result<ProcessId> identify(pid_t pid);

/// A descriptor that refers to the process which has this number now. Errc::not_found when none.
Result<Fd> open_pidfd(pid_t pid);

/// "pid 812 (started at tick 55120)", for messages.
std::string to_string(const ProcessId& id);

}  // namespace pievt::process
