// What stands for itself in JSON, and on a terminal: most of what is written, and the reason why
// writing it need not look at single characters.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace pievt {

namespace detail {

// True for what stands for itself without looking at its neighbours.
inline constexpr std::array<bool, 256> plain_bytes = [] {
  std::array<bool, 256> table{};
  for (std::size_t byte = 0x20; byte < 0x7F; ++byte) table[byte] = byte != '"' && byte != '\\';
  return table;
}();

// Eight bytes at once, one lane each; a lane's highest bit is set where its byte is not plain. The
// lanes above one that is not plain can be set wrongly, which is no matter: the lowest one counts.
inline std::uint64_t not_plain(std::uint64_t eight) {
  constexpr std::uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
  const auto zero_lanes = [](std::uint64_t lanes) { return (lanes - ones) & ~lanes; };
  const std::uint64_t below_blank = (eight - ones * 0x20) & ~eight;
  const std::uint64_t del_or_more = (eight + ones) | eight;
  return (below_blank | del_or_more | zero_lanes(eight ^ ones * '"') |
          zero_lanes(eight ^ ones * '\\')) &
         tops;
}

}  // namespace detail

/// How many bytes at the front of `text` are plain: ASCII without controls, DEL, quotes and
/// backslashes.
inline std::size_t plain_run(std::string_view text) {
  std::size_t run = 0;
  if constexpr (std::endian::native == std::endian::little) {
    for (; run + 8 <= text.size(); run += 8) {
      std::uint64_t eight = 0;
      std::memcpy(&eight, text.data() + run, sizeof(eight));
      const std::uint64_t other = detail::not_plain(eight);
      if (other != 0) return run + static_cast<std::size_t>(std::countr_zero(other)) / 8;
    }
  }
  while (run < text.size() && detail::plain_bytes[static_cast<unsigned char>(text[run])]) ++run;
  return run;
}

}  // namespace pievt
