// The small words of JavaScript's regular expressions: what is a space, a line end, a digit.
#pragma once

#include <string_view>

namespace pievt::acceptance {

// What JavaScript calls a line end and a space, as parts of a class.
inline constexpr std::string_view line_ends = R"(\n\r\x{2028}\x{2029})";
inline constexpr std::string_view spaces =
    R"(\x09-\x0d\x20\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029})"
    R"(\x{202f}\x{205f}\x{3000}\x{feff})";
inline constexpr std::string_view not_spaces =
    R"(\x00-\x08\x0e-\x1f\x21-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027})"
    R"(\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{fefe}\x{ff00}-\x{10ffff})";

inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
inline bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
inline bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
inline bool is_word(char c) {
  return is_letter(c) || is_digit(c) || c == '_';
}

}  // namespace pievt::acceptance
