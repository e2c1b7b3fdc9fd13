// See sweep.h.
#include "supervisor/process/sweep.h"

extern "C" {
#include <sys/pidfd.h>
}

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <optional>
#include <utility>

#include <poll.h>
#include <unistd.h>

#include <fmt/format.h>

#include "supervisor/process/clock.h"
#include "supervisor/process/proc_files.h"
#include "supervisor/process/process.h"

namespace pievt::process {
namespace {

Result<std::string> marker_entry(std::string_view attempt) {
  if (attempt.empty() || attempt.find('\0') != std::string_view::npos)
    return Error{Errc::invalid, "the marker of an attempt is text without NUL, and not empty"};
  return fmt::format("{}={}", marker_name, attempt);
}

/// Whether it runs under our user, or cannot even be asked.
bool may_be_ours(pid_t pid) {
  const Result<std::string> text = read_proc_text(fmt::format("/proc/{}/status", pid));
  if (!text.ok()) return text.error().code != Errc::not_found;
  return parse_counter(*text, "Uid") == std::uint64_t{::getuid()};
}

std::optional<MarkedProcess> describe(pid_t pid) {
  const Result<ProcStat> stat = read_stat(pid);
  if (!stat.ok()) return std::nullopt;
  return MarkedProcess{pid, stat->start_ticks, stat->parent_pid, stat->comm,
                       command_excerpt(pid, limits::command_excerpt_bytes_max)};
}

/// Calls `visit(pid)` for each process that bears the marker; returns how many are hidden.
template <class Visit>
Result<std::size_t> for_each_marked(std::string_view entry, Visit&& visit) {
  std::size_t hidden = 0;
  const pid_t self = ::getpid();
  for (const pid_t pid : PIEVT_TRY(list_processes())) {
    if (pid == self || pid == 1) continue;
    const EnvironmentLook look = look_at_environment(pid, entry);
    if (look == EnvironmentLook::has) visit(pid);
    if (look == EnvironmentLook::hidden && may_be_ours(pid)) ++hidden;
  }
  return hidden;
}

/// Kills `pid` if it still bears the marker. The marker is read again after the pidfd was opened,
/// and the pidfd is asked whether its process is still there after that: then what was read was
/// its, and nobody else can be hit.
void kill_if_marked(pid_t pid, std::string_view entry, KillRound& round) {
  Result<Fd> pidfd = open_pidfd(pid);
  std::optional<MarkedProcess> process = describe(pid);
  if (!process) return;
  if (!pidfd.ok()) {
    if (pidfd.error().code != Errc::not_found) round.refused.push_back(*std::move(process));
    return;
  }
  if (look_at_environment(pid, entry) != EnvironmentLook::has) return;
  if (::pidfd_send_signal(pidfd->get(), 0, nullptr, 0) != 0 && errno == ESRCH) return;
  if (::pidfd_send_signal(pidfd->get(), SIGKILL, nullptr, 0) == 0)
    round.killed.push_back({*std::move(process), std::move(pidfd).value()});
  else if (errno != ESRCH)
    round.refused.push_back(*std::move(process));
}

/// Waits for the ends of `killed` and moves those that have ended to `report`; returns the rest.
std::vector<KilledProcess> wait_for_ends(std::vector<KilledProcess> killed, Moment deadline,
                                         SweepReport& report) {
  while (!killed.empty()) {
    std::vector<pollfd> wanted;
    for (const KilledProcess& each : killed)
      wanted.push_back({.fd = each.pidfd.get(), .events = POLLIN, .revents = 0});
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    const int timeout_ms = static_cast<int>(std::max<std::int64_t>(left.count(), 0));
    const int ready = ::poll(wanted.data(), wanted.size(), timeout_ms);
    std::vector<KilledProcess> running;
    for (std::size_t i = 0; i < killed.size(); ++i) {
      if (ready > 0 && wanted[i].revents != 0)
        report.killed.push_back(std::move(killed[i].process));
      else
        running.push_back(std::move(killed[i]));
    }
    killed = std::move(running);
    if (timeout_ms == 0) break;
  }
  return killed;
}

bool same_process(const MarkedProcess& a, const MarkedProcess& b) {
  return a.pid == b.pid && a.start_ticks == b.start_ticks;
}

/// Adds to `dying` what it does not hold yet; returns how many that were.
std::size_t add_new(std::vector<KilledProcess>& dying, std::vector<KilledProcess> killed) {
  const std::size_t before = dying.size();
  for (KilledProcess& each : killed) {
    const auto is_same = [&](const KilledProcess& old) {
      return same_process(old.process, each.process);
    };
    if (std::ranges::none_of(dying, is_same)) dying.push_back(std::move(each));
  }
  return dying.size() - before;
}

/// What of `found` is not in the report yet has survived.
void add_survivors(SweepReport& report, std::vector<MarkedProcess> found) {
  for (MarkedProcess& each : found) {
    const auto is_same = [&](const MarkedProcess& old) { return same_process(old, each); };
    if (std::ranges::none_of(report.survivors, is_same) &&
        std::ranges::none_of(report.killed, is_same))
      report.survivors.push_back(std::move(each));
  }
}

}  // namespace

Result<MarkedProcesses> find_marked(std::string_view attempt) {
  const std::string entry = PIEVT_TRY(marker_entry(attempt));
  MarkedProcesses result;
  result.hidden = PIEVT_TRY(for_each_marked(entry, [&](pid_t pid) {
    if (std::optional<MarkedProcess> process = describe(pid))
      result.found.push_back(*std::move(process));
  }));
  return result;
}

Result<KillRound> kill_marked(std::string_view attempt) {
  const std::string entry = PIEVT_TRY(marker_entry(attempt));
  KillRound round;
  round.hidden =
      PIEVT_TRY(for_each_marked(entry, [&](pid_t pid) { kill_if_marked(pid, entry, round); }));
  return round;
}

Result<SweepReport> sweep(std::string_view attempt, const SweepLimits& bounds) {
  const Moment deadline = Clock::now() + bounds.deadline_ms;
  SweepReport report;
  std::vector<MarkedProcess> refused;
  std::vector<KilledProcess> dying;
  // A process is without an environment for a moment while it executes a program, so one clean
  // look is not enough.
  std::size_t clean_looks = 0;
  do {
    KillRound round = PIEVT_TRY(kill_marked(attempt));
    ++report.rounds;
    report.hidden = round.hidden;
    refused = std::move(round.refused);
    clean_looks = add_new(dying, std::move(round.killed)) == 0 ? clean_looks + 1 : 0;
    const Moment round_end = Clock::now() + limits::sweep_round_ms;
    dying = wait_for_ends(std::move(dying), std::min(round_end, deadline), report);
  } while (clean_looks < 2 && report.rounds < bounds.rounds_max && Clock::now() < deadline);

  dying = wait_for_ends(std::move(dying), deadline, report);
  for (KilledProcess& each : dying) report.survivors.push_back(std::move(each.process));
  add_survivors(report, std::move(refused));
  if (clean_looks < 2) {
    MarkedProcesses left = PIEVT_TRY(find_marked(attempt));
    report.hidden = left.hidden;
    add_survivors(report, std::move(left.found));
  }
  return report;
}

}  // namespace pievt::process
