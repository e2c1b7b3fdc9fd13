// Facts are asked from the kernel in one function and judged in another, so that a test can play
// every terminal.
#include "tools/render/terminal.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <sys/ioctl.h>
#include <unistd.h>

namespace pievt::render {
namespace {

constexpr int width_min = 20;    // below this no table of ours is readable; better to wrap
constexpr int width_max = 1000;  // more is a mistake in COLUMNS

std::string_view variable(Environment environment, const char* name) {
  const char* const value = environment(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

std::optional<int> width_from(std::string_view columns) {
  int width = 0;
  const auto [end, error] = std::from_chars(columns.data(), columns.data() + columns.size(), width);
  if (error != std::errc() || end != columns.data() + columns.size()) return std::nullopt;
  if (width < width_min || width > width_max) return std::nullopt;
  return width;
}

bool names_utf8(std::string_view locale) {
  std::string folded;
  for (const char c : locale) {
    if (c != '-') folded.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return folded.find("utf8") != std::string::npos;
}

bool speaks_utf8(Environment environment) {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string_view locale = variable(environment, name);
    if (!locale.empty()) return names_utf8(locale);
  }
  return true;
}

bool wants_color(const DescriptorFacts& facts, ColorChoice choice, Environment environment) {
  if (choice != ColorChoice::automatic) return choice == ColorChoice::always;
  const std::string_view term = variable(environment, "TERM");
  return facts.is_tty && !term.empty() && term != "dumb" &&
         variable(environment, "NO_COLOR").empty();
}

std::string_view code_of(Style style) {
  switch (style) {
    case Style::plain:
      return "";
    case Style::good:
      return "\x1b[32m";
    case Style::bad:
      return "\x1b[31m";
    case Style::warn:
      return "\x1b[33m";
    case Style::dim:
      return "\x1b[2m";
    case Style::bold:
      return "\x1b[1m";
    case Style::heading:
      return "\x1b[1;4m";
  }
  return "";
}

}  // namespace

DescriptorFacts ask_descriptor(int fd) {
  DescriptorFacts facts;
  facts.is_tty = ::isatty(fd) == 1;
  winsize size{};
  if (facts.is_tty && ::ioctl(fd, TIOCGWINSZ, &size) == 0) {
    facts.width = size.ws_col;
    facts.height = size.ws_row;
  }
  return facts;
}

Terminal describe_terminal(const DescriptorFacts& facts, ColorChoice choice,
                           Environment environment) {
  Terminal terminal;
  terminal.is_tty = facts.is_tty;
  if (facts.width > 0) terminal.width = std::max(facts.width, width_min);
  if (const auto width = width_from(variable(environment, "COLUMNS"))) terminal.width = *width;
  if (facts.height > 0) terminal.height = facts.height;
  terminal.color = wants_color(facts, choice, environment);
  terminal.utf8 = speaks_utf8(environment);
  return terminal;
}

std::string styled(const Terminal& terminal, Style style, std::string_view text) {
  if (!terminal.color || style == Style::plain || text.empty()) return std::string(text);
  std::string result(code_of(style));
  result += text;
  result += "\x1b[0m";
  return result;
}

}  // namespace pievt::render
