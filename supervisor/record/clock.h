// The two clocks of a recorded fact. Deadlines use process/clock.h.
#pragma once

#include <cstdint>
#include <ctime>

namespace pievt::supervisor {

inline std::uint64_t clock_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

/// Nanoseconds since 1970.
inline std::uint64_t wall_now_ns() {
  return clock_ns(CLOCK_REALTIME);
}

/// Nanoseconds since the machine started, the time it slept included.
inline std::uint64_t boot_now_ns() {
  return clock_ns(CLOCK_BOOTTIME);
}

}  // namespace pievt::supervisor
