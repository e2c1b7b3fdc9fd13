#include "store/trust/sealed_events.h"

#include <array>
#include <cstring>

#include <fmt/format.h>

#include "pievt/limits.h"
#include "store/format/codec.h"
#include "store/format/varint.h"

namespace pievt::sealed {
namespace {

void put_raw(std::vector<std::byte>& to, const void* from, std::size_t size) {
  const auto* bytes = static_cast<const std::byte*>(from);
  to.insert(to.end(), bytes, bytes + size);
}

// In front of an append id that begins; 0 stands for the next event of the same append.
constexpr std::uint64_t new_append = 1;

Error damaged(std::string_view what) {
  return {Errc::corrupt, fmt::format("a frame of events of the sealed run is damaged: {}", what)};
}

struct Columns {
  std::vector<std::uint64_t> sequences, walls, clocks, actors, flags, sizes;
  std::vector<EventId> ids;
};

bool read_columns(varint::Reader& from, std::uint32_t count, Columns& to) {
  const auto column = [&](std::vector<std::uint64_t>& values) {
    values.resize(count);
    for (std::uint64_t& value : values) value = from.number();
  };
  column(to.sequences);
  column(to.walls);
  column(to.clocks);
  column(to.actors);
  column(to.flags);
  EventId id;
  to.ids.reserve(count);
  for (std::uint32_t i = 0; i < count && !from.failed(); ++i) {
    if (from.number() == new_append) {
      const auto bytes = from.take(sizeof(id.append.bytes));
      if (!bytes.empty()) std::memcpy(id.append.bytes.data(), bytes.data(), bytes.size());
      id.index = static_cast<std::uint32_t>(from.number());
    } else {
      ++id.index;
    }
    to.ids.push_back(id);
  }
  column(to.sizes);
  return !from.failed();
}

}  // namespace

void EventPacker::add(const EventView& event) {
  const schema::Stamp& stamp = *event.stamp;
  if (count_ == 0) first_ = stamp.revision();
  varint::put(sequences_, varint::folded(event.sequence.value - sequence_));
  sequence_ = event.sequence.value;
  const std::uint64_t wall = stamp.wall_ns() - wall_;
  varint::put(walls_, varint::folded(wall));
  varint::put(clocks_, varint::folded(stamp.monotonic_ns() - monotonic_ - wall));
  wall_ = stamp.wall_ns();
  monotonic_ = stamp.monotonic_ns();
  varint::put(actors_, stamp.actor());
  varint::put(flags_, stamp.flags());
  const bool follows =
      count_ > 0 && event.id.append == last_.append && event.id.index == last_.index + 1;
  varint::put(appends_, follows ? 0 : new_append);
  if (!follows) {
    put_raw(appends_, event.id.append.bytes.data(), event.id.append.bytes.size());
    varint::put(appends_, event.id.index);
  }
  last_ = event.id;
  varint::put(sizes_, event.body.size());
  bodies_.insert(bodies_.end(), event.body.begin(), event.body.end());
  ++count_;
}

std::vector<std::byte> EventPacker::take() {
  std::vector<std::byte> content;
  varint::put(content, first_);
  varint::put(content, count_);
  for (const auto* column :
       {&sequences_, &walls_, &clocks_, &actors_, &flags_, &appends_, &sizes_, &bodies_})
    content.insert(content.end(), column->begin(), column->end());
  *this = EventPacker();
  return content;
}

Result<EventPage> EventPage::parse(std::span<const std::byte> content, std::uint64_t first,
                                   std::uint32_t count) {
  varint::Reader from(content);
  if (from.number() != first || from.number() != count || count > content.size())
    return damaged("it is not the one that belongs here");
  Columns columns;
  if (!read_columns(from, count, columns)) return damaged("it ends too early");

  std::size_t words = 0;
  for (const std::uint64_t size : columns.sizes) {
    if (size > limits::event_bytes_max) return damaged("an event is too large");
    words += (size + 7) / 8;
  }
  EventPage page;
  page.words.resize(words);
  page.stamps.reserve(count);
  page.events.reserve(count);
  std::uint64_t sequence = 0, wall = 0, monotonic = 0;
  std::size_t at = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    sequence += varint::unfolded(columns.sequences[i]);
    const std::uint64_t step = varint::unfolded(columns.walls[i]);
    wall += step;
    monotonic += varint::unfolded(columns.clocks[i]) + step;
    if (columns.actors[i] > UINT32_MAX || columns.flags[i] > UINT32_MAX)
      return damaged("a stamp holds what it cannot");
    const auto size = static_cast<std::uint32_t>(columns.sizes[i]);
    const auto stored = from.take(size);
    if (from.failed()) return damaged("it ends too early");
    const auto body = std::as_writable_bytes(std::span(page.words).subspan(at)).first(size);
    if (size > 0) std::memcpy(body.data(), stored.data(), size);
    at += (size + std::size_t{7}) / 8;
    const schema::Envelope* envelope = format::verified_envelope(body);
    if (envelope == nullptr) return damaged(fmt::format("#{} is no event", first + i));
    page.stamps.emplace_back(0, static_cast<std::uint32_t>(columns.actors[i]), first + i, wall,
                             monotonic, size, static_cast<std::uint32_t>(columns.flags[i]));
    page.events.push_back({{sequence}, nullptr, envelope, body, columns.ids[i]});
  }
  if (!from.at_end()) return damaged("there is more in it than events");
  for (std::uint32_t i = 0; i < count; ++i) page.events[i].stamp = &page.stamps[i];
  return page;
}

void StampsDigest::add(const EventView& event) {
  const std::array<std::uint64_t, 4> numbers = {event.sequence.value, event.stamp->monotonic_ns(),
                                                event.stamp->flags(), event.id.index};
  sum_.update(std::as_bytes(std::span(numbers)));
  sum_.update(std::span(event.id.append.bytes));
}

}  // namespace pievt::sealed
