#include "supervisor/pi/retry_after.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace pievt::pi {
namespace {

constexpr double milliseconds_max = 30.0 * 24 * 3600 * 1000;

struct WaitPhrase {
  std::string_view words;
  double unit_ms;  ///< of a bare number
};

// Longer ones first: "retry_after" is the beginning of "retry_after_ms".
constexpr std::array phrases = {
    WaitPhrase{"retry-after-ms", 1},        WaitPhrase{"retry_after_ms", 1},
    WaitPhrase{"retryafterms", 1},          WaitPhrase{"retry-after", 1000},
    WaitPhrase{"retry_after", 1000},        WaitPhrase{"retryafter", 1000},
    WaitPhrase{"retrydelay", 1000},         WaitPhrase{"try again in", 1000},
    WaitPhrase{"try again after", 1000},    WaitPhrase{"retry in", 1000},
    WaitPhrase{"retry after", 1000},        WaitPhrase{"server requested", 1000},
    WaitPhrase{"available again in", 1000}, WaitPhrase{"resets in", 1000},
};

struct Unit {
  std::string_view name;
  double milliseconds;
};

// A longer name before its own beginning.
constexpr std::array units = {
    Unit{"milliseconds", 1},  Unit{"millisecond", 1},   Unit{"ms", 1},
    Unit{"minutes", 60'000},  Unit{"minute", 60'000},   Unit{"mins", 60'000},
    Unit{"min", 60'000},      Unit{"m", 60'000},        Unit{"seconds", 1000},
    Unit{"second", 1000},     Unit{"secs", 1000},       Unit{"sec", 1000},
    Unit{"s", 1000},          Unit{"hours", 3'600'000}, Unit{"hour", 3'600'000},
    Unit{"hrs", 3'600'000},   Unit{"hr", 3'600'000},    Unit{"h", 3'600'000},
    Unit{"days", 86'400'000}, Unit{"day", 86'400'000},  Unit{"d", 86'400'000},
};

bool is_letter(char c) {
  return c >= 'a' && c <= 'z';
}

std::optional<double> take_number(std::string_view& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

std::optional<double> take_unit(std::string_view& text) {
  std::string_view rest = text;
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  for (const Unit& unit : units) {
    if (!rest.starts_with(unit.name)) continue;
    if (rest.size() > unit.name.size() && is_letter(rest[unit.name.size()])) continue;
    text = rest.substr(unit.name.size());
    return unit.milliseconds;
  }
  return std::nullopt;
}

// A number behind at most a few signs of punctuation, and then what may follow it: "6m0s",
// "1 hour 30 minutes".
std::optional<double> duration_in(std::string_view text, double bare_unit) {
  const std::size_t begin = text.find_first_not_of(" \t\"':=~(\\");
  if (begin == std::string_view::npos || begin > 8) return std::nullopt;
  text.remove_prefix(begin);
  const auto first = take_number(text);
  if (!first) return std::nullopt;
  const auto unit = take_unit(text);
  double sum = *first * unit.value_or(bare_unit);
  while (unit) {
    std::string_view rest = text;
    while (rest.starts_with(' ')) rest.remove_prefix(1);
    const auto number = take_number(rest);
    if (!number) break;
    const auto next = take_unit(rest);
    if (!next) break;
    sum += *number * *next;
    text = rest;
  }
  return sum;
}

}  // namespace

std::optional<std::uint64_t> retry_after_ms(std::string_view message) {
  std::string lower{message};
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  for (const WaitPhrase& phrase : phrases) {
    const std::size_t at = lower.find(phrase.words);
    if (at == std::string::npos) continue;
    const auto found =
        duration_in(std::string_view(lower).substr(at + phrase.words.size()), phrase.unit_ms);
    if (found && *found >= 1) return static_cast<std::uint64_t>(std::min(*found, milliseconds_max));
  }
  return std::nullopt;
}

}  // namespace pievt::pi
