// The line is a pure function of the facts; the class only decides when to show it.
#include "tools/render/progress.h"

#include <algorithm>

#include <fmt/format.h>

#include "tools/render/text.h"
#include "tools/render/width.h"

namespace pievt::render {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::int64_t meaningful_ns = second_ns / 2;
constexpr std::int64_t repaint_ns = second_ns / 10;
constexpr std::int64_t line_ns = 10 * second_ns;

std::string amount(ProgressUnit unit, std::uint64_t count) {
  return unit == ProgressUnit::bytes ? bytes_text(count) : count_text(count);
}

std::string rate_text(ProgressUnit unit, double per_second) {
  const auto whole = static_cast<std::uint64_t>(per_second);
  return (unit == ProgressUnit::bytes ? bytes_text(whole) : count_short(whole)) + "/s";
}

}  // namespace

std::string progress_line(const ProgressFacts& facts) {
  std::string line = fmt::format("{}  {}", facts.what, amount(facts.unit, facts.done));
  if (facts.total) {
    line += " of " + amount(facts.unit, *facts.total);
    // In floating point: a hundred times a count of bytes may not fit an integer.
    const double share = *facts.total == 0
                             ? 1.0
                             : static_cast<double>(facts.done) / static_cast<double>(*facts.total);
    line += fmt::format("  {} %", static_cast<int>(std::min(share, 1.0) * 100));
  }
  if (facts.elapsed_ns < meaningful_ns || facts.done == 0) return line;
  const double elapsed_s = static_cast<double>(facts.elapsed_ns) / static_cast<double>(second_ns);
  const double per_second = static_cast<double>(facts.done) / elapsed_s;
  line += "  " + rate_text(facts.unit, per_second);
  if (facts.total && *facts.total > facts.done) {
    const double left_ns = static_cast<double>(*facts.total - facts.done) / per_second * 1e9;
    // A century is past what anybody waits for, and well within the integer.
    constexpr double ceiling_ns = 3.2e18;
    const auto left = static_cast<std::int64_t>(std::min(left_ns, ceiling_ns));
    line += fmt::format("  {} left", duration_text(left));
  }
  return line;
}

void Progress::at(std::uint64_t done, std::int64_t now_ns) {
  if (now_ns - last_ns_ < (terminal_.is_tty ? repaint_ns : line_ns)) return;
  last_ns_ = now_ns;
  const std::string line = progress_line({what_, unit_, done, total_, now_ns - start_ns_});
  if (terminal_.is_tty) {
    out_.write("\r\x1b[K" + cut_to_width(line, terminal_.width - 1, terminal_.cut_mark()));
    on_screen_ = true;
  } else {
    out_.line(line);
  }
  out_.flush();
}

void Progress::finish() {
  if (!on_screen_) return;
  out_.write("\r\x1b[K");
  out_.flush();
  on_screen_ = false;
}

}  // namespace pievt::render
