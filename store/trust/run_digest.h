// What makes two copies of a run the same: one digest over all events, whether they lie in a store,
// in a sealed file or come out of an export.
#pragma once

#include "pievt/event.h"
#include "store/format/hash.h"

namespace pievt {

/// SHA-256 over every event of a run, in order: revision, recorded_ns, actor and size of the body
/// as little-endian numbers of 8 bytes, then the body.
class RunDigest {
 public:
  void add(const EventView& event) {
    const std::array<std::uint64_t, 4> head = {event.stamp->revision(), event.stamp->wall_ns(),
                                               event.stamp->actor(), event.body.size()};
    sum_.update(std::as_bytes(std::span(head)));
    sum_.update(event.body);
  }
  Digest finish() { return sum_.finish(); }

 private:
  Sha256 sum_;
};

}  // namespace pievt
