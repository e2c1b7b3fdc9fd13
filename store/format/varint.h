// Numbers in as few bytes as they need: seven bits a byte, the lowest first; the highest bit says
// that more follow. For columns and lists that are packed by zstd afterwards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/bytes.h"

namespace pievt::varint {

inline void put(std::vector<std::byte>& to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) to.push_back(static_cast<std::byte>(value | 0x80));
  to.push_back(static_cast<std::byte>(value));
}

/// Its length and its bytes.
inline void put(std::vector<std::byte>& to, std::string_view text) {
  put(to, text.size());
  const auto bytes = std::as_bytes(std::span(text));
  to.insert(to.end(), bytes.begin(), bytes.end());
}

/// Small numbers of either sign as small numbers: 0, -1, 1, -2 are 0, 1, 2, 3.
inline std::uint64_t folded(std::uint64_t difference) {
  return difference << 1 ^ (difference >> 63 != 0 ? ~std::uint64_t{0} : 0);
}
inline std::uint64_t unfolded(std::uint64_t value) {
  return value >> 1 ^ ((value & 1) != 0 ? ~std::uint64_t{0} : 0);
}

/// Reads on as long as there is something; afterwards everything is zero and failed() says so.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> bytes) : left_(bytes) {}

  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !left_.empty(); shift += 7) {
      const auto byte = static_cast<std::uint64_t>(left_.front());
      left_ = left_.subspan(1);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    fail();
    return 0;
  }
  std::span<const std::byte> take(std::size_t size) {
    if (size > left_.size()) {
      fail();
      return {};
    }
    const auto taken = left_.first(size);
    left_ = left_.subspan(size);
    return taken;
  }
  std::string text() {
    const auto bytes = take(number());
    return std::string(text_of(bytes));
  }
  /// How many items follow, of at least one byte each; 0 where they cannot all be there.
  std::size_t count() {
    const std::uint64_t count = number();
    if (count <= left_.size()) return count;
    fail();
    return 0;
  }

  bool failed() const { return failed_; }
  bool at_end() const { return left_.empty(); }

 private:
  void fail() {
    failed_ = true;
    left_ = {};
  }

  std::span<const std::byte> left_;
  bool failed_ = false;
};

}  // namespace pievt::varint
