// How many columns a text takes on a terminal, and how to cut or fill it to a width. Colour
// sequences of our own (ESC [ ... m) take no room and are never cut in half.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pievt::render {

enum class Align : std::uint8_t { left, right };

/// Columns of one code point: 0 for controls and combining marks, 2 for wide characters, else 1.
int width_of(char32_t code_point);

/// Columns of `text`. Colour sequences count nothing, a byte that is not UTF-8 counts one. A joined
/// emoji counts as its parts, as terminals without grapheme support show it.
int display_width(std::string_view text);

/// `text` when it fits into `width` columns, else its longest beginning that leaves room for
/// `mark`, followed by `mark`. A cut coloured text ends with a reset. When not even the mark fits,
/// as much of the mark as does.
std::string cut_to_width(std::string_view text, int width, std::string_view mark);

/// `text` filled with spaces to `width` columns on the side opposite to `align`; unchanged when
/// wider.
std::string fill_to_width(std::string_view text, int width, Align align);

}  // namespace pievt::render
