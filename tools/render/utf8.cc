// The decoder follows table 3-7 of the Unicode standard: the first byte decides the length and the
// range of the second byte, all others are 80..BF. So overlong forms and surrogates never get as
// far as arithmetic.
#include "tools/render/utf8.h"

#include <cstring>

namespace pievt::render {
namespace {

constexpr char32_t replacement = 0xFFFD;

struct Lead {
  std::size_t size;  // whole length, 0 = not a first byte
  unsigned char second_min = 0x80;
  unsigned char second_max = 0xBF;
};

Lead lead_of(unsigned char byte) {
  if (byte >= 0xC2 && byte <= 0xDF) return {2};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF) return {3};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte >= 0xF1 && byte <= 0xF3) return {4};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0};
}

}  // namespace

Decoded decode_utf8(std::string_view text, std::size_t position) {
  const auto byte_at = [&](std::size_t i) {
    return static_cast<unsigned char>(text[position + i]);
  };
  const unsigned char first = byte_at(0);
  if (first < 0x80) return {first, 1, true};
  const Lead lead = lead_of(first);
  if (lead.size == 0) return {replacement, 1, false};

  char32_t value = first & (0x7Fu >> lead.size);
  for (std::size_t i = 1; i < lead.size; ++i) {
    if (position + i >= text.size()) return {replacement, i, false};
    const unsigned char byte = byte_at(i);
    const unsigned char low = i == 1 ? lead.second_min : 0x80;
    const unsigned char high = i == 1 ? lead.second_max : 0xBF;
    if (byte < low || byte > high) return {replacement, i, false};
    value = (value << 6) | (byte & 0x3Fu);
  }
  return {value, lead.size, true};
}

bool is_utf8(std::string_view text) {
  constexpr std::uint64_t tops = 0x8080808080808080;
  for (std::size_t at = 0; at < text.size();) {
    std::uint64_t eight = tops;
    if (at + sizeof(eight) <= text.size()) std::memcpy(&eight, text.data() + at, sizeof(eight));
    if ((eight & tops) == 0) {
      at += sizeof(eight);
      continue;
    }
    const Decoded decoded = decode_utf8(text, at);
    if (!decoded.valid) return false;
    at += decoded.size;
  }
  return true;
}

void append_utf8(std::string& out, char32_t code_point) {
  const auto put = [&](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | (code_point >> 6));
    put(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    put(0xE0 | (code_point >> 12));
    put(0x80 | ((code_point >> 6) & 0x3F));
    put(0x80 | (code_point & 0x3F));
  } else {
    put(0xF0 | (code_point >> 18));
    put(0x80 | ((code_point >> 12) & 0x3F));
    put(0x80 | ((code_point >> 6) & 0x3F));
    put(0x80 | (code_point & 0x3F));
  }
}

}  // namespace pievt::render
