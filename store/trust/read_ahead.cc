#include "store/trust/read_ahead.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <set>

#include <fmt/format.h>

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
  for (std::size_t bytes = 0; bytes < window_page_bytes && last_ < head_;) {
    if (!hole_.empty()) {
      bytes += read_from_hole(window);
      continue;
    }
    const std::uint64_t key =
        cursor_.valid() ? format::get_u64(cursor_.key()).value_or(0) : head_ + 1;
    // Beside a living writer: written, but not promised to be on the disk yet.
    if (cursor_.valid() && key > head_) {
      last_ = head_;
      return;
    }
    if (!cursor_.valid()) {
      if (look_into_hole(head_)) continue;
      return;
    }
    ReadPage& read = add(window, key);
    take(read, cursor_.value());
    if (read.status.ok() && read.page.first() > last_ + 1 &&
        look_into_hole(read.page.first() - 1)) {
      --window.count;
      continue;
    }
    bytes += cursor_.value().size();
    keep(read, window);
    cursor_.next();
  }
}

ReadPage& ReadAhead::add(Window& window, std::uint64_t key) {
  if (window.count == window.pages.size()) window.pages.emplace_back();
  ReadPage& read = window.pages[window.count++];
  read.key = key;
  read.events.clear();
  return read;
}

void ReadAhead::take(ReadPage& read, std::string_view value) const {
  read.status = read.page.load(value, log_.place.identity.short_id());
  if (read.status.ok())
    read.status = format::collect_events(read.page.view(), std::nullopt, read.events);
}

void ReadAhead::keep(const ReadPage& read, Window& window) {
  last_ = read.status.ok() ? read.page.last() : std::max(last_, read.key);
  if (read.status.ok()) ask_for_bodies(read, window);
}

// Behind a block that cannot be read a cursor goes on with newer tables, as if all that is older
// were not there, and says nothing. The index of streams knows the pages up to `last`; each is then
// asked for by itself. Whether there are any; each hole is looked into once.
bool ReadAhead::look_into_hole(std::uint64_t last) {
  if (last <= looked_) return false;
  looked_ = last;
  std::set<std::uint64_t, std::greater<>> keys;
  auto index = log_.rocks().cursor(Family::streams, Rocks::Fill::scan);
  for (index.seek(""); index.valid(); index.next()) {
    const auto entry = format::StreamIndexEntry::parse(index.key(), index.value());
    const std::uint64_t key = entry ? entry->page_last_sequence : 0;
    if (key > last_ && key <= last) keys.insert(key);
  }
  hole_.assign(keys.begin(), keys.end());
  unreadable_from_ = 0;
  return !hole_.empty();
}

// Pages in a row that cannot be read are one: mostly they lie in one block.
std::size_t ReadAhead::read_from_hole(Window& window) {
  const std::uint64_t key = hole_.back();
  hole_.pop_back();
  const auto stored = log_.rocks().get(Family::log, format::log_key(key));
  if (stored.ok() && !*stored) return 0;  // gone, which the next page tells
  const bool goes_on = !stored.ok() && unreadable_from_ != 0 && window.count > 0;
  ReadPage& read = goes_on ? window.pages[window.count - 1] : add(window, key);
  if (stored.ok()) {
    unreadable_from_ = 0;
    take(read, **stored);
    keep(read, window);
    return (*stored)->size();
  }
  if (!goes_on) unreadable_from_ = last_ + 1;
  read.key = key;
  read.status =
      Error{stored.error().code, fmt::format("@{} to @{} cannot be read where they lie: {}",
                                             unreadable_from_, key, stored.error().what)};
  last_ = std::max(last_, key);
  return 0;
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
