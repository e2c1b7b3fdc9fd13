#include "store/format/codec.h"

#include <cstring>

#include <fmt/format.h>

#include "pievt/limits.h"
#include "store/format/page.h"

namespace pievt {
namespace format {

std::size_t BodyEncoder::append(const NewEvent& event, std::vector<std::byte>& out) {
  builder_.Clear();
  const flatbuffers::Offset<void> payload = event.payload.pack(builder_);
  const Subject& s = event.subject;
  const schema::Head head(event.cause.causation.value, event.cause.correlation.value,
                          event.occurred_ns, 0, 0, s.job, s.attempt, s.gate, s.worker, s.artifact,
                          s.message, 0, 0);
  schema::FinishEnvelopeBuffer(
      builder_, schema::CreateEnvelope(builder_, &head, event.payload.type(), payload));
  const std::size_t size = builder_.GetSize();
  const auto* bytes = reinterpret_cast<const std::byte*>(builder_.GetBufferPointer());
  out.insert(out.end(), bytes, bytes + size);
  out.resize(padded(out.size()));
  return size;
}

// Every event that is ever read comes through here, and the generated code is hundreds of small
// functions: flattened into this one it takes two thirds of the time. The identifier is compared as
// a number for the same reason.
[[gnu::flatten]] const schema::Envelope* verified_envelope(std::span<const std::byte> body) {
  if (body.size() < 8) return nullptr;
  if (std::memcmp(body.data() + 4, schema::EnvelopeIdentifier(), 4) != 0) return nullptr;
  flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(body.data()), body.size());
  if (!verifier.VerifyBuffer<schema::Envelope>(nullptr)) return nullptr;
  return schema::GetEnvelope(body.data());
}

}  // namespace format

namespace {

using Impl = EncodedAppend::Impl;

Status check_name(std::string_view name) {
  if (name.empty() || name.size() > limits::stream_name_bytes_max) {
    return Error{Errc::invalid, fmt::format("stream name has {} bytes; allowed are 1 to {}",
                                            name.size(), limits::stream_name_bytes_max)};
  }
  for (const char c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      return Error{Errc::invalid, "stream name has a control character; use printable text"};
    }
  }
  return {};
}

Status check_counts(std::size_t streams, std::size_t events) {
  if (streams == 0 || streams > limits::append_streams_max) {
    return Error{Errc::invalid, fmt::format("append names {} streams; allowed are 1 to {}", streams,
                                            limits::append_streams_max)};
  }
  if (events == 0)
    return Error{Errc::invalid, "append has no events; checking alone is not an append"};
  if (events > limits::append_events_max) {
    return Error{Errc::invalid, fmt::format("append has {} events; at most {} are allowed", events,
                                            limits::append_events_max)};
  }
  return {};
}

// `name_of(i)`: the name of the i-th stream.
template <class NameOf>
Status check_names(std::size_t streams, NameOf name_of) {
  for (std::size_t i = 0; i < streams; ++i) {
    PIEVT_TRY(check_name(name_of(i)));
    for (std::size_t j = 0; j < i; ++j) {
      if (name_of(j) == name_of(i)) {
        return Error{Errc::invalid, fmt::format("append names stream {} twice", name_of(i))};
      }
    }
  }
  return {};
}

Status check_request(std::span<const StreamEvents> streams) {
  std::size_t events = 0;
  for (const StreamEvents& stream : streams) events += stream.events.size();
  PIEVT_TRY(check_counts(streams.size(), events));
  return check_names(streams.size(),
                     [&](std::size_t i) { return std::string_view(streams[i].stream); });
}

Status encode_bodies(std::span<const StreamEvents> streams, Impl& to) {
  format::BodyEncoder encoder;
  for (std::uint32_t i = 0; i < streams.size(); ++i) {
    to.streams.push_back({streams[i].stream, streams[i].expected,
                          static_cast<std::uint32_t>(streams[i].events.size())});
    for (const NewEvent& event : streams[i].events) {
      const std::size_t size = encoder.append(event, to.bodies);
      if (size > limits::event_bytes_max) {
        return Error{
            Errc::invalid,
            fmt::format("{} has {} bytes; an event has at most {}: store the text as a blob",
                        type_name(event.payload.type()), size, limits::event_bytes_max)};
      }
      to.events.push_back({i, static_cast<std::uint32_t>(size)});
    }
    if (to.bodies.size() > limits::append_bytes_max) {
      return Error{Errc::invalid, fmt::format("append has more than {} bytes; split it",
                                              limits::append_bytes_max)};
    }
  }
  return {};
}

