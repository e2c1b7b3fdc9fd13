#include "tools/exporters/base64.h"

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace pievt::tools {
namespace {

constexpr std::string_view digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// Two digits for each 12 bits: half the look-ups.
constexpr auto pairs = [] {
  std::array<std::array<char, 2>, 4096> table{};
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = {digits[i >> 6], digits[i & 63]};
  return table;
}();

constexpr std::uint8_t no_digit = 0xff;
constexpr auto values = [] {
  std::array<std::uint8_t, 256> table{};
  table.fill(no_digit);
  for (std::size_t i = 0; i < digits.size(); ++i)
    table[static_cast<std::uint8_t>(digits[i])] = static_cast<std::uint8_t>(i);
  return table;
}();

}  // namespace

void append_base64(std::string& out, std::span<const std::byte> bytes) {
  const std::size_t begin = out.size();
  out.resize(begin + (bytes.size() + 2) / 3 * 4);
  char* at = out.data() + begin;
  const auto value = [&](std::size_t i) { return std::to_integer<std::uint32_t>(bytes[i]); };
  std::size_t i = 0;
  if constexpr (std::endian::native == std::endian::little) {
    // Six bytes become eight digits; two more are loaded and not used.
    for (; i + 8 <= bytes.size(); i += 6, at += 8) {
      std::uint64_t eight = 0;
      std::memcpy(&eight, bytes.data() + i, sizeof(eight));
      eight = __builtin_bswap64(eight);
      for (unsigned pair = 0; pair < 4; ++pair)
        std::memcpy(at + std::size_t{2} * pair, pairs[eight >> (52 - 12 * pair) & 4095].data(), 2);
    }
  }
  for (; i + 3 <= bytes.size(); i += 3) {
    const std::uint32_t three = value(i) << 16 | value(i + 1) << 8 | value(i + 2);
    at[0] = pairs[three >> 12][0];
    at[1] = pairs[three >> 12][1];
    at[2] = pairs[three & 4095][0];
    at[3] = pairs[three & 4095][1];
    at += 4;
  }
  const std::size_t left = bytes.size() - i;
  if (left == 0) return;
  const std::uint32_t last = value(i) << 16 | (left == 2 ? value(i + 1) << 8 : 0);
  at[0] = digits[last >> 18];
  at[1] = digits[last >> 12 & 63];
  at[2] = left == 2 ? digits[last >> 6 & 63] : '=';
  at[3] = '=';
}

Result<std::vector<std::byte>> from_base64(std::string_view text) {
  const Error bad{Errc::invalid, "that is not base64"};
  if (text.size() % 4 != 0) return bad;
  std::vector<std::byte> bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const bool last = i + 4 == text.size();
    const std::size_t used = last ? 4 - padding : 4;
    std::uint32_t four = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const std::uint8_t digit = k < used ? values[static_cast<std::uint8_t>(text[i + k])] : 0;
      if (digit == no_digit) return bad;
      four = four << 6 | digit;
    }
    for (std::size_t k = 0; k + 1 < used; ++k)
      bytes.push_back(static_cast<std::byte>(four >> (16 - 8 * k)));
  }
  return bytes;
}

}  // namespace pievt::tools
