// Reading UTF-8 that nobody vouches for: names, paths and agent output come from outside. One
// decoder for everything that has to know where a character ends (width, JSON, sanitising), so that
// they agree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pievt::render {

/// One step of decoding. When the bytes are not UTF-8 `valid` is false, `size` is how many bytes to
/// skip (the longest prefix that could have begun a character, at least 1, as Unicode recommends)
/// and `code_point` is U+FFFD.
struct Decoded {
  char32_t code_point;
  std::size_t size;
  bool valid;
};

/// Decodes the character that begins at `position`, which must be less than `text.size()`. Overlong
/// forms, surrogates and values beyond U+10FFFF are not valid.
Decoded decode_utf8(std::string_view text, std::size_t position);

/// Whether all of `text` is valid.
bool is_utf8(std::string_view text);

/// Appends `code_point` to `out` as UTF-8.
void append_utf8(std::string& out, char32_t code_point);

}  // namespace pievt::render
