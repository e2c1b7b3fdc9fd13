// See poller.h.
#include "supervisor/process/poller.h"

#include <array>
#include <cerrno>

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <fmt/format.h>

#include "supervisor/process/limits.h"

namespace pievt::process {
namespace {

std::uint32_t events_of(Interest interest) {
  if (interest == Interest::read) return EPOLLIN;
  if (interest == Interest::write) return EPOLLOUT;
  return EPOLLIN | EPOLLOUT;
}

itimerspec at_moment(std::optional<Moment> moment) {
  itimerspec when{};  // zero: never
  if (!moment) return when;
  const auto since_boot = moment->time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_boot);
  when.it_value.tv_sec = seconds.count();
  when.it_value.tv_nsec = (since_boot - seconds).count();
  return when;
}

}  // namespace

Result<Poller> Poller::create() {
  Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.is_open()) return os_error("cannot open an epoll descriptor", errno);
  Fd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer.is_open()) return os_error("cannot open a timer descriptor", errno);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = reserved_token;
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, timer.get(), &event) != 0)
    return os_error("cannot watch the timer", errno);
  Poller poller(std::move(epoll), std::move(timer));
  poller.wakeups_.reserve(limits::wakeups_max);
  return poller;
}

Status Poller::control(int operation, int fd, Interest interest, std::uint64_t token) {
  if (token == reserved_token)
    return Error{Errc::invalid, "the highest token belongs to the poller's own timer"};
  epoll_event event{};
  event.events = events_of(interest);
  event.data.u64 = token;
  if (::epoll_ctl(epoll_.get(), operation, fd, &event) == 0) return {};
  const bool misuse = errno == EPERM || errno == EEXIST || errno == ENOENT || errno == EBADF;
  const std::string what = fmt::format("cannot watch descriptor {}", fd);
  if (errno == ENOSPC)
    return os_error(Errc::busy, what + "; raise fs.epoll.max_user_watches", errno);
  return misuse ? os_error(Errc::invalid, what, errno) : os_error(what, errno);
}

Status Poller::add(int fd, Interest interest, std::uint64_t token) {
  return control(EPOLL_CTL_ADD, fd, interest, token);
}

Status Poller::change(int fd, Interest interest, std::uint64_t token) {
  return control(EPOLL_CTL_MOD, fd, interest, token);
}

Status Poller::remove(int fd) {
  return control(EPOLL_CTL_DEL, fd, Interest::read, 0);
}

Status Poller::arm(std::optional<Moment> deadline) {
  if (armed_ == deadline) return {};
  const itimerspec when = at_moment(deadline);
  if (::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr) != 0)
    return os_error("cannot set the timer", errno);
  armed_ = deadline;
  return {};
}

Result<std::span<const Wakeup>> Poller::wait(std::optional<Moment> deadline) {
  wakeups_.clear();
  std::array<epoll_event, limits::wakeups_max> events;
  for (;;) {
    const bool is_over = deadline && *deadline <= Clock::now();
    if (!is_over) PIEVT_TRY(arm(deadline));
    const int got = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                 is_over ? 0 : -1);
    if (got < 0 && errno != EINTR) return os_error("cannot wait for events", errno);
    for (int i = 0; i < got; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (event.data.u64 == reserved_token) {
        // Setting it again takes its readiness away, so it need not be read.
        PIEVT_TRY(arm(std::nullopt));
        continue;
      }
      wakeups_.push_back({event.data.u64, (event.events & EPOLLIN) != 0,
                          (event.events & EPOLLOUT) != 0,
                          (event.events & (EPOLLHUP | EPOLLERR)) != 0});
    }
    if (!wakeups_.empty() || is_over) return std::span<const Wakeup>(wakeups_);
  }
}

}  // namespace pievt::process
