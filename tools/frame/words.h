// Splitting, joining and wrapping of plain words.
#pragma once

#include <concepts>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pievt::tools {

/// The parts of `text` between separators, empty ones included; no parts of an empty text.
/// The parts live in `text`, so a temporary string is refused.
std::vector<std::string_view> split(std::string_view text, char separator);
template <std::same_as<std::string> T>
std::vector<std::string_view> split(T&& text, char separator) = delete;

std::string join(std::span<const std::string_view> words, std::string_view between);

/// Paragraphs filled to `width` columns, every line indented. Paragraphs are separated by an empty
/// line; a line that begins with a space stands as it is. Ends with a line feed unless empty.
std::string wrap(std::string_view text, int width, int indent);

}  // namespace pievt::tools
