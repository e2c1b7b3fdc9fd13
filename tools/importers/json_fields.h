// Fields of JSON that may be missing or have another type: asked for what one expects, with a plain
// answer where it is not there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <simdjson.h>

namespace pievt::tools {

using Json = simdjson::dom::element;

/// The member, or nothing where `of` is no object or has none.
inline std::optional<Json> member(const Json& of, std::string_view key) {
  Json found;
  if (of.at_key(key).get(found) != simdjson::SUCCESS) return std::nullopt;
  return found;
}

inline std::optional<std::string_view> text_in(const Json& of, std::string_view key) {
  const auto found = member(of, key);
  std::string_view text;
  if (!found || found->get(text) != simdjson::SUCCESS) return std::nullopt;
  return text;
}

inline std::string text_or_empty(const Json& of, std::string_view key) {
  return std::string(text_in(of, key).value_or(std::string_view()));
}

/// Whole numbers, and fractions cut to them; negative ones are 0.
inline std::optional<std::uint64_t> count_in(const Json& of, std::string_view key) {
  const auto found = member(of, key);
  if (!found) return std::nullopt;
  std::uint64_t whole = 0;
  if (found->get(whole) == simdjson::SUCCESS) return whole;
  double number = 0;
  if (found->get(number) != simdjson::SUCCESS) return std::nullopt;
  if (!(number > 0)) return 0;
  return number < 9e15 ? static_cast<std::uint64_t>(number) : std::uint64_t{9'000'000'000'000'000};
}

inline std::optional<double> number_in(const Json& of, std::string_view key) {
  const auto found = member(of, key);
  double number = 0;
  if (!found || found->get(number) != simdjson::SUCCESS) return std::nullopt;
  return number;
}

inline std::optional<bool> truth_in(const Json& of, std::string_view key) {
  const auto found = member(of, key);
  bool truth = false;
  if (!found || found->get(truth) != simdjson::SUCCESS) return std::nullopt;
  return truth;
}

/// The member's elements, or an array without any.
inline std::optional<simdjson::dom::array> array_in(const Json& of, std::string_view key) {
  const auto found = member(of, key);
  simdjson::dom::array array;
  if (!found || found->get(array) != simdjson::SUCCESS) return std::nullopt;
  return array;
}

}  // namespace pievt::tools
