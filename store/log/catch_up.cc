// What a process that does not write may believe of the log: a prefix without holes, up to what the
// writer has announced.
#include <thread>

#include <fmt/format.h>

#include "pievt/limits.h"
#include "pievt/shell_word.h"
#include "store/format/keys.h"
#include "store/log/log_impl.h"
#include "store/log/schema_registry.h"
#include "store/log/stored_page.h"

namespace pievt {
namespace {

using Clock = std::chrono::steady_clock;

// Who writes holds LOCK, or lost it under way. The kernel's list, which knows him then, costs some
// milliseconds and is not asked where the log says that the last one closed it.
bool somebody_writes(const std::filesystem::path& store, const Rocks& rocks) {
  if (WriterLock::current_owner_by_lock(store)) return true;
  const Result<bool> closed = closed_in_good_order(rocks);
  return !(closed.ok() && *closed) && WriterLock::current_owner(store).has_value();
}

}  // namespace

std::uint64_t promised_sequence(const std::filesystem::path& store, const StoreIdentity& identity) {
  const Result<std::optional<HeadValue>> head = read_head(store);
  if (!head.ok() || !*head) return 0;
  const bool ours = (*head)->store_id == identity.bytes() && (*head)->boot_id == current_boot_id();
  return ours ? (*head)->committed : 0;
}

Status Log::Impl::refresh() {
  if (writer() != nullptr) return {};
  const auto deadline = Clock::now() + limits::catch_up_max;
  Rocks& rocks = secondary_->rocks;
  for (;;) {
    PIEVT_TRY(rocks.catch_up());
    const bool alive = somebody_writes(place.directory, rocks);
    const std::uint64_t promised = promised_sequence(place.directory, place.identity);
    const auto last_page = PIEVT_TRY(load_last_page(rocks, place.identity.short_id()));
    const std::uint64_t last = last_page ? last_page->last() : 0;
    writer_alive = alive;
    // Beyond HEAD a living writer's data may not be on the disk yet. Without HEAD (it is only a
    // hint) all there is is all we can go by.
    const std::uint64_t visible = alive && promised != 0 ? std::min(promised, last) : last;
    if (secondary_->pages != nullptr) secondary_->pages->take(rocks, place.identity.short_id());
    // Another thread may have seen more, or become the writer.
    for (std::uint64_t known = committed;
         known < visible && !committed.compare_exchange_weak(known, visible);) {
    }
    if (promised <= last) {
      missing = 0;
      return {};
    }
    if (Clock::now() >= deadline) {
      if (!alive) missing = promised - last;
      return {};
    }
    std::this_thread::yield();
  }
}

Status Log::Impl::see_own_appends() {
  if (!is_client()) return {};
  const std::uint64_t acknowledged = forwarder_->acknowledged();
  const auto deadline = Clock::now() + limits::catch_up_max;
  while (committed < acknowledged && Clock::now() < deadline) PIEVT_TRY(refresh());
  return {};
}

Status Log::Impl::heal(Rocks& rocks, Sequence wanted) const {
  const bool is_writers = writer() != nullptr && &rocks == &writer()->rocks();
  const auto deadline = Clock::now() + limits::catch_up_max;
  for (;;) {
    if (!is_writers) PIEVT_TRY(rocks.catch_up());
    auto cursor = rocks.cursor(Family::log);
    cursor.seek(format::log_key(wanted.value));
    PIEVT_TRY(cursor.status());
    if (cursor.valid()) {
      StoredPage page;
      PIEVT_TRY(page.load(cursor.value(), place.identity.short_id()));
      if (page.first() <= wanted.value) return {};
    }
    if (is_writers || Clock::now() >= deadline) {
      return Error{Errc::corrupt, fmt::format("the page of @{} is missing from {}; run: {}",
                                              wanted.value, place.directory.string(),
                                              store_command("verify --all", place.directory))};
    }
    std::this_thread::yield();
  }
}

}  // namespace pievt
