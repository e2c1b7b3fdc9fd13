#include "store/format/reflect_json_text.h"

#include <cmath>
#include <cstring>

#include "pievt/plain_text.h"

namespace pievt::reflect {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";
constexpr std::string_view hex_digits = "0123456789abcdef";

constexpr auto hex_pairs = [] {
  std::array<std::array<char, 2>, 256> table{};
  for (std::size_t byte = 0; byte < table.size(); ++byte)
    table[byte] = {hex_digits[byte >> 4], hex_digits[byte & 15]};
  return table;
}();

// How long the UTF-8 sequence at the front of `text` is, and whether it is whole. A broken one is
// as long as it could have become a whole one (the Unicode standard's "maximal subpart"), so that
// every decoder shows the same number of replacement characters.
struct Sequence {
  std::size_t size;
  bool whole;
};

Sequence sequence_at(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0xC2 || lead > 0xF4) return {1, false};
  const std::size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  // The second byte's range keeps out overlong forms, surrogates and what lies beyond U+10FFFF.
  const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  for (std::size_t i = 1; i < size; ++i) {
    if (i >= text.size() || byte(i) < (i == 1 ? low : 0x80) || byte(i) > (i == 1 ? high : 0xBF)) {
      return {i, false};
    }
  }
  return {size, true};
}

void append_escape(std::string& out, char c) {
  constexpr std::string_view escaped = "\"\\\b\f\n\r\t";
  constexpr std::string_view letters = "\"\\bfnrt";
  out += '\\';
  if (const std::size_t found = escaped.find(c); found != std::string_view::npos) {
    out += letters[found];
    return;
  }
  const auto byte = static_cast<unsigned char>(c);
  out += "u00";
  out += hex_digits[byte >> 4];
  out += hex_digits[byte & 15u];
}

}  // namespace

void append_real(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  append_number(out, number);
}

void append_hex(std::string& out, std::span<const std::byte> bytes) {
  const std::size_t begin = out.size();
  out.resize(begin + 2 * bytes.size());
  char* at = out.data() + begin;
  for (const std::byte byte : bytes) {
    std::memcpy(at, hex_pairs[std::to_integer<std::size_t>(byte)].data(), 2);
    at += 2;
  }
}

void append_words(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const std::size_t run = plain_run(text);
    out.append(text.substr(0, run));
    text.remove_prefix(run);
    if (text.empty()) break;
    std::size_t taken = 1;
    if (static_cast<unsigned char>(text[0]) < 0x80) {
      append_escape(out, text[0]);
    } else {
      const Sequence sequence = sequence_at(text);
      taken = sequence.size;
      out.append(sequence.whole ? text.substr(0, taken) : replacement);
    }
    text.remove_prefix(taken);
  }
  out += '"';
}

}  // namespace pievt::reflect
