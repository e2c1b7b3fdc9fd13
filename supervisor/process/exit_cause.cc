// See exit_cause.h.
#include "supervisor/process/exit_cause.h"

#include <algorithm>
#include <array>
#include <csignal>

namespace pievt::process {
namespace {

/// Signals a process brings on itself: faults, aborts, its own timers and limits, a lost reader.
constexpr std::array own_faults{SIGSEGV, SIGBUS,  SIGFPE,  SIGILL,    SIGABRT, SIGTRAP, SIGSYS,
                                SIGPIPE, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGALRM, SIGPROF};

SignalSender sender_of_kill(const MemoryKills& kills) {
  if (!kills.before || !kills.after) return SignalSender::unknown;
  return *kills.after > *kills.before ? SignalSender::kernel_out_of_memory
                                      : SignalSender::somebody_else;
}

}  // namespace

std::optional<int> signal_behind(const ExitStatus& status) {
  if (status.signal) return status.signal;
  for (const int number : {SIGHUP, SIGKILL, SIGTERM})
    if (status.exit_code == 128 + number) return number;
  return std::nullopt;
}

ExitCause exit_cause(const ExitStatus& status, std::span<const SentSignal> sent,
                     const MemoryKills& kills) {
  if (status.knowledge == ExitKnowledge::ended_unobserved) return {};
  const std::optional<int> number = signal_behind(status);
  if (!number) return {std::nullopt, SignalSender::nobody, std::nullopt};

  const auto ours = std::ranges::find(sent, *number, &SentSignal::number);
  if (ours != sent.end()) return {number, SignalSender::ours, ours->at};
  if (std::ranges::find(own_faults, *number) != own_faults.end())
    return {number, SignalSender::nobody, std::nullopt};
  if (*number == SIGKILL) return {number, sender_of_kill(kills), std::nullopt};
  return {number, SignalSender::somebody_else, std::nullopt};
}

}  // namespace pievt::process
