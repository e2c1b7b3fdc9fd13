// One line for people out of a text of any length.
#pragma once

#include <string>
#include <string_view>

namespace pievt::supervisor {

/// The first line that is not blank, at most 200 bytes of valid UTF-8, control characters replaced
/// by spaces.
inline std::string one_line(std::string_view text) {
  constexpr std::size_t bytes_max = 200;
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  text = text.substr(begin);
  text = text.substr(0, text.find('\n'));
  if (text.size() > bytes_max) {
    std::size_t end = bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
      --end;  // not inside a character
    text = text.substr(0, end);
  }
  std::string line(text);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return line;
}

}  // namespace pievt::supervisor