// Bodies that somebody else encoded: sizes that fill the bytes exactly, each one an event, in the
// order of their streams.
Status check_bodies(const Impl& append) {
  const auto refuse = [](std::string_view what) {
    return Error{Errc::invalid, fmt::format("append is malformed: {}", what)};
  };
  if (append.bodies.size() > limits::append_bytes_max) return refuse("it is too large");
  std::vector<std::uint32_t> counts(append.streams.size());
  std::uint32_t stream = 0;
  std::size_t at = 0;
  for (const Impl::Event& event : append.events) {
    if (event.stream >= counts.size() || event.stream < stream) return refuse("wrong stream");
    stream = event.stream;
    ++counts[stream];
    const std::size_t size = format::padded(event.body_bytes);
    if (event.body_bytes > limits::event_bytes_max || size > append.bodies.size() - at)
      return refuse("wrong size");
    const auto body = std::span(append.bodies).subspan(at, event.body_bytes);
    if (format::verified_envelope(body) == nullptr) return refuse("a body is no event");
    at += size;
  }
  if (at != append.bodies.size()) return refuse("bytes that belong to no event");
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] != append.streams[i].event_count) return refuse("wrong count of events");
  }
  return {};
}

void cut_segments(Impl& to) {
  std::size_t first = 0, first_byte = 0, byte = 0;
  const auto close = [&](std::size_t end) {
    to.segments.push_back({first, end - first, first_byte, byte - first_byte, {}});
    first = end;
    first_byte = byte;
  };
  for (std::size_t i = 0; i < to.events.size(); ++i) {
    const std::size_t size = format::padded(to.events[i].body_bytes);
    const std::size_t with =
        format::segment_bytes(to.streams.size(), i - first + 1, byte - first_byte + size);
    if (with > format::page_room) close(i);
    byte += size;
  }
  close(to.events.size());
  for (Impl::Segment& segment : to.segments) segment.body_hash = sha256(to.bodies_of(segment));
}

Digest hash_request(const Impl& append) {
  Sha256 hash;
  for (const Impl::Stream& stream : append.streams) {
    const std::uint64_t facts[] = {stream.expected.code(), stream.event_count, stream.name.size()};
    hash.update(std::as_bytes(std::span(facts)));
    hash.update(std::as_bytes(std::span(stream.name)));
  }
  for (const Impl::Segment& segment : append.segments) hash.update(segment.body_hash);
  return hash.finish();
}

}  // namespace

Result<EncodedAppend> EncodedAppend::encode(std::span<const StreamEvents> streams,
                                            const AppendOptions& options) {
  PIEVT_TRY(check_request(streams));
  auto impl = std::make_unique<Impl>();
  impl->id = options.id ? *options.id : new_append_id();
  impl->durability = options.durability;
  impl->wait = options.wait;
  PIEVT_TRY(encode_bodies(streams, *impl));
  cut_segments(*impl);
  impl->request_hash = hash_request(*impl);
  return EncodedAppend(std::move(impl));
}

Result<EncodedAppend> Impl::assemble(Impl parts) {
  PIEVT_TRY(check_counts(parts.streams.size(), parts.events.size()));
  PIEVT_TRY(check_names(parts.streams.size(),
                        [&](std::size_t i) { return std::string_view(parts.streams[i].name); }));
  PIEVT_TRY(check_bodies(parts));
  auto impl = std::make_unique<Impl>(std::move(parts));
  impl->segments.clear();
  cut_segments(*impl);
  impl->request_hash = hash_request(*impl);
  return EncodedAppend(std::move(impl));
}

EncodedAppend::EncodedAppend(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EncodedAppend::EncodedAppend(EncodedAppend&&) noexcept = default;
EncodedAppend& EncodedAppend::operator=(EncodedAppend&&) noexcept = default;
EncodedAppend::~EncodedAppend() = default;

}  // namespace pievt
