// How single values are written in JSON: numbers, bytes, words. Shared by the writer that is told
// what a body holds (reflect_json.cc) and the one that knows beforehand (reflect_json_table.cc), so
// that both write the same. Only for the files reflect_json*.cc.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace pievt::reflect {

/// Beyond it a double skips whole numbers.
inline constexpr std::uint64_t exact_max = 1ull << 53;

template <class T>
void append_number(std::string& out, T number) {
  std::array<char, 32> digits;  // NOLINT(cppcoreguidelines-pro-type-member-init): written at once
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), end.ptr);
}

/// Null where JSON has no such number.
void append_real(std::string& out, double number);

/// Lower case, without quotes.
void append_hex(std::string& out, std::span<const std::byte> bytes);

/// In quotes and escaped, with U+FFFD for each broken sequence.
void append_words(std::string& out, std::string_view text);

}  // namespace pievt::reflect
