// The list of hiding and reordering characters is closed on purpose: joiners and variation
// selectors stay, since names in many scripts and ordinary emoji need them.
#include "tools/render/sanitise.h"

#include <iterator>

#include <fmt/format.h>

#include "tools/render/utf8.h"

namespace pievt::render {
namespace {

bool hides_or_reorders(char32_t c) {
  return c == 0xAD || c == 0x061C || c == 0x200B || c == 0x200E || c == 0x200F ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF ||
         (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE007F);
}

bool is_control(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0);
}

void append_control(std::string& out, char32_t c, Lines lines) {
  const bool stays = lines == Lines::many && (c == '\n' || c == '\t');
  if (stays) {
    out.push_back(static_cast<char>(c));
  } else if (c == '\n') {
    out += "\\n";
  } else if (c == '\r') {
    out += "\\r";
  } else if (c == '\t') {
    out += "\\t";
  } else {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<std::uint32_t>(c));
  }
}

}  // namespace

std::string sanitise(std::string_view text, Lines lines) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t position = 0; position < text.size();) {
    const Decoded decoded = decode_utf8(text, position);
    const std::string_view bytes = text.substr(position, decoded.size);
    position += decoded.size;
    if (!decoded.valid) {
      for (const char byte : bytes) {
        fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(byte));
      }
    } else if (is_control(decoded.code_point)) {
      append_control(out, decoded.code_point, lines);
    } else if (hides_or_reorders(decoded.code_point)) {
      fmt::format_to(std::back_inserter(out), "\\u{{{:x}}}",
                     static_cast<std::uint32_t>(decoded.code_point));
    } else {
      out += bytes;
    }
  }
  return out;
}

}  // namespace pievt::render
