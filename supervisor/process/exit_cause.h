// Who ended a process? The kernel tells the signal, never the sender, so this is a conclusion from
// what is known: what we sent, whether the kernel killed for memory meanwhile, how it ended.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "supervisor/process/clock.h"
#include "supervisor/process/process.h"

namespace pievt::process {

enum class SignalSender : std::uint8_t {
  unknown,               ///< nobody saw the end, or the kernel's count of kills is not to be had
  nobody,                ///< it ended by itself, or by a fault of its own (SIGSEGV, SIGABRT, ...)
  ours,                  ///< we had sent this signal
  kernel_out_of_memory,  ///< KILL, not from us, and the kernel killed for memory meanwhile
  somebody_else,         ///< a user, a tool of the child, another program
};

/// One signal that was sent, for the record of the stop ladder.
struct SentSignal {
  int number = 0;
  Moment at;
};

/// The kernel's count of processes killed for memory when the child was started and when it ended
/// (oom_counter.h). Both from the same source, or absent.
struct MemoryKills {
  std::optional<std::uint64_t> before;
  std::optional<std::uint64_t> after;
};

struct ExitCause {
  std::optional<int> signal;  ///< that ended it, also if it turned the signal into an exit code
  SignalSender sender = SignalSender::unknown;
  std::optional<Moment> sent_at;  ///< when we first sent it; only with `ours`
};

/// The signal behind an end: the one that killed it, or, as pi and shells do it, the exit code
/// 128 + signal for HUP (129), KILL (137) and TERM (143). nullopt for other codes.
std::optional<int> signal_behind(const ExitStatus& status);

/// Pure. Exact as to `ours`; a conclusion for the rest: a KILL by a person at the moment when the
/// kernel killed something else for memory is taken for the kernel's.
ExitCause exit_cause(const ExitStatus& status, std::span<const SentSignal> sent,
                     const MemoryKills& kills);

}  // namespace pievt::process
