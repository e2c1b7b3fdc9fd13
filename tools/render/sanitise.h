// Text that came from outside, made harmless for a terminal. What an agent wrote may contain escape
// sequences that move the cursor, change the title, rewrite lines above or paste into the shell;
// shown raw, a log viewer executes them. Here every such character becomes visible instead.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pievt::render {

/// Whether line breaks are part of the layout or would break it.
enum class Lines : std::uint8_t { one, many };

/// `text` with every control character written out: C0, DEL and C1 as \xNN (\n, \r, \t by name),
/// characters that reorder or hide text (bidirectional controls, line separators, tags, byte order
/// marks, soft hyphen) as \u{NNNN}, and bytes that are not UTF-8 as \xNN. With `Lines::many`, line
/// feeds and tabs stay. It is for eyes: a backslash of the text itself is not doubled, so it cannot
/// be turned back.
std::string sanitise(std::string_view text, Lines lines);

/// The same for text that has one line to be in.
inline std::string one_line(std::string_view text) {
  return sanitise(text, Lines::one);
}

}  // namespace pievt::render
