// Between an event as a value and its body as bytes. The only place where payloads are packed and
// bodies verified.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "pievt/event.h"
#include "pievt/log.h"
#include "store/format/hash.h"

namespace pievt::format {

/// Encodes bodies one after the other, reusing its memory.
class BodyEncoder {
 public:
  /// Appends the body of `event`, padded to 8, to `out` and returns its size without padding.
  std::size_t append(const NewEvent& event, std::vector<std::byte>& out);

 private:
  flatbuffers::FlatBufferBuilder builder_{1024};
};

/// The envelope in `body`, or null when the bytes are not one. `body` must be aligned to 8. An
/// event of an unknown type passes: whether it is known is a question of EventView::known().
const schema::Envelope* verified_envelope(std::span<const std::byte> body);

}  // namespace pievt::format

namespace pievt {

/// An append, cut into segments that fit pages.
struct EncodedAppend::Impl {
  struct Stream {
    std::string name;
    Expected expected = Expected::any();
    std::uint32_t event_count = 0;
  };
  struct Event {
    std::uint32_t stream;  ///< index into streams
    std::uint32_t body_bytes;
  };
  struct Segment {
    std::size_t first_event, event_count;
    std::size_t first_byte, byte_count;
    Digest body_hash;
  };
  AppendId id;
  Durability durability = Durability::fsync;
  std::chrono::milliseconds wait = limits::append_wait_default;  ///< of the caller's options
  std::vector<Stream> streams;
  std::vector<Event> events;
  std::vector<Segment> segments;
  std::vector<std::byte> bodies;
  /// What makes two appends the same: SHA-256 of the expectations and of every segment's body hash.
  Digest request_hash{};

  /// Puts together again what came from another process. Everything that encode() promises is
  /// checked (`segments` and `request_hash` are made anew): Errc::invalid otherwise.
  static Result<EncodedAppend> assemble(Impl parts);

  std::span<const std::byte> bodies_of(const Segment& segment) const {
    return std::span(bodies).subspan(segment.first_byte, segment.byte_count);
  }
};

}  // namespace pievt
