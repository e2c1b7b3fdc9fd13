// Deadlines are moments of the monotonic clock: they do not move when somebody sets the time.
#pragma once

#include <chrono>

namespace pievt::process {

/// libstdc++'s steady_clock is CLOCK_MONOTONIC, the clock that timerfd and epoll use.
using Clock = std::chrono::steady_clock;
using Moment = Clock::time_point;

}  // namespace pievt::process
