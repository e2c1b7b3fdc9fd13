#include "tools/render/table.h"

#include <gmock/gmock.h>

namespace pievt::render {
namespace {

Terminal screen(int width) {
  return {.is_tty = true, .width = width, .height = 24, .color = false, .utf8 = true};
}

// The jobs table of a report: id, status, why, attempts, model.
Table jobs() {
  Table table({
      {.title = "JOB", .importance = 9},
      {.title = "STATUS", .importance = 8},
      {.title = "WHY", .narrow = Narrow::shrink, .width_min = 10, .importance = 5},
      {.title = "TRIES", .align = Align::right, .importance = 4},
      {.title = "MODEL", .narrow = Narrow::drop, .width_min = 6, .importance = 1},
  });
  table.row({"r1", "ok", "final message, contract met", "1", "fake/scripted-1"});
  table.row({"r2",
             {"failed", Style::bad},
             "provider 500 (3 tries in each of the two attempts)",
             "2",
             "fake/scripted-1"});
  return table;
}

TEST(Table, At120ColumnsEverythingFits) {
  EXPECT_EQ(
      jobs().render(screen(120)),
      "JOB  STATUS  WHY                                                 TRIES  MODEL\n"
      "r1   ok      final message, contract met                             1  fake/scripted-1\n"
      "r2   failed  provider 500 (3 tries in each of the two attempts)      2  fake/scripted-1\n");
}

TEST(Table, At80ColumnsTheLeastImportantShrinksFirst) {
  EXPECT_EQ(
      jobs().render(screen(80)),
      "JOB  STATUS  WHY                                                 TRIES  MODEL\n"
      "r1   ok      final message, contract met                             1  fake/sc\u2026\n"
      "r2   failed  provider 500 (3 tries in each of the two attempts)      2  fake/sc\u2026\n");
}

TEST(Table, At40ColumnsOneLeavesAndSaysSo) {
  EXPECT_EQ(jobs().render(screen(40)),
            "JOB  STATUS  WHY                   TRIES\n"
            "r1   ok      final message, cont\u2026      1\n"
            "r2   failed  provider 500 (3 tri\u2026      2\n"
            "(not shown at this width: MODEL)\n");
}

TEST(Table, AwayFromATerminalNothingIsCut) {
  Terminal pipe;
  pipe.width = 20;
  EXPECT_EQ(jobs().render(pipe), jobs().render(screen(200)));
}

TEST(Table, NoLineIsWiderThanTheScreenWhileItCanShrink) {
  for (int width = 32; width <= 130; ++width) {
    const std::string text = jobs().render(screen(width));
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = text.find('\n', begin);
      ASSERT_LE(display_width(std::string_view(text).substr(begin, end - begin)), width);
      begin = end + 1;
    }
  }
}

TEST(Table, AlignsWideAndCombiningCharacters) {
  Table table({{.title = "NAME"}, {.title = "N", .align = Align::right}});
  table.row({"\u4e16\u754c", "1"});
  table.row({"e\u0301te\u0301", "22"});
  table.row({"abcde", "333"});
  EXPECT_EQ(table.render(screen(80)),
            "NAME     N\n"
            "\u4e16\u754c     1\n"
            "e\u0301te\u0301     22\n"
            "abcde  333\n");
}

TEST(Table, CutsBetweenCharactersNotInsideThem) {
  Table table({{.title = "", .narrow = Narrow::shrink, .width_min = 4}});
  table.row(
      {std::string("\u4e16\u754c\u4e16\u754c\u4e16\u754c\u4e16\u754c\u4e16\u754c\u4e16\u754c")});
  Terminal narrow = screen(20);
  EXPECT_EQ(table.render(narrow), "\u4e16\u754c\u4e16\u754c\u4e16\u754c\u4e16\u754c\u4e16\u2026\n");
  narrow.utf8 = false;
  EXPECT_EQ(table.render(narrow), "\u4e16\u754c\u4e16\u754c\u4e16\u754c\u4e16\u754c...\n");
}

TEST(Table, StylesDoNotChangeTheLayout) {
  Terminal coloured = screen(80);
  coloured.color = true;
  std::string text = jobs().render(coloured);
  EXPECT_THAT(text, testing::HasSubstr("\x1b[31mfailed\x1b[0m  provider"));
  for (const std::string_view code : {"\x1b[31m", "\x1b[1m", "\x1b[0m"}) {
    for (std::size_t at = text.find(code); at != std::string::npos; at = text.find(code))
      text.erase(at, code.size());
  }
  EXPECT_EQ(text, jobs().render(screen(80)));
}

TEST(Table, CellsCannotDriveTheTerminal) {
  Table table({{.title = "NAME"}, {.title = "N"}});
  table.row({"evil\x1b[2J\nnext", "1"});
  EXPECT_EQ(table.render(screen(80)),
            "NAME               N\n"
            "evil\\x1b[2J\\nnext  1\n");
}

TEST(Table, ShortRowsAndNoRows) {
  Table table({{.title = "A"}, {.title = "B"}, {.title = "C", .align = Align::right}});
  EXPECT_EQ(table.render(screen(80)), "");
  table.row({"x"});
  table.row({"", "", "y"});
  EXPECT_EQ(table.render(screen(80)), "A  B  C\nx\n      y\n");
}

TEST(Table, AMaximumHoldsOnATerminalOnly) {
  Table table({{.title = "A", .width_max = 6}, {.title = "B"}});
  table.row({"0123456789", "b"});
  EXPECT_EQ(table.render(screen(80)), "A       B\n01234\u2026  b\n");
  EXPECT_EQ(table.render(Terminal{}), "A           B\n0123456789  b\n");
}

}  // namespace
}  // namespace pievt::render
