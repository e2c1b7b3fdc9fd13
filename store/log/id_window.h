// Which append ids are new for certain, without asking the index.
//
// Ids are UUIDs of version 7, so nearly every new append has one above all that were ever used but
// the latest few thousand, of which the random halves are kept here. The index is asked about what
// lies below them, and about ids of another kind or of a clock that was set back.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

#include "pievt/ids.h"

namespace pievt {

/// Used by one thread at a time.
class IdWindow {
 public:
  /// `highest`: of all ids that the index has; zeros where it has none.
  explicit IdWindow(const AppendId& highest) : floor_(highest) {}

  /// False: it was never used before. True: it may have been.
  bool may_be_known(const AppendId& id) const {
    return id <= floor_ || newer_->contains(id) || older_->contains(id);
  }

  /// It is used now.
  void add(const AppendId& id) {
    if (id <= floor_) return;
    newer_->add(id);
    if (newer_->count < generation_max) return;
    floor_ = std::max(floor_, older_->highest);
    std::swap(newer_, older_);
    *newer_ = {};
  }

  /// More than can be on their way at once, so that the floor stays below whatever comes next.
  static constexpr std::size_t generation_max = 2048;

 private:
  // Random halves, each at the first free place behind where it belongs; 0 is free.
  struct Generation {
    std::array<std::uint64_t, 2 * generation_max> places{};
    std::size_t count = 0;
    AppendId highest;

    static std::uint64_t random_half(const AppendId& id) {
      std::uint64_t half = 0;
      std::memcpy(&half, id.bytes.data() + sizeof(half), sizeof(half));
      return half == 0 ? 1 : half;
    }
    // The lowest byte has the bits of the UUID's variant, which are the same in all.
    static std::size_t first_place(std::uint64_t half) {
      return (half >> 16) % (2 * generation_max);
    }
    static std::size_t next_place(std::size_t place) { return (place + 1) % (2 * generation_max); }

    bool contains(const AppendId& id) const {
      const std::uint64_t half = random_half(id);
      for (std::size_t at = first_place(half); places[at] != 0; at = next_place(at))
        if (places[at] == half) return true;
      return false;
    }
    void add(const AppendId& id) {
      const std::uint64_t half = random_half(id);
      std::size_t at = first_place(half);
      while (places[at] != 0) at = next_place(at);
      places[at] = half;
      ++count;
      highest = std::max(highest, id);
    }
  };

  AppendId floor_;  ///< up to here the index knows; above it, the generations are all there is
  std::unique_ptr<Generation> newer_ = std::make_unique<Generation>();
  std::unique_ptr<Generation> older_ = std::make_unique<Generation>();
};

}  // namespace pievt
