// See duration.h.
#include "supervisor/plan/duration.h"

#include <array>

#include <fmt/format.h>

#include "supervisor/plan/text.h"

namespace pievt::plan {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t ms;
};

// "ms" stands before "m" and "s" because the first unit that fits is taken.
constexpr std::array units = {Unit{"ms", 1}, Unit{"d", 86'400'000}, Unit{"h", 3'600'000},
                              Unit{"m", 60'000}, Unit{"s", 1'000}};

/// Nobody means more than this many of any unit, and with it no sum can overflow.
constexpr std::uint64_t amount_max = 1'000'000'000;

}  // namespace

Result<std::uint64_t> parse_duration_ms(std::string_view text) {
  const Error wrong{
      Errc::invalid,
      fmt::format("{} is not a duration; write it like \"90s\", \"20m\", \"1h30m\" or \"500ms\"",
                  shown(text))};
  if (text.empty()) return wrong;
  std::uint64_t total = 0;
  std::uint64_t unit_before = UINT64_MAX;
  while (!text.empty()) {
    std::uint64_t amount = 0;
    std::size_t digits = 0;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
      amount = amount * 10 + static_cast<std::uint64_t>(text[digits++] - '0');
      if (amount > amount_max) return wrong;
    }
    text.remove_prefix(digits);
    std::uint64_t unit_ms = 0;
    for (const Unit& unit : units) {
      if (!text.starts_with(unit.name)) continue;
      unit_ms = unit.ms;
      text.remove_prefix(unit.name.size());
      break;
    }
    if (digits == 0 || unit_ms == 0 || unit_ms >= unit_before) return wrong;
    unit_before = unit_ms;
    total += amount * unit_ms;
  }
  return total;
}

}  // namespace pievt::plan
