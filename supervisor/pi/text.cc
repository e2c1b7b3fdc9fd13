// See text.h. Everything here is total: any bytes give an answer.
#include "supervisor/pi/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

namespace pievt::pi {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";
constexpr std::uint32_t replacement_code = 0xFFFD;

// One code point at the front of `bytes`; `size` is 0 when there is no valid sequence.
struct Decoded {
  std::uint32_t code = 0;
  std::size_t size = 0;
};

Decoded decode_utf8(std::string_view bytes) {
  const auto byte = [bytes](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.empty()) return {};
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || bytes.size() < size) return {};
  std::uint32_t code = lead & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) return {};
    code = (code << 6U) | (byte(i) & 0x3FU);
  }
  constexpr std::array<std::uint32_t, 5> smallest = {0, 0, 0x80, 0x800, 0x10000};
  if (code < smallest[size] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {};
  return {code, size};
}

void append_utf8(std::string& text, std::uint32_t code) {
  const auto append = [&text](std::uint32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    append(code);
  } else if (code < 0x800) {
    append(0xC0U | (code >> 6U));
    append(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    append(0xE0U | (code >> 12U));
    append(0x80U | ((code >> 6U) & 0x3FU));
    append(0x80U | (code & 0x3FU));
  } else {
    append(0xF0U | (code >> 18U));
    append(0x80U | ((code >> 12U) & 0x3FU));
    append(0x80U | ((code >> 6U) & 0x3FU));
    append(0x80U | (code & 0x3FU));
  }
}

// The value of the four hexadecimal digits at the front.
std::optional<std::uint32_t> hex4(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + 4, value, 16);
  if (error != std::errc{} || end != text.data() + 4) return std::nullopt;
  return value;
}

bool is_high_surrogate(std::uint32_t code) {
  return code >= 0xD800 && code <= 0xDBFF;
}
bool is_low_surrogate(std::uint32_t code) {
  return code >= 0xDC00 && code <= 0xDFFF;
}

// The code point of a \u escape; `size` counts from the backslash.
Decoded decode_unicode_escape(std::string_view escape) {
  const auto first = hex4(escape.substr(2));
  if (!first) return {replacement_code, 2};
  if (!is_high_surrogate(*first) && !is_low_surrogate(*first)) return {*first, 6};
  if (is_high_surrogate(*first) && escape.substr(6).starts_with("\\u")) {
    const auto second = hex4(escape.substr(8));
    if (second && is_low_surrogate(*second)) {
      return {0x10000 + ((*first - 0xD800) << 10U) + (*second - 0xDC00), 12};
    }
  }
  return {replacement_code, 6};
}

Decoded decode_escape(std::string_view escape) {
  if (escape.size() < 2) return {replacement_code, escape.size()};
  switch (escape[1]) {
    case '"':
    case '\\':
    case '/':
      return {static_cast<std::uint32_t>(escape[1]), 2};
    case 'b':
      return {'\b', 2};
    case 'f':
      return {'\f', 2};
    case 'n':
      return {'\n', 2};
    case 'r':
      return {'\r', 2};
    case 't':
      return {'\t', 2};
    case 'u':
      return decode_unicode_escape(escape);
    default:
      return {replacement_code, 2};
  }
}

bool is_space(std::uint32_t code) {
  return (code >= 0x09 && code <= 0x0D) || (code >= 0x1C && code <= 0x20) || code == 0x85 ||
         code == 0xA0 || code == 0x1680 || (code >= 0x2000 && code <= 0x200A) || code == 0x2028 ||
         code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

std::string_view trimmed_token(std::string_view token) {
  const std::size_t end = token.find_last_not_of(" \t\r\n");
  return end == std::string_view::npos ? std::string_view{} : token.substr(0, end + 1);
}

bool begins_like_a_number(std::string_view token) {
  if (token.starts_with('-')) token.remove_prefix(1);
  return !token.empty() && token.front() >= '0' && token.front() <= '9';
}

}  // namespace

std::string decode_json_string(std::string_view token) {
  std::string text;
  if (!token.starts_with('"')) return text;
  token.remove_prefix(1);
  while (!token.empty()) {
    // By hand: find_first_of asks for each byte whether it is in the set, five times slower.
    std::size_t plain = 0;
    while (plain < token.size() && token[plain] != '"' && token[plain] != '\\') ++plain;
    text.append(token.substr(0, plain));
    token.remove_prefix(plain);
    if (token.empty() || token.front() == '"') break;
    const Decoded escape = decode_escape(token);
    append_utf8(text, escape.code);
    token.remove_prefix(escape.size);
  }
  return text;
}

std::optional<double> json_number(std::string_view token) {
  token = trimmed_token(token);
  if (!begins_like_a_number(token)) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), value);
  if (end != token.data() + token.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    // Also 1e-999, which is nearly nothing; the exponent's sign tells the two apart.
    if (token.find("e-") != std::string_view::npos || token.find("E-") != std::string_view::npos) {
      return 0.0;
    }
    const double largest = std::numeric_limits<double>::max();
    return token.front() == '-' ? -largest : largest;
  }
  if (error != std::errc{}) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> json_count(std::string_view token) {
  token = trimmed_token(token);
  std::uint64_t exact = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), exact);
  if (error == std::errc{} && end == token.data() + token.size()) return exact;
  const auto value = json_number(token);
  if (!value) return std::nullopt;
  if (*value <= 0) return 0;
  constexpr double limit = 18446744073709551616.0;  // 2^64
  if (*value >= limit) return std::numeric_limits<std::uint64_t>::max();
  return static_cast<std::uint64_t>(*value);
}

std::int64_t nano_dollars(double dollars) {
  const double nano = std::round(dollars * 1e9);
  constexpr double limit = 9223372036854775808.0;  // 2^63
  if (std::isnan(nano)) return 0;
  if (nano >= limit) return std::numeric_limits<std::int64_t>::max();
  if (nano < -limit) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(nano);
}

std::string utf8_excerpt(std::string_view bytes, std::size_t size_max) {
  std::string excerpt;
  while (!bytes.empty()) {
    const Decoded next = decode_utf8(bytes);
    const std::string_view shown = next.size == 0 ? replacement : bytes.substr(0, next.size);
    if (excerpt.size() + shown.size() > size_max) break;
    excerpt.append(shown);
    bytes.remove_prefix(std::max<std::size_t>(next.size, 1));
  }
  return excerpt;
}

std::uint64_t visible_characters(std::string_view text) {
  std::uint64_t counted = 0;         // up to the last character that is not a space
  std::uint64_t spaces_pending = 0;  // seen since; they count when something follows
  while (!text.empty()) {
    const Decoded next = decode_utf8(text);
    text.remove_prefix(std::max<std::size_t>(next.size, 1));
    if (next.size != 0 && is_space(next.code)) {
      if (counted > 0) spaces_pending += 1;
    } else {
      counted += spaces_pending + 1;
      spaces_pending = 0;
    }
  }
  return counted;
}

}  // namespace pievt::pi
