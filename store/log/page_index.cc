#include "store/log/page_index.h"

#include <vector>

#include <fmt/format.h>

#include "store/format/keys.h"
#include "store/log/stored_page.h"

namespace pievt {
namespace {

constexpr int pages_per_write = 256;

}  // namespace

PageIndex::PageIndex(Rocks rocks, std::string trouble)
    : rocks_(std::move(rocks)),
      trouble_(std::move(trouble)),
      derivation_(rocks_, {}, Derive::streams_only) {}

Result<std::unique_ptr<PageIndex>> PageIndex::make(std::string trouble) {
  Rocks rocks = PIEVT_TRY(Rocks::open_in_memory());
  return std::unique_ptr<PageIndex>(new PageIndex(std::move(rocks), std::move(trouble)));
}

void PageIndex::take(const Rocks& log, std::uint64_t store) {
  const std::scoped_lock lock(mutex_);
  if (whole_.ok()) whole_ = go_on(log, store);
}

Result<const Rocks*> PageIndex::rocks() {
  const std::scoped_lock lock(mutex_);
  if (whole_.ok()) return &rocks_;
  return Error{whole_.error().code,
               fmt::format("{} And no other can be made: {}", trouble_, whole_.error().what)};
}

Status PageIndex::go_on(const Rocks& log, std::uint64_t store) {
  auto cursor = log.cursor(Family::log, Rocks::Fill::scan);
  WriteSet set(rocks_);
  int pages = 0;
  StoredPage page;
  std::vector<EventView> events;
  for (cursor.seek(format::log_key(last_ + 1)); cursor.valid(); cursor.next()) {
    PIEVT_TRY(page.load(cursor.value(), store));
    if (page.first() != last_ + 1) break;
    events.clear();
    if (!page.view().is_lost())
      PIEVT_TRY(format::collect_events(page.view(), std::nullopt, events));
    PIEVT_TRY(derivation_.page(page, events, set));
    last_ = page.last();
    if (++pages % pages_per_write != 0) continue;
    PIEVT_TRY(rocks_.write(std::move(set), Durability::memory));
    set = WriteSet(rocks_);
  }
  PIEVT_TRY(cursor.status());
  return rocks_.write(std::move(set), Durability::memory);
}

}  // namespace pievt
