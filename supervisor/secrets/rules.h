// What the finder asks of a place in a text; see finder.h. Apart, because each has its own facts.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace pievt::secrets {

/// A stretch of a text and the rule it fits.
struct Stretch {
  std::string_view rule;
  std::size_t begin = 0, end = 0;
  std::string_view prefix{};
};

// formats.cc: keys that are known by their form.

/// The key that begins at `at`, if one does.
std::optional<Stretch> format_at(std::string_view text, std::size_t at);
/// Beginnings of all formats, at least two bytes each.
std::size_t format_count();
std::string_view format_literal(std::size_t index);

// named_values.cc: values that have a name in front of them.

/// The value behind the `:` or `=` at `at`, if its name says that it is secret.
std::optional<Stretch> named_value_at(std::string_view text, std::size_t at);
/// Whether a name, in any spelling, is one of a secret: `api_key`, `GITHUB-TOKEN`, `dbPassword`.
/// The rule's name, or empty.
std::string_view secret_name(std::string_view name);

// Of both.

/// Whether nothing that belongs to a word stands before `at`. The letter of a JSON escape is none.
bool begins_word(std::string_view text, std::size_t at);
/// Written to be replaced: `<token>`, `xxxx`, `your-key`, `...EXAMPLE`.
bool is_placeholder(std::string_view value);
/// Bits a character, by how often each one occurs in it.
double entropy(std::string_view value);

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
constexpr bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
constexpr bool is_alnum(char c) {
  return is_digit(c) || is_lower(c) || is_upper(c);
}

}  // namespace pievt::secrets
