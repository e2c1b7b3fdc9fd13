// JSON strings and numbers that pi really prints, and ones it should not.
#include "supervisor/pi/text.h"

#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace pievt::pi {
namespace {

TEST(JsonString, DecodesEscapes) {
  EXPECT_EQ(decode_json_string(R"("plain")"), "plain");
  EXPECT_EQ(decode_json_string(R"("a\"b\\c\/d\b\f\n\r\t")"), "a\"b\\c/d\b\f\n\r\t");
  EXPECT_EQ(decode_json_string(R"("\u0041\u00e9\u20ac\ud83d\ude00")"), "Aé€😀");
  EXPECT_EQ(decode_json_string(R"("\u0000")"), std::string(1, '\0'));
  EXPECT_EQ(decode_json_string("\"é😀\"  "), "é😀");
}

TEST(JsonString, LoneSurrogatesBecomeReplacements) {
  EXPECT_EQ(decode_json_string(R"("x\ud83dy")"), "x\uFFFDy");
  EXPECT_EQ(decode_json_string(R"("x\ude00y")"), "x\uFFFDy");
  EXPECT_EQ(decode_json_string(R"("\ud83d\ud83d\ude00")"), "\uFFFD😀");
  EXPECT_EQ(decode_json_string(R"("\ud83d\n")"), "\uFFFD\n");
}

TEST(JsonString, DamagedTokensGiveSomethingReadable) {
  EXPECT_EQ(decode_json_string(""), "");
  EXPECT_EQ(decode_json_string("x"), "");
  EXPECT_EQ(decode_json_string("\"open"), "open");
  EXPECT_EQ(decode_json_string("\"end\\"), "end\uFFFD");
  EXPECT_EQ(decode_json_string(R"("\u12")"), "\uFFFD12");
  EXPECT_EQ(decode_json_string(R"("\q")"), "\uFFFD");
  EXPECT_EQ(decode_json_string(R"("\ud83d\u12")"), "\uFFFD\uFFFD12");
}

TEST(JsonNumber, ReadsWhatJavaScriptPrints) {
  EXPECT_EQ(json_number("0"), 0.0);
  EXPECT_EQ(json_number("-12.5 "), -12.5);
  EXPECT_EQ(json_number("1e21"), 1e21);
  EXPECT_EQ(json_number("0.000029999999999999997"), 0.000029999999999999997);
  EXPECT_EQ(json_number("1e-999"), 0.0);
  EXPECT_EQ(json_number("1e999"), std::numeric_limits<double>::max());
  EXPECT_EQ(json_number("-1e999"), std::numeric_limits<double>::lowest());
}

TEST(JsonNumber, RefusesWhatIsNone) {
  for (const std::string_view token :
       {"", "-", "inf", "-inf", "nan", "0x10x", "1 2", "true", "\"1\""}) {
    EXPECT_FALSE(json_number(token).has_value()) << token;
    EXPECT_FALSE(json_count(token).has_value()) << token;
  }
}

TEST(JsonCount, KeepsAllBitsAndSaturates) {
  EXPECT_EQ(json_count("18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(json_count("9007199254740993"), 9007199254740993U);
  EXPECT_EQ(json_count("99999999999999999999999"), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(json_count("-5"), 0U);
  EXPECT_EQ(json_count("12.9"), 12U);
}

TEST(Money, RoundsToNanoDollars) {
  EXPECT_EQ(nano_dollars(0.000029999999999999997), 30'000);
  EXPECT_EQ(nano_dollars(0.0026699999999999996), 2'670'000);
  EXPECT_EQ(nano_dollars(1.0000000004), 1'000'000'000);
  EXPECT_EQ(nano_dollars(-0.0000000015), -2);
  EXPECT_EQ(nano_dollars(1e300), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(nano_dollars(-1e300), std::numeric_limits<std::int64_t>::min());
}

TEST(Excerpt, IsValidUtf8AndShort) {
  EXPECT_EQ(utf8_excerpt("abc", 200), "abc");
  EXPECT_EQ(utf8_excerpt("a\xFFz", 200), "a\uFFFDz");
  EXPECT_EQ(utf8_excerpt("\xC0\xAF", 200), "\uFFFD\uFFFD");  // overlong
  EXPECT_EQ(utf8_excerpt("\xED\xA0\x80", 4), "\uFFFD");      // a surrogate; only one fits
  EXPECT_EQ(utf8_excerpt("\xF4\x90\x80\x80", 3), "\uFFFD");  // beyond Unicode
  EXPECT_EQ(utf8_excerpt("é", 1), "");                       // no half characters
  EXPECT_EQ(utf8_excerpt(std::string(1000, 'x'), 200).size(), 200U);
  EXPECT_EQ(utf8_excerpt("€\xE2\x82", 200), "€\uFFFD\uFFFD");  // cut at the end
}

TEST(VisibleCharacters, CountsWhatAPersonSees) {
  EXPECT_EQ(visible_characters(""), 0U);
  EXPECT_EQ(visible_characters(" \n\t\u00A0\u3000\u2028 "), 0U);
  EXPECT_EQ(visible_characters("  a b \n"), 3U);
  EXPECT_EQ(visible_characters("é😀"), 2U);
  EXPECT_EQ(visible_characters("\xFF"), 1U);
}

}  // namespace
}  // namespace pievt::pi
