#include "store/trust/sealed_format.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "store/format/frame.h"
#include "store/format/reflect_json.h"

namespace pievt::sealed {
namespace {

constexpr std::uint8_t directory_version = 1;

// zstd's skippable frames: a magic number and a size in front.
constexpr std::uint32_t head_magic = 0x184D2A50, tail_magic = 0x184D2A51, seek_magic = 0x184D2A5E;
constexpr std::uint32_t seek_footer_magic = 0x8F92EAB1;
constexpr std::size_t seek_entry_bytes = 8;

constexpr std::size_t text_bytes_max = 64u << 10;

Error broken(std::string_view what) {
  return {Errc::corrupt, fmt::format("the directory of the sealed run is damaged: {}", what)};
}

void put(std::vector<std::byte>& to, const void* from, std::size_t size) {
  const auto* bytes = static_cast<const std::byte*>(from);
  to.insert(to.end(), bytes, bytes + size);
}

// Reads as many items as it says there are, if as many can be there. `smallest`: bytes of one.
template <class Item, class Read>
bool read_list(wire::FrameReader& from, std::vector<Item>& to, std::size_t smallest, Read read) {
  const auto count = from.number<std::uint64_t>();
  if (count > from.left() / smallest) return false;
  to.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) to.push_back(read());
  return true;
}

Digest read_digest(wire::FrameReader& from) {
  Digest digest{};
  from.raw(digest.data(), digest.size());
  return digest;
}

Frame read_frame(wire::FrameReader& from) {
  Frame frame;
  frame.section = static_cast<Section>(from.number<std::uint8_t>());
  frame.stored = from.number<std::uint32_t>();
  frame.raw = from.number<std::uint32_t>();
  frame.digest = read_digest(from);
  return frame;
}

Actor read_actor(wire::FrameReader& from) {
  Actor actor;
  actor.number = from.number<std::uint32_t>();
  actor.uid = from.number<std::uint32_t>();
  actor.pid = from.number<std::uint32_t>();
  actor.program = from.text(text_bytes_max);
  return actor;
}

Chunk read_chunk(wire::FrameReader& from) {
  Chunk chunk;
  chunk.number = from.number<std::uint32_t>();
  chunk.size = from.number<std::uint32_t>();
  chunk.revision = from.number<std::uint64_t>();
  return chunk;
}

Channel read_channel(wire::FrameReader& from) {
  Channel channel;
  channel.job = from.number<std::uint32_t>();
  channel.attempt = from.number<std::uint32_t>();
  channel.channel = from.number<std::uint8_t>();
  channel.told = from.number<std::uint64_t>();
  channel.address = from.number<std::uint64_t>();
  channel.digest = read_digest(from);
  // A list that cannot be there leaves the reader where it fails the whole.
  if (!read_list(from, channel.chunks, 16, [&] { return read_chunk(from); })) from.fail();
  return channel;
}

bool read_lists(wire::FrameReader& from, Directory& to) {
  return read_list(from, to.frames, 41, [&] { return read_frame(from); }) &&
         read_list(from, to.event_counts, 4, [&] { return from.number<std::uint32_t>(); }) &&
         read_list(from, to.schemas, 44,
                   [&] {
                     const auto name = from.number<std::uint64_t>();
                     const auto size = from.number<std::uint32_t>();
                     return SchemaEntry{name, size, read_digest(from)};
                   }) &&
         read_list(from, to.spans, 16,
                   [&] {
                     const auto first = from.number<std::uint64_t>();
                     return SchemaSpan{first, from.number<std::uint64_t>()};
                   }) &&
         read_list(from, to.actors, 16, [&] { return read_actor(from); }) &&
         read_list(from, to.channels, 65, [&] { return read_channel(from); });
}

// What a directory promises of itself: its numbers add up.
Status check(const Directory& directory) {
  std::uint64_t event_frames = 0, events = 0;
  for (const Frame& frame : directory.frames) event_frames += frame.section == Section::events;
  for (const std::uint32_t count : directory.event_counts) events += count;
  if (event_frames != directory.event_counts.size() || events != directory.events)
    return broken("its events do not add up");
  if (directory.events == 0) return broken("there are no events");
  if (!std::ranges::is_sorted(directory.spans, std::ranges::less_equal{}, &SchemaSpan::first))
    return broken("its schemas are not in order");
  for (const Channel& channel : directory.channels)
    if (channel.chunks.size() > channel.told) return broken("there are chunks nobody tells of");
  return {};
}

}  // namespace

