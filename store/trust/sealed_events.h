// A frame of events of a sealed run: stamps as columns of differences, then bodies as they are.
//
// What lies beside each other is alike that way, and the two clocks, which go side by side, are one
// number. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "pievt/event.h"
#include "pievt/result.h"
#include "store/format/hash.h"

namespace pievt::sealed {

/// How many events one frame has at most, so that reading one event stays cheap.
inline constexpr std::uint32_t frame_events_max = 256;
/// How many bytes of bodies close a frame.
inline constexpr std::size_t frame_event_bytes = 1u << 20;

/// Collects events for a frame.
class EventPacker {
 public:
  void add(const EventView& event);
  bool full() const { return count_ >= frame_events_max || bodies_.size() >= frame_event_bytes; }
  std::uint32_t count() const { return count_; }
  /// The frame's content; begins anew.
  std::vector<std::byte> take();

 private:
  std::uint32_t count_ = 0;
  std::uint64_t first_ = 0, sequence_ = 0, wall_ = 0, monotonic_ = 0;
  EventId last_;
  std::vector<std::byte> sequences_, walls_, clocks_, actors_, flags_, appends_, sizes_, bodies_;
};

/// A frame that was read.
struct EventPage {
  std::vector<std::uint64_t> words;  ///< bodies, each at a multiple of 8
  std::vector<schema::Stamp> stamps;
  std::vector<EventView> events;  ///< point into the other two

  /// corrupt: not what EventPacker gives, or a body is no event. The revisions must begin at
  /// `first`.
  static Result<EventPage> parse(std::span<const std::byte> content, std::uint64_t first,
                                 std::uint32_t count);
};

/// SHA-256 over what RunDigest leaves out: sequence, monotonic clock, flags, append and place in
/// it, as little-endian numbers of 8 bytes (the append as its 16 bytes), of each event.
class StampsDigest {
 public:
  void add(const EventView& event);
  Digest finish() { return sum_.finish(); }

 private:
  Sha256 sum_;
};

}  // namespace pievt::sealed
