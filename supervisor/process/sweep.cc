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
#include "supervisor/process/scan.h"

namespace pievt::process {
namespace {

Result<std::string> marker_entry(std::string_view attempt) {
  if (attempt.empty() || attempt.find('\0') != std::string_view::npos)
    return Error{Errc::invalid, "the marker of an attempt is text without NUL, and not empty"};
  return fmt::format("{}={}", marker_name, attempt);
}

bool same_process(const MarkedProcess& a, const MarkedProcess& b) {
  return a.pid == b.pid && a.start_ticks == b.start_ticks;
}

bool holds(const std::vector<MarkedProcess>& list, const MarkedProcess& wanted) {
  return std::ranges::any_of(list,
                             [&](const MarkedProcess& each) { return same_process(each, wanted); });
}

bool holds(const std::vector<KilledProcess>& list, const MarkedProcess& wanted) {
  return std::ranges::any_of(
      list, [&](const KilledProcess& each) { return same_process(each.process, wanted); });
}

std::optional<MarkedProcess> describe(pid_t pid) {
  const Result<ProcStat> stat = read_stat(pid);
  if (!stat.ok()) return std::nullopt;
  return MarkedProcess{pid, stat->start_ticks, stat->parent_pid, stat->comm,
                       command_excerpt(pid, limits::command_excerpt_bytes_max)};
}

/// The machine we run on, and the marker that is looked for.
class ThisMachine {
 public:
  /// `entry` must outlive it.
  explicit ThisMachine(std::string_view entry) : entry_(entry) {}

  pid_t self() const { return self_; }
  Result<pid_t> last_pid() const { return read_last_pid(); }
  Result<std::vector<pid_t>> processes() const { return list_processes(); }
  EnvironmentLook look(pid_t pid) const { return look_at_environment(pid, entry_); }

  /// Whether it runs under our user, or cannot even be asked.
  bool may_be_ours(pid_t pid) const {
    const Result<std::string> text = read_proc_text(fmt::format("/proc/{}/status", pid));
    if (!text.ok()) return text.error().code != Errc::not_found;
    return parse_counter(*text, "Uid") == std::uint64_t{::getuid()};
  }

  /// Nothing tells when a process has its environment, so it is asked again by the clock.
  void pause() const { ::poll(nullptr, 0, static_cast<int>(limits::exec_step_ms.count())); }

