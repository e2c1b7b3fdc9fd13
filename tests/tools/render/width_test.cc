#include "tools/render/width.h"

#include <span>
#include <string>

#include <gmock/gmock.h>

#include "tools/render/utf8.h"
#include "tools/render/width_table.h"

namespace pievt::render {
namespace {

TEST(Width, CountsColumnsNotBytes) {
  EXPECT_EQ(display_width("abc"), 3);
  EXPECT_EQ(display_width("gr\u00fc\u00df"), 4);
  EXPECT_EQ(display_width("\u4e16\u754c"), 4);
  EXPECT_EQ(display_width("e\u0301"), 1);
  EXPECT_EQ(display_width("\U0001F600"), 2);
  EXPECT_EQ(display_width("\uff21\uff71"), 3);  // a fullwidth letter, a halfwidth kana
  EXPECT_EQ(display_width("\xff\xff"), 2);
  EXPECT_EQ(display_width("\x1b[1;31mred\x1b[0m"), 3);
}

TEST(Width, TheTablesAreSortedAndApart) {
  const auto check = [](std::span<const CodePointRange> ranges) {
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      ASSERT_LE(ranges[i].first, ranges[i].last);
      if (i > 0) {
        ASSERT_GT(ranges[i].first, ranges[i - 1].last);
      }
    }
  };
  check(wide_ranges);
  check(zero_width_ranges);
}

TEST(CutToWidth, NeverExceedsAndNeverSplits) {
  const std::string text = "a\u4e16e\u0301\u754c\U0001F600z";
  for (int width = 0; width <= 10; ++width) {
    const std::string cut = cut_to_width(text, width, "\u2026");
    EXPECT_LE(display_width(cut), width);
    for (std::size_t at = 0; at < cut.size(); at += decode_utf8(cut, at).size) {
      EXPECT_TRUE(decode_utf8(cut, at).valid);
    }
  }
  EXPECT_EQ(cut_to_width(text, 9, "\u2026"), text);
  EXPECT_EQ(cut_to_width(text, 5, "\u2026"), "a\u4e16e\u0301\u2026");
  EXPECT_EQ(cut_to_width("abcdef", 2, "..."), "..");
}

TEST(CutToWidth, ResetsColoursItCut) {
  EXPECT_EQ(cut_to_width("\x1b[31mabcdef\x1b[0m", 4, "~"), "\x1b[31mabc~\x1b[0m");
}

TEST(FillToWidth, FillsOnTheOtherSide) {
  EXPECT_EQ(fill_to_width("\u4e16", 4, Align::left), "\u4e16  ");
  EXPECT_EQ(fill_to_width("\u4e16", 4, Align::right), "  \u4e16");
  EXPECT_EQ(fill_to_width("abcde", 4, Align::left), "abcde");
}

TEST(Utf8, WhatIsAppendedIsReadBack) {
  for (char32_t c = 0; c <= 0x10FFFF; c += 7) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    std::string text;
    append_utf8(text, c);
    const Decoded decoded = decode_utf8(text, 0);
    ASSERT_TRUE(decoded.valid);
    ASSERT_EQ(decoded.code_point, c);
    ASSERT_EQ(decoded.size, text.size());
  }
}

}  // namespace
}  // namespace pievt::render
