#include "store/trust/read_ahead.h"

#include <algorithm>
#include <cstring>

#include "store/format/keys.h"
#include "store/log/schema_registry.h"

namespace pievt {
namespace {

constexpr std::size_t window_page_bytes = std::size_t{12} << 20;

}  // namespace

std::uint64_t mark_of(const schema::BlobRef& ref) {
  std::uint64_t mark = 0;
  std::memcpy(&mark, &ref.digest(), sizeof(mark));
  return mark ^ ref.size() * 0x9e3779b97f4a7c15u;
}

ReadAhead::ReadAhead(const Log::Impl& log, std::uint64_t head, std::uint32_t stream)
    : log_(log),
      head_(head),
      stream_(stream),
      finder_(reflect::Schema::embedded_events()),
      cursor_(log.rocks().cursor(Family::log, Rocks::Fill::scan)) {
  cursor_.seek("");
  read_on();
}

ReadAhead::~ReadAhead() {
  if (reading_.valid()) reading_.wait();
}

void ReadAhead::read_on() {
  reading_ = std::async(std::launch::async, [this] {
    fill(coming_);
    read_bodies(coming_);
  });
}

std::span<const ReadPage> ReadAhead::next() {
  if (reading_.valid()) reading_.get();
  std::swap(checked_, coming_);
  if (checked_.count > 0) read_on();
  return std::span(checked_.pages).first(checked_.count);
}

void ReadAhead::fill(Window& window) {
  window.count = 0;
  window.refs.clear();
  window.whole.clear();
  for (std::size_t bytes = 0; bytes < window_page_bytes && cursor_.valid() && last_ < head_;
       cursor_.next()) {
    const std::uint64_t key = format::get_u64(cursor_.key()).value_or(0);
    // Beside a living writer: written, but not promised to be on the disk yet.
    if (key > head_) {
      last_ = head_;
      return;
    }
    if (window.count == window.pages.size()) window.pages.emplace_back();
    ReadPage& read = window.pages[window.count++];
    read.key = key;
    read.events.clear();
    read.status = read.page.load(cursor_.value(), log_.place.identity.short_id());
    if (read.status.ok())
      read.status = format::collect_events(read.page.view(), std::nullopt, read.events);
    bytes += cursor_.value().size();
    last_ = read.status.ok() ? read.page.last() : std::max(last_, key);
    if (read.status.ok()) ask_for_bodies(read, window);
  }
}

void ReadAhead::ask_for_bodies(const ReadPage& page, Window& window) {
  // What was written with another schema is read by it later, body by body.
  if (page.page.view().header->schema != embedded_schema().short_hash) return;
  for (const EventView& event : page.events) {
    if (stream_ != 0 && event.stamp->stream() != stream_) continue;
    const auto blobs = finder_.find(event.body);
    if (!blobs.ok()) continue;
    for (const auto& blob : *blobs) {
      if (blob.ref.kind() == schema::BlobKind::output_chunk) continue;
      if (asked_.insert(blob.ref.digest())) window.refs.push_back(blob.ref);
    }
  }
}

void ReadAhead::read_bodies(Window& window) const {
  log_.blobs().get_many(window.refs,
                        [&](std::size_t at, const Result<std::span<const std::byte>>& content) {
                          if (content.ok()) window.whole.push_back(mark_of(window.refs[at]));
                        });
  std::ranges::sort(window.whole);
}

}  // namespace pievt
