#include "tools/render/sanitise.h"

#include <gmock/gmock.h>

#include "tools/render/width.h"

namespace pievt::render {
namespace {

TEST(Sanitise, MakesEscapeSequencesVisible) {
  EXPECT_EQ(sanitise("\x1b[2J\x1b]0;title\x07", Lines::one), "\\x1b[2J\\x1b]0;title\\x07");
  EXPECT_EQ(sanitise("\u009b31m", Lines::one), "\\x9b31m");  // the eight-bit form of ESC [
  EXPECT_EQ(sanitise("progress\rhidden", Lines::many), "progress\\rhidden");
  EXPECT_EQ(sanitise(std::string_view("\0\x7f", 2), Lines::many), "\\x00\\x7f");
}

TEST(Sanitise, LineBreaksStayOnlyWhereTheyBelong) {
  EXPECT_EQ(sanitise("a\n\tb", Lines::one), "a\\n\\tb");
  EXPECT_EQ(sanitise("a\n\tb", Lines::many), "a\n\tb");
}

TEST(Sanitise, ShowsWhatReordersOrHides) {
  EXPECT_EQ(sanitise("user\u202etxt.exe", Lines::one), "user\\u{202e}txt.exe");
  EXPECT_EQ(sanitise("\u2066\u200b\ufeff\u2028", Lines::many),
            "\\u{2066}\\u{200b}\\u{feff}\\u{2028}");
  EXPECT_EQ(sanitise("\U000E0041", Lines::one), "\\u{e0041}");
}

TEST(Sanitise, ShowsBytesThatAreNotUtf8) {
  EXPECT_EQ(sanitise("a\xff\xfe"
                     "b",
                     Lines::one),
            "a\\xff\\xfeb");
  EXPECT_EQ(sanitise("\xe2\x82", Lines::one), "\\xe2\\x82");
}

TEST(Sanitise, LeavesOrdinaryTextAlone) {
  const std::string text =
      "gr\u00fc\u00dfe \u4e16\u754c \U0001F468\u200D\U0001F4BB e\u0301 C:\\dir";
  EXPECT_EQ(sanitise(text, Lines::one), text);
}

TEST(Sanitise, NoByteAndNoPairOfBytesGetsThrough) {
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      const std::string raw = {static_cast<char>(a), static_cast<char>(b), '['};
      const std::string clean = sanitise(raw, Lines::one);
      for (const char c : clean) ASSERT_GE(static_cast<unsigned char>(c), 0x20) << a << " " << b;
      ASSERT_EQ(clean.find("\xc2\x9b"), std::string::npos) << a << " " << b;
      ASSERT_EQ(sanitise(clean, Lines::one), clean) << a << " " << b;  // done once, done for good
    }
  }
}

}  // namespace
}  // namespace pievt::render
