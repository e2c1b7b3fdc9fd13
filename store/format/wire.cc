#include "store/format/wire.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "store/format/page.h"
#include "store/format/reflect_check.h"
#include "store/format/frame.h"

namespace pievt::wire {
namespace {

static_assert(prefix_bytes == frame_prefix_bytes);

using Reader = FrameReader;
using Writer = FrameWriter;

enum class Kind : std::uint8_t { hello = 1, welcome, append, put, done, refused };

// A request begins with `kind number`, an append with `kind number epoch`.
constexpr std::size_t number_offset = prefix_bytes + 1;
constexpr std::size_t epoch_offset = number_offset + 8;

Error malformed(std::string_view what) {
  return {Errc::invalid, fmt::format("a message over the store's socket is malformed: {}", what)};
}

template <class T>
Result<Message> checked(const Reader& reader, T message, std::string_view name) {
  if (!reader.whole()) return malformed(name);
  return Message(std::move(message));
}

// The generated verifier lets pass what no builder makes (a string shared so often that the event
// unfolds to gigabytes); such an event would be in the log and could not be shown. What lies behind
// a type that a later version knows is not looked at.
Status check_shown(const EncodedAppend::Impl& append) {
  std::size_t at = 0;
  for (const EncodedAppend::Impl::Event& event : append.events) {
    const auto* body = reinterpret_cast<const std::uint8_t*>(append.bodies.data() + at);
    const Status fits =
        reflect::check_root(reflect::Schema::embedded_events(), {body, event.body_bytes});
    if (!fits.ok()) return malformed("append: " + fits.error().what);
    at += format::padded(event.body_bytes);
  }
  return {};
}

Result<Message> parse_append(Reader& reader) {
  const auto number = reader.number<std::uint64_t>();
  const auto epoch = reader.number<std::uint64_t>();
  EncodedAppend::Impl parts;
  Digest claimed{};
  reader.raw(parts.id.bytes.data(), parts.id.bytes.size());
  reader.raw(claimed.data(), claimed.size());
  const auto durability = reader.number<std::uint8_t>();
  if (durability < 1 || durability > 3) return malformed("append: unknown durability");
  parts.durability = static_cast<Durability>(durability);
  const auto streams = reader.number<std::uint32_t>();
  const auto events = reader.number<std::uint32_t>();
  if (streams > limits::append_streams_max || events > limits::append_events_max)
    return malformed("append: too many streams or events");
  for (std::uint32_t i = 0; i < streams; ++i) {
    EncodedAppend::Impl::Stream stream;
    stream.expected = Expected::from_code(reader.number<std::uint64_t>());
    stream.event_count = reader.number<std::uint32_t>();
    stream.name = reader.text(limits::stream_name_bytes_max);
    parts.streams.push_back(std::move(stream));
  }
  for (std::uint32_t i = 0; i < events && reader.left() > 0; ++i) {
    const auto stream = reader.number<std::uint32_t>();
    parts.events.push_back({stream, reader.number<std::uint32_t>()});
  }
  const auto bodies = reader.rest();
  parts.bodies.assign(bodies.begin(), bodies.end());
  if (!reader.whole()) return malformed("append: it ends too early");
  EncodedAppend append = PIEVT_TRY(EncodedAppend::Impl::assemble(std::move(parts)));
  if (append.impl().request_hash != claimed) return malformed("append: it was changed on its way");
  PIEVT_TRY(check_shown(append.impl()));
  return Message(Append{number, epoch, std::move(append)});
}

Result<Message> parse_put(Reader& reader) {
  Put put;
  put.number = reader.number<std::uint64_t>();
  put.shelf = static_cast<Shelf>(reader.number<std::uint8_t>());
  put.key = reader.text(frame_bytes_max);
  put.value = reader.text(frame_bytes_max);
  if (put.shelf != Shelf::blobs && put.shelf != Shelf::projections)
    return malformed("put: unknown shelf");
  return checked(reader, std::move(put), "put");
}

Result<Message> parse_done(Reader& reader) {
  Done done;
  done.number = reader.number<std::uint64_t>();
  Appended& appended = done.appended;
  appended.outcome =
      reader.number<std::uint8_t>() == 0 ? AppendOutcome::written : AppendOutcome::already_there;
  reader.raw(appended.id.bytes.data(), appended.id.bytes.size());
  appended.first = {reader.number<std::uint64_t>()};
  appended.last = {reader.number<std::uint64_t>()};
  const auto streams = reader.number<std::uint32_t>();
  if (streams > limits::append_streams_max) return malformed("done: too many streams");
  for (std::uint32_t i = 0; i < streams; ++i) {
    const Revision first{reader.number<std::uint64_t>()};
    appended.streams.push_back({first, {reader.number<std::uint64_t>()}});
  }
  return checked(reader, std::move(done), "done");
}

Result<Message> parse_refused(Reader& reader) {
  Refused refused{};
  refused.number = reader.number<std::uint64_t>();
  const auto code = reader.number<std::uint8_t>();
  if (code < 1 || code > static_cast<std::uint8_t>(Errc::io)) return malformed("refused: code");
  refused.error = {static_cast<Errc>(code), reader.text(frame_bytes_max)};
  return checked(reader, std::move(refused), "refused");
}

}  // namespace

Frame frame_of(const Hello& hello) {
  Writer out(Kind::hello);
  out.number(hello.protocol);
  out.raw(hello.store.data(), hello.store.size());
  out.text(hello.program);
  return std::move(out).frame();
}

Frame frame_of(const Welcome& welcome) {
  Writer out(Kind::welcome);
  out.number(welcome.epoch);
  out.number(welcome.actor);
  return std::move(out).frame();
}

Frame frame_of(const EncodedAppend::Impl& append) {
  Writer out(Kind::append);
  out.reserve(append.bodies.size() + append.events.size() * 8 + 256 * (append.streams.size() + 1));
  out.number(std::uint64_t{0});  // the number and the epoch are set when it is sent
  out.number(std::uint64_t{0});
  out.raw(append.id.bytes.data(), append.id.bytes.size());
  out.raw(append.request_hash.data(), append.request_hash.size());
  // `memory` is that of the process that asks, and the log is in another one's.
  out.number(static_cast<std::uint8_t>(std::max(append.durability, Durability::wal)));
  out.number(static_cast<std::uint32_t>(append.streams.size()));
  out.number(static_cast<std::uint32_t>(append.events.size()));
  for (const EncodedAppend::Impl::Stream& stream : append.streams) {
    out.number(stream.expected.code());
    out.number(stream.event_count);
    out.text(stream.name);
  }
  for (const EncodedAppend::Impl::Event& event : append.events) {
    out.number(event.stream);
    out.number(event.body_bytes);
  }
  out.raw(append.bodies.data(), append.bodies.size());
  return std::move(out).frame();
}

Frame frame_of(const Put& put) {
  Writer out(Kind::put);
  out.number(put.number);
  out.number(put.shelf);
  out.text(put.key);
  out.text(put.value);
  return std::move(out).frame();
}

Frame frame_of(const Done& done) {
  Writer out(Kind::done);
  out.number(done.number);
  const Appended& appended = done.appended;
  out.number(static_cast<std::uint8_t>(appended.outcome == AppendOutcome::written ? 0 : 1));
  out.raw(appended.id.bytes.data(), appended.id.bytes.size());
  out.number(appended.first.value);
  out.number(appended.last.value);
  out.number(static_cast<std::uint32_t>(appended.streams.size()));
  for (const StreamPosition& position : appended.streams) {
    out.number(position.first.value);
    out.number(position.last.value);
  }
  return std::move(out).frame();
}

Frame frame_of(const Refused& refused) {
  Writer out(Kind::refused);
  out.number(refused.number);
  out.number(static_cast<std::uint8_t>(refused.error.code));
  out.text(refused.error.what);
  return std::move(out).frame();
}

void set_number(Frame& request, std::uint64_t number) {
  PIEVT_ASSERT(request.size() >= number_offset + sizeof(number));
  std::memcpy(request.data() + number_offset, &number, sizeof(number));
}

void set_epoch(Frame& append, std::uint64_t epoch) {
  PIEVT_ASSERT(append.size() >= epoch_offset + sizeof(epoch));
  std::memcpy(append.data() + epoch_offset, &epoch, sizeof(epoch));
}

Result<std::optional<std::span<const std::byte>>> first_message(std::span<const std::byte> bytes) {
  std::optional<std::span<const std::byte>> none;
  if (bytes.size() < prefix_bytes) return none;
  std::uint32_t size = 0;
  std::memcpy(&size, bytes.data(), sizeof(size));
  if (size == 0 || size > frame_bytes_max) return malformed(fmt::format("length {}", size));
  if (bytes.size() - prefix_bytes < size) return none;
  return std::optional(bytes.subspan(prefix_bytes, size));
}

Result<Message> parse(std::span<const std::byte> message) {
  Reader reader(message);
  switch (reader.number<Kind>()) {
    case Kind::hello: {
      Hello hello;
      hello.protocol = reader.number<std::uint32_t>();
      reader.raw(hello.store.data(), hello.store.size());
      hello.program = reader.text(256);
      return checked(reader, std::move(hello), "hello");
    }
    case Kind::welcome: {
      Welcome welcome;
      welcome.epoch = reader.number<std::uint64_t>();
      welcome.actor = reader.number<std::uint32_t>();
      return checked(reader, welcome, "welcome");
    }
    case Kind::append:
      return parse_append(reader);
    case Kind::put:
      return parse_put(reader);
    case Kind::done:
      return parse_done(reader);
    case Kind::refused:
      return parse_refused(reader);
  }
  return malformed("unknown kind");
}

}  // namespace pievt::wire