std::vector<std::byte> to_bytes(const Directory& directory) {
  wire::FrameWriter out(directory_version);
  const auto put_digest = [&](const Digest& digest) { out.raw(digest.data(), digest.size()); };
  out.text(directory.pievt_version);
  out.text(directory.run_id);
  out.text(directory.origin);
  out.number(directory.events);
  put_digest(directory.events_digest);
  put_digest(directory.stamps_digest);
  for (const std::uint64_t count :
       {directory.texts, directory.text_bytes, directory.texts_missing, directory.chunks_missing})
    out.number(count);
  out.number<std::uint64_t>(directory.frames.size());
  for (const Frame& frame : directory.frames) {
    out.number(frame.section);
    out.number(frame.stored);
    out.number(frame.raw);
    put_digest(frame.digest);
  }
  out.number<std::uint64_t>(directory.event_counts.size());
  for (const std::uint32_t count : directory.event_counts) out.number(count);
  out.number<std::uint64_t>(directory.schemas.size());
  for (const SchemaEntry& schema : directory.schemas) {
    out.number(schema.name);
    out.number(schema.size);
    put_digest(schema.digest);
  }
  out.number<std::uint64_t>(directory.spans.size());
  for (const SchemaSpan& span : directory.spans) {
    out.number(span.first);
    out.number(span.name);
  }
  out.number<std::uint64_t>(directory.actors.size());
  for (const Actor& actor : directory.actors) {
    out.number(actor.number);
    out.number(actor.uid);
    out.number(actor.pid);
    out.text(actor.program);
  }
  out.number<std::uint64_t>(directory.channels.size());
  for (const Channel& channel : directory.channels) {
    out.number(channel.job);
    out.number(channel.attempt);
    out.number(channel.channel);
    out.number(channel.told);
    out.number(channel.address);
    put_digest(channel.digest);
    out.number<std::uint64_t>(channel.chunks.size());
    for (const Chunk& chunk : channel.chunks) {
      out.number(chunk.number);
      out.number(chunk.size);
      out.number(chunk.revision);
    }
  }
  wire::Frame bytes = std::move(out).frame();
  bytes.erase(bytes.begin(), bytes.begin() + wire::frame_prefix_bytes);
  return bytes;
}

Result<Directory> parse_directory(std::span<const std::byte> bytes) {
  wire::FrameReader from(bytes);
  const auto version = from.number<std::uint8_t>();
  if (version > directory_version)
    return Error{Errc::too_new, "a later version sealed this run; use that to read it"};
  Directory found;
  found.pievt_version = from.text(text_bytes_max);
  found.run_id = from.text(text_bytes_max);
  found.origin = from.text(text_bytes_max);
  found.events = from.number<std::uint64_t>();
  found.events_digest = read_digest(from);
  found.stamps_digest = read_digest(from);
  found.texts = from.number<std::uint64_t>();
  found.text_bytes = from.number<std::uint64_t>();
  found.texts_missing = from.number<std::uint64_t>();
  found.chunks_missing = from.number<std::uint64_t>();
  if (version != directory_version || !read_lists(from, found) || !from.whole())
    return broken("it is not what a directory is");
  PIEVT_TRY(check(found));
  return found;
}

std::string manifest_of(const Directory& directory) {
  constexpr std::string_view names[] = {"",       "dictionary", "schemas", "texts",
                                        "output", "events",     "index"};
  std::uint64_t frames[std::size(names)] = {}, stored[std::size(names)] = {},
                raw[std::size(names)] = {};
  for (const Frame& frame : directory.frames) {
    const auto section = static_cast<std::size_t>(frame.section);
    if (section >= std::size(names)) continue;
    ++frames[section];
    stored[section] += frame.stored;
    raw[section] += frame.raw;
  }
  reflect::JsonWriter json({.layout = reflect::JsonStyle::Layout::pretty,
                            .large_numbers = reflect::JsonStyle::LargeNumbers::as_numbers});
  const auto text = [&](std::string_view name, std::string_view value) {
    json.key(name);
    json.value(value);
  };
  const auto number = [&](std::string_view name, std::uint64_t value) {
    json.key(name);
    json.value(value);
  };
  json.begin_object();
  text("schema", "pievt.sealed");
  number("schema_version", 1);
  text("run", directory.run_id);
  text("origin", directory.origin);
  text("pievt_version", directory.pievt_version);
  number("events", directory.events);
  text("events_sha256", hex(directory.events_digest));
  number("texts", directory.texts);
  number("text_bytes", directory.text_bytes);
  number("texts_missing", directory.texts_missing);
  number("output_channels", directory.channels.size());
  number("output_chunks_missing", directory.chunks_missing);
  json.key("sections");
  json.begin_object();
  for (std::size_t i = 1; i < std::size(names); ++i) {
    if (frames[i] == 0) continue;
    json.key(names[i]);
    json.begin_object();
    number("frames", frames[i]);
    number("stored_bytes", stored[i]);
    number("bytes", raw[i]);
    json.end_object();
  }
  json.end_object();
  json.end_object();
  return json.take() + "\n";
}

