// See signals.h.
#include "supervisor/process/signals.h"

#include <cerrno>
#include <csignal>

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace pievt::process {
namespace {

Status set_disposition(int number, void (*disposition)(int)) {
  struct sigaction action {};
  action.sa_handler = disposition;
  if (::sigaction(number, &action, nullptr) == 0) return {};
  return os_error("cannot set what happens on a signal", errno);
}

}  // namespace

Result<Signals> Signals::block() {
  sigset_t wanted;
  ::sigemptyset(&wanted);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&wanted, number);
  if (const int failed = ::pthread_sigmask(SIG_BLOCK, &wanted, nullptr); failed != 0)
    return os_error("cannot block signals", failed);
  PIEVT_TRY(set_disposition(SIGPIPE, SIG_IGN));
  PIEVT_TRY(set_disposition(SIGXFSZ, SIG_IGN));
  PIEVT_TRY(set_disposition(SIGCHLD, SIG_DFL));
  Fd fd(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.is_open()) return os_error("cannot open a descriptor for signals", errno);
  return Signals(std::move(fd));
}

Result<std::optional<ReceivedSignal>> Signals::next() const {
  signalfd_siginfo info{};
  ssize_t got = 0;
  do {
    got = ::read(fd(), &info, sizeof(info));
  } while (got < 0 && errno == EINTR);
  if (got < 0 && errno == EAGAIN) return std::optional<ReceivedSignal>();
  if (got != ssize_t{sizeof(info)}) return os_error("cannot read a signal", errno);
  const bool from_kernel = info.ssi_code == SI_KERNEL;
  return std::optional(ReceivedSignal{static_cast<int>(info.ssi_signo),
                                      from_kernel ? 0 : static_cast<pid_t>(info.ssi_pid),
                                      info.ssi_uid});
}

}  // namespace pievt::process
