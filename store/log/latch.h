// A door that opens once, for threads of one process to wait at.
//
// std::latch and std::atomic::wait would say the same, but libstdc++ gives the processor up several
// times before it sleeps: with 64 threads waiting for one commit that was four calls of sched_yield
// an append, and a third of all processor time. Here who waits sleeps, and all of them are woken by
// one call of the kernel.
#pragma once

#include <atomic>
#include <climits>
#include <cstdint>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace pievt {

class Latch {
 public:
  Latch() = default;
  Latch(const Latch&) = delete;
  Latch& operator=(const Latch&) = delete;

  /// Lets everybody through, now and later. What was written before is seen by whoever comes
  /// through. The latch must outlive the call, also when those who waited are gone by then.
  void open() {
    if (state_.exchange(is_open, std::memory_order_acq_rel) == has_sleepers)
      ::syscall(SYS_futex, &state_, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
  }

  /// Returns when it is open.
  void wait() {
    for (;;) {
      std::uint32_t seen = is_closed;
      if (state_.compare_exchange_strong(seen, has_sleepers, std::memory_order_acquire))
        seen = has_sleepers;
      if (seen == is_open) return;
      // Also when a signal came, or the word was not what it had been: it is looked at again.
      ::syscall(SYS_futex, &state_, FUTEX_WAIT_PRIVATE, has_sleepers, nullptr, nullptr, 0);
    }
  }

 private:
  static constexpr std::uint32_t is_closed = 0, has_sleepers = 1, is_open = 2;
  std::atomic<std::uint32_t> state_ = is_closed;
};

}  // namespace pievt
