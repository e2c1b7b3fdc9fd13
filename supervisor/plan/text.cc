// See text.h. The edit distance is the restricted Damerau-Levenshtein one: a swap of neighbours,
// the commonest slip of all, counts once.
#include "supervisor/plan/text.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

namespace pievt::plan {
namespace {

constexpr std::size_t shown_bytes_max = 60;
constexpr std::size_t name_bytes_max = 64;

/// Bytes of the character that begins at `at`, or 0 if those bytes are not UTF-8.
std::size_t character_bytes(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u;
  };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  // The second byte's range is what rules out overlong forms, surrogates and values past U+10FFFF.
  unsigned second_min = 0x80;
  unsigned second_max = 0xBF;
  std::size_t length = 0;
  if (lead >= 0xC2 && lead <= 0xDF) length = 2;
  if (lead >= 0xE0 && lead <= 0xEF) length = 3;
  if (lead >= 0xF0 && lead <= 0xF4) length = 4;
  if (lead == 0xE0) second_min = 0xA0;
  if (lead == 0xED) second_max = 0x9F;
  if (lead == 0xF0) second_min = 0x90;
  if (lead == 0xF4) second_max = 0x8F;
  if (length == 0 || byte(1) < second_min || byte(1) > second_max) return 0;
  for (std::size_t i = 2; i < length; ++i)
    if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
  return length;
}

constexpr std::array<std::string_view, 25> white_space = {
    "\t",           "\n",           "\v",           "\f",           "\r",           " ",
    "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81", "\xE2\x80\x82", "\xE2\x80\x83",
    "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86", "\xE2\x80\x87", "\xE2\x80\x88", "\xE2\x80\x89",
    "\xE2\x80\x8A", "\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80",
    "\xEF\xBB\xBF"};

/// Lower case letters only, without the separators people disagree about.
std::string folded(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '_' || c == '-') continue;
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return out;
}

std::size_t distance(std::string_view a, std::string_view b) {
  // Three rows of the usual table: a swap looks two rows back.
  std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

}  // namespace

std::size_t invalid_utf8_at(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = character_bytes(text, at);
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

std::string_view trimmed(std::string_view text) {
  const auto begins = [&](std::string_view space) { return text.starts_with(space); };
  const auto ends = [&](std::string_view space) { return text.ends_with(space); };
  for (auto at = std::ranges::find_if(white_space, begins); at != white_space.end();
       at = std::ranges::find_if(white_space, begins))
    text.remove_prefix(at->size());
  for (auto at = std::ranges::find_if(white_space, ends); at != white_space.end();
       at = std::ranges::find_if(white_space, ends))
    text.remove_suffix(at->size());
  return text;
}

bool is_blank(std::string_view text) {
  return trimmed(text).empty();
}

std::string shown(std::string_view text) {
  std::string out = "\"";
  std::size_t at = 0;
  while (at < text.size() && out.size() <= shown_bytes_max) {
    const std::size_t length = character_bytes(text, at);
    const auto byte = static_cast<unsigned char>(text[at]);
    if (length == 0) {
      out += fmt::format("\\x{:02x}", byte);
    } else if (text[at] == '\n') {
      out += "\\n";
    } else if (text[at] == '"' || text[at] == '\\') {
      out += '\\';
      out += text[at];
    } else if (length == 1 && (byte < 0x20 || byte == 0x7F)) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += text.substr(at, length);
    }
    at += std::max<std::size_t>(length, 1);
  }
  if (at < text.size()) out += "…";
  return out + '"';
}

std::string_view nearest(std::string_view written, std::span<const std::string_view> names) {
  if (written.empty() || written.size() > name_bytes_max) return {};
  const std::string wanted = folded(written);
  std::string_view best;
  std::size_t best_distance = 2 + wanted.size() / 4;  // "too far": a third of the letters or so
  for (const std::string_view name : names) {
    if (name.size() > name_bytes_max * 2) continue;
    const std::size_t d = distance(wanted, folded(name));
    if (d >= best_distance || d >= name.size()) continue;
    best = name;
    best_distance = d;
  }
  return best;
}

}  // namespace pievt::plan
