// One walker cuts a text into pieces (a character, or a whole colour sequence); measuring and
// cutting are loops over it.
#include "tools/render/width.h"

#include <algorithm>
#include <iterator>
#include <span>

#include "tools/render/utf8.h"
#include "tools/render/width_table.h"

namespace pievt::render {
namespace {

bool contains(std::span<const CodePointRange> ranges, char32_t code_point) {
  const auto after = std::ranges::upper_bound(
      ranges, code_point, {},
      [](const CodePointRange& range) { return static_cast<char32_t>(range.first); });
  return after != ranges.begin() && code_point <= std::prev(after)->last;
}

struct Piece {
  std::size_t size;
  int width;
};

// The length of a colour sequence at the start of `text`, 0 when there is none.
std::size_t colour_sequence_size(std::string_view text) {
  if (!text.starts_with("\x1b[")) return 0;
  const std::size_t end = text.find_first_not_of("0123456789;", 2);
  return end != std::string_view::npos && text[end] == 'm' ? end + 1 : 0;
}

Piece piece_at(std::string_view text, std::size_t position) {
  if (const std::size_t size = colour_sequence_size(text.substr(position)); size > 0)
    return {size, 0};
  const Decoded decoded = decode_utf8(text, position);
  return {decoded.size, decoded.valid ? width_of(decoded.code_point) : 1};
}

// Bytes of the longest beginning of `text` that takes at most `width` columns, trailing marks
// included.
std::size_t size_within(std::string_view text, int width) {
  std::size_t position = 0;
  int used = 0;
  while (position < text.size()) {
    const Piece piece = piece_at(text, position);
    if (used + piece.width > width) break;
    used += piece.width;
    position += piece.size;
  }
  return position;
}

}  // namespace

int width_of(char32_t code_point) {
  if (code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0)) return 0;
  if (code_point < 0x300) return 1;
  if (contains(zero_width_ranges, code_point)) return 0;
  return contains(wide_ranges, code_point) ? 2 : 1;
}

int display_width(std::string_view text) {
  int width = 0;
  for (std::size_t position = 0; position < text.size();) {
    const Piece piece = piece_at(text, position);
    width += piece.width;
    position += piece.size;
  }
  return width;
}

std::string cut_to_width(std::string_view text, int width, std::string_view mark) {
  if (display_width(text) <= width) return std::string(text);
  const int room = width - display_width(mark);
  if (room < 0) return std::string(mark.substr(0, size_within(mark, std::max(width, 0))));
  std::string cut(text.substr(0, size_within(text, room)));
  const bool coloured = cut.find('\x1b') != std::string::npos;
  cut += mark;
  if (coloured) cut += "\x1b[0m";
  return cut;
}

std::string fill_to_width(std::string_view text, int width, Align align) {
  const int missing = width - display_width(text);
  if (missing <= 0) return std::string(text);
  const std::string spaces(static_cast<std::size_t>(missing), ' ');
  return align == Align::left ? std::string(text) + spaces : spaces + std::string(text);
}

}  // namespace pievt::render
