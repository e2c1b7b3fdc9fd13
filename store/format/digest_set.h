// The digests that were met so far, for walks that meet a million of them: the first half of each,
// side by side in one table. Half a digest is 128 bits of a hash, as good a name as the whole. A
// node a digest, as std::unordered_set has it, takes four times the room and, since no two lie
// together, several times as long.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include "pievt/event.h"

namespace pievt {

class DigestSet {
 public:
  /// True: it was not there yet.
  bool insert(const schema::Digest& digest) {
    Half half{};
    std::memcpy(half.data(), &digest, sizeof(half));
    if (half == empty) return !std::exchange(has_empty_, true);
    if (2 * (size_ + 1) > slots_.size()) grow();
    Half& slot = slot_of(slots_, half);
    if (slot == half) return false;
    slot = half;
    ++size_;
    return true;
  }

  std::size_t size() const { return size_ + (has_empty_ ? 1 : 0); }

 private:
  using Half = std::array<std::uint64_t, 2>;
  static constexpr Half empty{};

  // Where it is, or would be. There is always an empty slot. Digests are spread evenly already.
  static Half& slot_of(std::vector<Half>& slots, const Half& half) {
    const std::size_t mask = slots.size() - 1;
    std::size_t at = half[0] & mask;
    while (slots[at] != half && slots[at] != empty) at = (at + 1) & mask;
    return slots[at];
  }

  void grow() {
    std::vector<Half> larger(slots_.empty() ? 64 : 2 * slots_.size());
    for (const Half& half : slots_) {
      if (half != empty) slot_of(larger, half) = half;
    }
    slots_ = std::move(larger);
  }

  std::vector<Half> slots_;  ///< a power of two of them, at most half of them taken
  std::size_t size_ = 0;
  bool has_empty_ = false;
};

}  // namespace pievt