void put_entry(std::vector<std::byte>& to, const IndexEntry& entry) {
  put(to, entry.key.data(), entry.key.size());
  put(to, &entry.address, sizeof(entry.address));
  put(to, &entry.size, sizeof(entry.size));
  put(to, entry.digest.data(), entry.digest.size());
}

IndexEntry entry_at(std::span<const std::byte, index_entry_bytes> bytes) {
  IndexEntry entry;
  wire::FrameReader from(bytes);
  from.raw(entry.key.data(), entry.key.size());
  entry.address = from.number<std::uint64_t>();
  entry.size = from.number<std::uint64_t>();
  from.raw(entry.digest.data(), entry.digest.size());
  return entry;
}

std::array<std::byte, head_bytes> head() {
  std::array<std::byte, head_bytes> bytes{};
  const auto size = static_cast<std::uint32_t>(head_text.size());
  std::memcpy(bytes.data(), &head_magic, 4);
  std::memcpy(bytes.data() + 4, &size, 4);
  std::memcpy(bytes.data() + 8, head_text.data(), head_text.size());
  return bytes;
}

bool is_later_head(std::span<const std::byte> bytes) {
  const auto ours = head();
  const std::size_t same = 8 + head_text.find('1');
  return bytes.size() >= ours.size() &&
         std::ranges::equal(bytes.first(same), std::span(ours).first(same)) &&
         !std::ranges::equal(bytes.first(std::min(bytes.size(), ours.size())), ours);
}

std::array<std::byte, tail_bytes> to_bytes(const Tail& tail) {
  std::array<std::byte, tail_bytes> bytes{};
  constexpr std::uint32_t size = tail_bytes - 8;
  std::memcpy(bytes.data(), &tail_magic, 4);
  std::memcpy(bytes.data() + 4, &size, 4);
  std::memcpy(bytes.data() + 8, &tail.directory, 8);
  std::memcpy(bytes.data() + 16, &tail.stored, 4);
  std::memcpy(bytes.data() + 20, &tail.raw, 4);
  std::memcpy(bytes.data() + 24, tail.digest.data(), tail.digest.size());
  return bytes;
}

Result<Tail> parse_tail(std::span<const std::byte> bytes) {
  wire::FrameReader from(bytes);
  const auto magic = from.number<std::uint32_t>();
  const auto size = from.number<std::uint32_t>();
  Tail tail;
  tail.directory = from.number<std::uint64_t>();
  tail.stored = from.number<std::uint32_t>();
  tail.raw = from.number<std::uint32_t>();
  tail.digest = read_digest(from);
  if (!from.whole() || magic != tail_magic || size != tail_bytes - 8)
    return Error{Errc::corrupt, "the end of the sealed run is damaged, or was cut off"};
  return tail;
}

std::vector<std::byte> seek_table(const Directory& directory, const Tail& tail) {
  std::vector<std::byte> bytes;
  const auto word = [&](std::uint64_t value) {
    const auto narrow = static_cast<std::uint32_t>(value);
    put(bytes, &narrow, sizeof(narrow));
  };
  const std::uint64_t count = directory.frames.size() + 3;
  word(seek_magic);
  word(count * seek_entry_bytes + seek_footer_bytes);
  word(head_bytes);
  word(0);
  for (const Frame& frame : directory.frames) {
    word(frame.stored);
    word(frame.raw);
  }
  word(tail.stored);
  word(tail.raw);
  word(tail_bytes);
  word(0);
  word(count);
  bytes.push_back(std::byte{0});  // no checksums: each frame has its own
  word(seek_footer_magic);
  return bytes;
}

Result<std::uint64_t> seek_table_bytes(std::span<const std::byte, seek_footer_bytes> footer) {
  wire::FrameReader from(footer);
  const auto count = from.number<std::uint32_t>();
  const auto descriptor = from.number<std::uint8_t>();
  if (from.number<std::uint32_t>() != seek_footer_magic || descriptor != 0)
    return Error{Errc::corrupt, "the end of the sealed run is damaged, or was cut off"};
  return 8 + std::uint64_t{count} * seek_entry_bytes + seek_footer_bytes;
}

}  // namespace pievt::sealed
