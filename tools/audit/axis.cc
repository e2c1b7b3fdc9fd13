// What stands around the bars of a waterfall: round times above, the meaning of the signs below.
#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "tools/audit/bars.h"

namespace pievt::audit {
namespace {

constexpr std::uint64_t ms = 1'000'000, second = 1'000 * ms, minute = 60 * second,
                        hour = 60 * minute, day = 24 * hour;

// Steps that people can count with.
constexpr std::array tick_steps = {
    ms,          2 * ms,   5 * ms,     10 * ms,    20 * ms,     50 * ms,     100 * ms,
    200 * ms,    500 * ms, second,     2 * second, 5 * second,  10 * second, 15 * second,
    30 * second, minute,   2 * minute, 5 * minute, 10 * minute, 15 * minute, 30 * minute,
    hour,        2 * hour, 3 * hour,   6 * hour,   12 * hour,   day,         2 * day,
    5 * day,     10 * day, 30 * day};

// "+05:30" as time, so that an hour is a round one where it is read. West of UTC it wraps, as the
// sums it is used in do.
std::uint64_t offset_of(std::uint64_t at_ns, render::Zone zone) {
  const std::string text = render::zone_text(static_cast<std::int64_t>(at_ns), zone);
  int hours = 0, minutes = 0;
  if (text.size() != 6 || text[3] != ':') return 0;
  std::from_chars(text.data() + 1, text.data() + 3, hours);
  std::from_chars(text.data() + 4, text.data() + 6, minutes);
  const std::uint64_t offset = static_cast<std::uint64_t>(hours * 60 + minutes) * minute;
  return text[0] == '-' ? 0 - offset : offset;
}

// Only what differs from one tick to the next: "05s" while a minute is shown, "12:05" while a day
// is.
std::string tick_text(std::uint64_t at_ns, std::uint64_t step, std::uint64_t shown,
                      render::Zone zone) {
  const auto at = static_cast<std::int64_t>(at_ns);
  const std::string clock = render::clock_text(at, zone);  // "12:05:04.604"
  if (step >= day || (shown >= day && clock.starts_with("00:00:00")))
    return render::date_text(at, zone).substr(0, 6);
  if (step >= minute) return clock.substr(0, 5);
  if (step >= second) return shown > minute ? clock.substr(0, 8) : clock.substr(6, 2) + "s";
  const std::size_t digits = step >= 100 * ms ? 1 : step >= 10 * ms ? 2 : 3;
  return clock.substr(6, 3 + digits) + "s";
}

struct Sign {
  std::string_view glyph, words;
};

constexpr std::array signs = {Sign{"=", "starting"},
                              Sign{"-", "model"},
                              Sign{"+", "tool"},
                              Sign{".", "waiting (pi's own retry)"},
                              Sign{"~", "compaction"},
                              Sign{"!", "told to end"},
                              Sign{":", "waits to retry"},
                              Sign{"_", "waits for a slot"},
                              Sign{"x", "provider error"},
                              Sign{"X", "several provider errors"},
                              Sign{"*", "gate met"},
                              Sign{"#", "gate not met"},
                              Sign{"\u250a", "supervisor died"},
                              Sign{"'", "supervisor died"}};

}  // namespace

std::string axis_line(const Scale& scale, render::Zone zone, bool utf8) {
  const std::uint64_t shown = scale.to_ns - scale.from_ns;
  const std::uint64_t offset = offset_of(scale.from_ns, zone);
  for (const std::uint64_t step : tick_steps) {
    const std::string sample = tick_text(scale.from_ns, step, shown, zone);
    const auto apart = static_cast<std::size_t>(static_cast<double>(step) / scale.column_ns());
    if (apart < std::max<std::size_t>(sample.size() + 3, 8)) continue;
    std::string line;
    const std::uint64_t local = scale.from_ns + offset;
    for (std::uint64_t tick = (local + step - 1) / step * step;; tick += step) {
      const std::uint64_t at = tick - offset;
      const std::string text = tick_text(at, step, shown, zone);
      if (at > scale.to_ns || scale.column(at) + 1 + text.size() > scale.columns + 8) break;
      // The mark of a wide sign is one column and three bytes: counted apart.
      const std::size_t column = scale.column(at);
      std::size_t used = 0;
      for (const char c : line) used += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1u : 0u;
      if (column < used) continue;
      line += std::string(column - used, ' ') + (utf8 ? "\u2502" : "|") + text;
    }
    return line;
  }
  return "";
}

std::vector<std::string> chart_legend(std::span<const ChartRow> rows, std::size_t width) {
  std::vector<std::string> lines(1);
  const auto add = [&](std::string_view glyph, std::string_view words) {
    std::string& last = lines.back();
    if (!last.empty() && last.size() + 5 + words.size() > width) lines.emplace_back();
    if (!lines.back().empty()) lines.back() += "   ";
    lines.back() += fmt::format("{} {}", glyph, words);
  };
  for (const Sign& sign : signs) {
    const bool used = std::ranges::any_of(rows, [&](const ChartRow& row) {
      return std::ranges::find(row.cells, sign.glyph, &ChartCell::glyph) != row.cells.end();
    });
    if (used) add(sign.glyph, sign.words);
  }
  add("|", "end");
  return lines;
}

}  // namespace pievt::audit
