#include "tools/render/terminal.h"

#include <string_view>

#include <gmock/gmock.h>

namespace pievt::render {
namespace {

constexpr DescriptorFacts tty{true, 100, 40};
constexpr DescriptorFacts pipe{};

// One variable per environment is enough for every rule but that of precedence.
const char* empty(const char*) {
  return nullptr;
}
const char* xterm(const char* name) {
  return std::string_view(name) == "TERM" ? "xterm-256color" : nullptr;
}
const char* dumb(const char* name) {
  return std::string_view(name) == "TERM" ? "dumb" : nullptr;
}
const char* no_color(const char* name) {
  return std::string_view(name) == "NO_COLOR" ? "1" : xterm(name);
}
const char* no_color_empty(const char* name) {
  return std::string_view(name) == "NO_COLOR" ? "" : xterm(name);
}

TEST(Terminal, ColourFollowsChoiceTerminalAndEnvironment) {
  const auto color = [](const DescriptorFacts& facts, ColorChoice choice, Environment environment) {
    return describe_terminal(facts, choice, environment).color;
  };
  EXPECT_TRUE(color(tty, ColorChoice::automatic, xterm));
  EXPECT_TRUE(color(tty, ColorChoice::automatic, no_color_empty));
  EXPECT_FALSE(color(tty, ColorChoice::automatic, no_color));
  EXPECT_FALSE(color(tty, ColorChoice::automatic, dumb));
  EXPECT_FALSE(color(tty, ColorChoice::automatic, empty));
  EXPECT_FALSE(color(pipe, ColorChoice::automatic, xterm));
  EXPECT_FALSE(color(tty, ColorChoice::never, xterm));
  EXPECT_TRUE(color(pipe, ColorChoice::always, no_color));
}

const char* columns_value = nullptr;
const char* with_columns(const char* name) {
  return std::string_view(name) == "COLUMNS" ? columns_value : nullptr;
}

TEST(Terminal, WidthIsColumnsThenKernelThenEighty) {
  const auto width = [](const DescriptorFacts& facts, const char* columns) {
    columns_value = columns;
    return describe_terminal(facts, ColorChoice::never, with_columns).width;
  };
  EXPECT_EQ(width(tty, nullptr), 100);
  EXPECT_EQ(width(pipe, nullptr), 80);
  EXPECT_EQ(width(tty, "60"), 60);
  for (const char* nonsense : {"", "0", "-5", "19", "1001", "wide", "60x", "99999999999"}) {
    EXPECT_EQ(width(tty, nonsense), 100) << nonsense;
  }
  EXPECT_EQ(width({true, 3, 2}, nullptr), 20);
}

TEST(Terminal, TheFirstLocaleVariableDecidesUtf8) {
  const auto utf8 = [](Environment environment) {
    return describe_terminal(tty, ColorChoice::never, environment).utf8;
  };
  EXPECT_TRUE(utf8(empty));
  EXPECT_TRUE(utf8(
      [](const char* name) { return std::string_view(name) == "LANG" ? "en_US.UTF-8" : nullptr; }));
  EXPECT_TRUE(
      utf8([](const char* name) { return std::string_view(name) == "LANG" ? "C.utf8" : ""; }));
  EXPECT_FALSE(utf8(
      [](const char* name) { return std::string_view(name) == "LC_ALL" ? "C" : "en_US.UTF-8"; }));
}

TEST(Terminal, StylesAreEmptyWithoutColour) {
  Terminal terminal;
  EXPECT_EQ(styled(terminal, Style::bad, "x"), "x");
  terminal.color = true;
  EXPECT_EQ(styled(terminal, Style::bad, "x"), "\x1b[31mx\x1b[0m");
  EXPECT_EQ(styled(terminal, Style::plain, "x"), "x");
  EXPECT_EQ(styled(terminal, Style::bad, ""), "");
}

}  // namespace
}  // namespace pievt::render
