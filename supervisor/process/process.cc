// See process.h. <sys/pidfd.h> of glibc 2.36 lacks extern "C", hence the wrapping.
#include "supervisor/process/process.h"

extern "C" {
#include <sys/pidfd.h>
}

#include <algorithm>
#include <cerrno>
#include <csignal>

#include <poll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "supervisor/process/open_files.h"
#include "supervisor/process/proc_files.h"

namespace pievt::process {
namespace {

std::uint64_t microseconds(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000 +
         static_cast<std::uint64_t>(time.tv_usec);
}

/// The peak a child spawned by us inherits at most.
std::uint64_t own_peak_kib() {
  rusage use{};
  ::getrusage(RUSAGE_SELF, &use);
  return static_cast<std::uint64_t>(use.ru_maxrss);
}

/// Milliseconds for poll(), rounded up so that a wait never ends early.
int poll_timeout_ms(Moment deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

ExitStatus status_of(const siginfo_t& info, const rusage& use) {
  ExitStatus status;
  status.knowledge = ExitKnowledge::observed;
  if (info.si_code == CLD_EXITED) {
    status.exit_code = info.si_status;
  } else {
    status.signal = info.si_status;
    status.core = info.si_code == CLD_DUMPED ? CoreDump::dumped : CoreDump::none;
  }
  status.resources.user_us = microseconds(use.ru_utime);
  status.resources.system_us = microseconds(use.ru_stime);
  return status;
}

}  // namespace

Result<Fd> open_pidfd(pid_t pid) {
  Fd fd(::pidfd_open(pid, 0));
  if (fd.is_open()) return kept_high(std::move(fd));
  const std::string what = fmt::format("cannot open process {}", pid);
  if (errno == ESRCH) return os_error(Errc::not_found, what, errno);
  if (errno == EINVAL) return os_error(Errc::invalid, what, errno);
  if (errno == ENOSYS)
    return os_error(Errc::unsupported, what + "; pievt needs Linux 5.4 or later", errno);
  return os_error(what, errno);
}

Result<ProcessId> identify(pid_t pid) {
  const ProcStat stat = PIEVT_TRY(read_stat(pid));
  std::string boot = PIEVT_TRY(read_boot_id());
  const std::uint64_t pid_namespace = PIEVT_TRY(read_pid_namespace());
  return ProcessId{pid, stat.start_ticks, std::move(boot), pid_namespace};
}

std::string to_string(const ProcessId& id) {
  return fmt::format("pid {} (started at tick {})", id.pid, id.start_ticks);
}

Result<Process> Process::own_child(pid_t pid) {
  // The number cannot be reused before we have waited for it, so the order does not matter.
  Fd pidfd = PIEVT_TRY(open_pidfd(pid));
  ProcessId id = PIEVT_TRY(identify(pid));
  Process process(std::move(pidfd), std::move(id));
  process.inherited_peak_kib_ = own_peak_kib();
  return process;
}

Result<std::variant<Process, Absence>> reopen(const ProcessId& id) {
  using Answer = std::variant<Process, Absence>;
  if (id.pid <= 0)
    return Error{Errc::invalid, fmt::format("{} is not the number of a process", id.pid)};
  if (id.boot_id != PIEVT_TRY(read_boot_id())) return Answer{Absence::machine_restarted};
  if (id.pid_namespace != 0 && id.pid_namespace != PIEVT_TRY(read_pid_namespace()))
    return Error{Errc::unsupported,
                 fmt::format("{} counts in another pid namespace; look for it from the container "
                             "it was started in",
                             to_string(id))};
  Result<Fd> pidfd = open_pidfd(id.pid);
  if (!pidfd.ok() && pidfd.error().code == Errc::not_found) return Answer{Absence::ended};
  // A thread has the number now: EINVAL, and ENOENT on newer kernels, where it counts as ended.
  if (!pidfd.ok() && pidfd.error().code == Errc::invalid) return Answer{Absence::number_reused};
  if (!pidfd.ok()) return std::move(pidfd).error();

  // The start time is read after the pidfd was opened: if it is the recorded one, the number had
  // not been reused by then, and the pidfd is the right process's.
  const Result<ProcStat> stat = read_stat(id.pid);
  if (!stat.ok() && stat.error().code == Errc::not_found) return Answer{Absence::ended};
  if (!stat.ok()) return stat.error();
  if (stat->start_ticks != id.start_ticks) return Answer{Absence::number_reused};
  return Answer{Process(std::move(pidfd).value(), id)};
}

Result<Delivery> Process::signal(int number) const {
  if (::pidfd_send_signal(fd(), number, nullptr, 0) == 0) return Delivery::sent;
  if (errno == ESRCH) return Delivery::already_gone;
  const Errc code = errno == EINVAL ? Errc::invalid : Errc::io;
  return os_error(code, fmt::format("cannot send signal {} to {}", number, to_string(id_)), errno);
}

bool Process::has_ended() const {
  return wait_for_end(Moment::min());
}

bool Process::wait_for_end(Moment deadline) const {
  pollfd wanted{.fd = fd(), .events = POLLIN, .revents = 0};
  for (;;) {
    const int timeout_ms = deadline == Moment::min() ? 0 : poll_timeout_ms(deadline);
    const int ready = ::poll(&wanted, 1, timeout_ms);
    PIEVT_ASSERT((wanted.revents & POLLNVAL) == 0);
    if (ready > 0) return true;
    if (timeout_ms == 0) return false;
  }
}

Result<std::optional<ExitStatus>> Process::reap() {
  if (status_) return status_;
  // The library's waitid() hides the kernel's fifth argument, which brings the resource use.
  siginfo_t info{};
  rusage use{};
  long done = 0;
  do {
    done = ::syscall(SYS_waitid, P_PIDFD, fd(), &info, WEXITED | WNOHANG, &use);
  } while (done != 0 && errno == EINTR);
  if (done == 0) {
    if (info.si_pid == 0) return status_;
    status_ = status_of(info, use);
    const auto peak = static_cast<std::uint64_t>(use.ru_maxrss);
    const bool grew = inherited_peak_kib_ && peak > *inherited_peak_kib_;
    status_->resources.peak_kib = grew ? peak : noted_peak_kib_;
    return status_;
  }
  if (errno != ECHILD)
    return os_error(Errc::io, fmt::format("cannot wait for {}", to_string(id_)), errno);
  if (has_ended()) {
    status_ = ExitStatus{};
    status_->resources.peak_kib = noted_peak_kib_;
  }
  return status_;
}

Result<std::uint64_t> Process::peak_kib() const {
  const std::string text = PIEVT_TRY(read_proc_text(fmt::format("/proc/{}/status", id_.pid)));
  const auto peak = parse_counter(text, "VmHWM");
  // Asked last: if it is there now, the text was its own and not a successor's.
  if (!peak || has_ended())
    return Error{Errc::not_found, fmt::format("{} has ended", to_string(id_))};
  return *peak;
}

void Process::note_peak() {
  if (inherited_peak_kib_ && noted_peak_kib_ > inherited_peak_kib_) return;
  if (const auto peak = peak_kib(); peak.ok()) noted_peak_kib_ = *peak;
}

}  // namespace pievt::process