 private:
  std::string_view entry_;
  pid_t self_ = ::getpid();
};
static_assert(ProcessSource<ThisMachine>);

/// Kills `pid` if it still bears the marker. The marker is read again after the pidfd was opened,
/// and the pidfd is asked whether its process is still there after that: then what was read was
/// its, and nobody else can be hit. Returns what the last look saw.
EnvironmentLook kill_if_marked(pid_t pid, std::string_view entry, KillRound& round) {
  Result<Fd> pidfd = open_pidfd(pid);
  if (!pidfd.ok()) {
    // It is gone, or the number is a thread's, whose process is looked at by its own.
    const Errc code = pidfd.error().code;
    if (code == Errc::not_found || code == Errc::invalid) return EnvironmentLook::has_not;
    if (auto process = describe(pid)) round.refused.push_back(*std::move(process));
    return EnvironmentLook::has;
  }
  const EnvironmentLook look = look_at_environment(pid, entry);
  if (look != EnvironmentLook::has) return look;
  const auto send = [&](int number) {
    return ::pidfd_send_signal(pidfd->get(), number, nullptr, 0) == 0 ? 0 : errno;
  };
  if (send(0) == ESRCH) return EnvironmentLook::has_not;
  send(SIGSTOP);  // it must not fork while it is described
  MarkedProcess process = describe(pid).value_or(MarkedProcess{pid, 0, 0, "", ""});
  const int failed = send(SIGKILL);
  if (failed == ESRCH) return EnvironmentLook::has_not;
  if (failed == 0 && !holds(round.killed, process))
    round.killed.push_back({std::move(process), std::move(pidfd).value()});
  else if (failed != 0)
    round.refused.push_back(std::move(process));
  return EnvironmentLook::has;
}

/// Waits for the ends of `killed` and moves those that have ended to `report`; returns the rest.
std::vector<KilledProcess> wait_for_ends(std::vector<KilledProcess> killed, Moment deadline,
                                         SweepReport& report) {
  while (!killed.empty()) {
    std::vector<pollfd> wanted;
    wanted.reserve(killed.size());
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

/// Adds to `dying` what it does not hold yet; returns how many that were.
std::size_t add_new(std::vector<KilledProcess>& dying, std::vector<KilledProcess> killed) {
  const std::size_t before = dying.size();
  for (KilledProcess& each : killed) {
    if (!holds(dying, each.process)) dying.push_back(std::move(each));
  }
  return dying.size() - before;
}

/// What of `found` is not in the report yet has survived.
void add_survivors(SweepReport& report, std::vector<MarkedProcess> found) {
  for (MarkedProcess& each : found) {
    if (!holds(report.survivors, each) && !holds(report.killed, each))
      report.survivors.push_back(std::move(each));
  }
}

}  // namespace

Result<MarkedProcesses> find_marked(std::string_view attempt) {
  const std::string entry = PIEVT_TRY(marker_entry(attempt));
  MarkedProcesses result;
  ThisMachine machine(entry);
  const ScanResult scan = PIEVT_TRY(scan_processes(machine, [&](pid_t pid) {
    // Among the new numbers there are threads, which are not processes, and one number may be
    // both listed and new.
    const Result<Fd> pidfd = open_pidfd(pid);
    const bool is_thread = !pidfd.ok() && pidfd.error().code == Errc::invalid;
    std::optional<MarkedProcess> process = is_thread ? std::nullopt : describe(pid);
    if (process && !holds(result.found, *process)) result.found.push_back(*std::move(process));
    return EnvironmentLook::has;
  }));
  result.hidden = scan.hidden;
  result.complete = scan.complete;
  return result;
}

Result<KillRound> kill_marked(std::string_view attempt) {
  const std::string entry = PIEVT_TRY(marker_entry(attempt));
  KillRound round;
  ThisMachine machine(entry);
  const ScanResult scan = PIEVT_TRY(
      scan_processes(machine, [&](pid_t pid) { return kill_if_marked(pid, entry, round); }));
  round.hidden = scan.hidden;
  round.complete = scan.complete;
  return round;
}

Result<SweepReport> sweep(std::string_view attempt, const SweepLimits& bounds) {
  const Moment deadline = Clock::now() + bounds.deadline_ms;
  SweepReport report;
  std::vector<MarkedProcess> refused;
  std::vector<KilledProcess> dying;
  // A number is given some microseconds before its process can be seen, so one clean look is not
  // enough.
  std::size_t clean_looks = 0;
  do {
    KillRound round = PIEVT_TRY(kill_marked(attempt));
    ++report.rounds;
    report.hidden = round.hidden;
    report.complete = round.complete;
    refused = std::move(round.refused);
    const bool is_clean = add_new(dying, std::move(round.killed)) == 0 && round.complete;
    clean_looks = is_clean ? clean_looks + 1 : 0;
    const Moment round_end = Clock::now() + limits::sweep_round_ms;
    dying = wait_for_ends(std::move(dying), std::min(round_end, deadline), report);
  } while (clean_looks < 2 && report.rounds < bounds.rounds_max && Clock::now() < deadline);

  dying = wait_for_ends(std::move(dying), deadline, report);
  for (KilledProcess& each : dying) report.survivors.push_back(std::move(each.process));
  add_survivors(report, std::move(refused));
  if (clean_looks < 2) {
    MarkedProcesses left = PIEVT_TRY(find_marked(attempt));
    report.hidden = left.hidden;
    report.complete = left.complete;
    add_survivors(report, std::move(left.found));
  }
  return report;
}

}  // namespace pievt::process
