// Small readings of bytes that may be damaged: JSON string and number tokens, excerpts, and lengths
// as a person counts them.
//
// JSON strings are decoded here and not by simdjson, because pi prints lone surrogates as escapes
// (a tool's output cut in the middle of an emoji is enough) and simdjson 3.0 refuses such a string.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pievt::pi {

/// The text of a JSON string token, which begins with its opening quote; what follows the closing
/// quote is ignored. Lone surrogates and unknown escapes become U+FFFD. The result is valid UTF-8
/// when the token is.
std::string decode_json_string(std::string_view token);

/// The value of a JSON number token, or nothing if it is none. What a double cannot hold becomes
/// its largest or smallest value.
std::optional<double> json_number(std::string_view token);

/// As above for counts: negative numbers are 0, fractions are cut, too large ones saturate. All 64
/// bits of an integer are kept.
std::optional<std::uint64_t> json_count(std::string_view token);

/// Dollars as pi prints them (a double) in whole nano-dollars, rounded; saturates.
std::int64_t nano_dollars(double dollars);

/// At most `size_max` bytes of valid UTF-8 that show how `bytes` begin; what is not UTF-8 in them
/// becomes U+FFFD.
std::string utf8_excerpt(std::string_view bytes, std::size_t size_max);

/// Code points of `text` without the white space around it. Zero means: nothing to read here.
std::uint64_t visible_characters(std::string_view text);

}  // namespace pievt::pi
