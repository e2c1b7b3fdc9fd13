// Hearing of new events. Every follower, in this process or another, waits on the futex word in
// HEAD and then looks at the log itself, so a lost wake costs time and never an event.
#include "store/log/log_impl.h"

namespace pievt {

struct Follower::Impl {
  Log::Impl* log;
  std::uint64_t after;
  std::optional<HeadWaiter> waiter;
};

Follower::Follower(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Follower::Follower(Follower&&) noexcept = default;
Follower& Follower::operator=(Follower&&) noexcept = default;
Follower::~Follower() = default;

Result<EventReader> Follower::wait(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    // The word is read before the log: what is committed after this look changes it.
    if (!impl_->waiter) {
      if (auto opened = HeadWaiter::open(impl_->log->place.directory); opened.ok())
        impl_->waiter.emplace(std::move(*opened));
    }
    const std::uint32_t word = impl_->waiter ? impl_->waiter->word() : 0;
    PIEVT_TRY(impl_->log->refresh());
    const std::uint64_t head = impl_->log->committed;
    if (head > impl_->after) {
      const Sequence first{impl_->after + 1};
      impl_->after = head;
      return read_between(*impl_->log, first, {head});
    }
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return read_between(*impl_->log, {head + 1}, {head});
    if (!impl_->waiter)
      return Error{Errc::io, "the store's HEAD cannot be opened, so nothing can be followed"};
    const auto woken = impl_->waiter->wait(word, std::min(left, head_wait_max));
    if (woken == HeadWaiter::Outcome::replaced) impl_->waiter.reset();
  }
}

Result<Follower> Log::follow(Sequence after) const {
  auto impl = std::make_unique<Follower::Impl>();
  impl->log = impl_.get();
  impl->after = after.value;
  return Follower(std::move(impl));
}

}  // namespace pievt
