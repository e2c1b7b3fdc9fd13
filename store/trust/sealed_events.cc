#include "store/trust/sealed_events.h"

#include <array>
#include <cstring>

#include <fmt/format.h>

#include "pievt/limits.h"
#include "store/format/codec.h"
#include "store/format/page.h"

namespace pievt::sealed {
namespace {

// Seven bits a byte, the lowest first; the highest bit says that more follow.
void put_number(std::vector<std::byte>& to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) to.push_back(static_cast<std::byte>(value | 0x80));
  to.push_back(static_cast<std::byte>(value));
}

// Small numbers of either sign become small numbers.
std::uint64_t folded(std::uint64_t difference) {
  return difference << 1 ^ (difference >> 63 != 0 ? ~std::uint64_t{0} : 0);
}
std::uint64_t unfolded(std::uint64_t value) {
  return value >> 1 ^ ((value & 1) != 0 ? ~std::uint64_t{0} : 0);
}

void put_raw(std::vector<std::byte>& to, const void* from, std::size_t size) {
  const auto* bytes = static_cast<const std::byte*>(from);
  to.insert(to.end(), bytes, bytes + size);
}

// In front of an append id that begins; 0 stands for the next event of the same append.
constexpr std::uint64_t new_append = 1;

class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : left_(bytes) {}

  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (left_.empty()) break;
      const auto byte = static_cast<std::uint64_t>(left_.front());
      left_ = left_.subspan(1);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    failed_ = true;
    return 0;
  }
  std::span<const std::byte> take(std::size_t size) {
    if (size > left_.size()) {
      failed_ = true;
      return {};
    }
    const auto taken = left_.first(size);
    left_ = left_.subspan(size);
    return taken;
  }
  bool failed() const { return failed_; }
  bool at_end() const { return left_.empty(); }

 private:
  std::span<const std::byte> left_;
  bool failed_ = false;
};

Error damaged(std::string_view what) {
  return {Errc::corrupt, fmt::format("a frame of events of the sealed run is damaged: {}", what)};
}

struct Columns {
  std::vector<std::uint64_t> walls, clocks, actors, flags, sizes;
  std::vector<EventId> ids;
};

bool read_columns(Reader& from, std::uint32_t count, Columns& to) {
  const auto column = [&](std::vector<std::uint64_t>& values) {
    values.resize(count);
    for (std::uint64_t& value : values) value = from.number();
  };
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
  const std::uint64_t wall = stamp.wall_ns() - wall_;
  put_number(walls_, folded(wall));
  put_number(clocks_, folded(stamp.monotonic_ns() - monotonic_ - wall));
  wall_ = stamp.wall_ns();
  monotonic_ = stamp.monotonic_ns();
  put_number(actors_, stamp.actor());
  put_number(flags_, stamp.flags());
  const bool follows =
      count_ > 0 && event.id.append == last_.append && event.id.index == last_.index + 1;
  put_number(appends_, follows ? 0 : new_append);
  if (!follows) {
    put_raw(appends_, event.id.append.bytes.data(), event.id.append.bytes.size());
    put_number(appends_, event.id.index);
  }
  last_ = event.id;
  put_number(sizes_, event.body.size());
  bodies_.insert(bodies_.end(), event.body.begin(), event.body.end());
  ++count_;
}

std::vector<std::byte> EventPacker::take() {
  std::vector<std::byte> content;
  put_number(content, first_);
  put_number(content, count_);
  for (const auto* column : {&walls_, &clocks_, &actors_, &flags_, &appends_, &sizes_, &bodies_})
    content.insert(content.end(), column->begin(), column->end());
  *this = EventPacker();
  return content;
}

Result<EventPage> EventPage::parse(std::span<const std::byte> content, std::uint64_t first,
                                   std::uint32_t count) {
  Reader from(content);
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
  std::uint64_t wall = 0, monotonic = 0;
  std::size_t at = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint64_t step = unfolded(columns.walls[i]);
    wall += step;
    monotonic += unfolded(columns.clocks[i]) + step;
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
    // A run is all there is here, so its revisions are the sequence.
    page.events.push_back({{first + i}, nullptr, envelope, body, columns.ids[i]});
  }
  if (!from.at_end()) return damaged("there is more in it than events");
  for (std::uint32_t i = 0; i < count; ++i) page.events[i].stamp = &page.stamps[i];
  return page;
}

void StampsDigest::add(const EventView& event) {
  const std::array<std::uint64_t, 3> numbers = {event.stamp->monotonic_ns(), event.stamp->flags(),
                                                event.id.index};
  sum_.update(std::as_bytes(std::span(numbers)));
  sum_.update(std::span(event.id.append.bytes));
}

}  // namespace pievt::sealed
