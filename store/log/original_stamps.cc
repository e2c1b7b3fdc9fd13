// Stamps of events that were written in another store, as the bytes of a blob: a line that says
// what it is, then numbers, little-endian, and 24 bytes an event. zstd makes a fifth of it.
#include <cstring>

#include "pievt/bytes.h"
#include "pievt/run_source.h"

namespace pievt {
namespace {

constexpr std::string_view magic = "pievt stamps 1\n";

void put(std::string& out, std::uint64_t number) {
  for (int shift = 0; shift < 64; shift += 8) out.push_back(static_cast<char>(number >> shift));
}

// Reads what put() wrote; zeros, and `short_of`, behind the end.
struct Cursor {
  std::string_view rest;
  bool short_of = false;

  std::uint64_t number() {
    if (rest.size() < 8) {
      short_of = true;
      rest = {};
      return 0;
    }
    std::uint64_t value = 0;
    std::memcpy(&value, rest.data(), 8);
    rest.remove_prefix(8);
    return value;
  }
  std::string text() {
    const std::uint64_t size = number();
    if (size > rest.size()) {
      short_of = true;
      return {};
    }
    std::string value(rest.substr(0, size));
    rest.remove_prefix(size);
    return value;
  }
};

constexpr std::uint64_t stamp_bytes = 24;

}  // namespace

std::vector<std::byte> OriginalStamps::to_bytes() const {
  std::string out(magic);
  put(out, first.value);
  put(out, actors.size());
  for (const Actor& actor : actors) {
    put(out, actor.number);
    put(out, actor.uid);
    put(out, actor.pid);
    put(out, actor.program.size());
    out += actor.program;
  }
  put(out, stamps.size());
  for (const OriginalStamp& stamp : stamps) {
    put(out, stamp.wall_ns);
    put(out, stamp.monotonic_ns);
    put(out, std::uint64_t{static_cast<std::uint32_t>(stamp.time)} << 32 | stamp.actor);
  }
  const auto bytes = std::as_bytes(std::span(out));
  return {bytes.begin(), bytes.end()};
}

Result<OriginalStamps> OriginalStamps::from_bytes(std::span<const std::byte> bytes) {
  const Error damaged{Errc::corrupt, "the original stamps of an imported run are damaged"};
  Cursor cursor{text_of(bytes)};
  if (!cursor.rest.starts_with(magic)) return damaged;
  cursor.rest.remove_prefix(magic.size());
  OriginalStamps found;
  found.first = {cursor.number()};
  const std::uint64_t actors = cursor.number();
  for (std::uint64_t i = 0; i < actors && !cursor.short_of; ++i) {
    Actor actor;
    actor.number = static_cast<std::uint32_t>(cursor.number());
    actor.uid = static_cast<std::uint32_t>(cursor.number());
    actor.pid = static_cast<std::uint32_t>(cursor.number());
    actor.program = cursor.text();
    found.actors.push_back(std::move(actor));
  }
  const std::uint64_t count = cursor.number();
  if (cursor.short_of || count != cursor.rest.size() / stamp_bytes ||
      cursor.rest.size() % stamp_bytes != 0)
    return damaged;
  found.stamps.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    OriginalStamp stamp;
    stamp.wall_ns = cursor.number();
    stamp.monotonic_ns = cursor.number();
    const std::uint64_t last = cursor.number();
    stamp.actor = static_cast<std::uint32_t>(last);
    stamp.time = last >> 32 == 1 ? OriginalStamp::Told::by_stamp : OriginalStamp::Told::by_author;
    found.stamps.push_back(stamp);
  }
  return found;
}

}  // namespace pievt
