#include "tools/render/json_writer.h"

#include <cstdlib>
#include <limits>

#include <gmock/gmock.h>

namespace pievt::render {
namespace {

using Layout = JsonWriter::Layout;
using Integers = JsonWriter::Integers;

TEST(JsonWriter, NestsAndSeparates) {
  StringWriter out;
  JsonWriter json(out);
  json.begin_object()
      .member("a", 1)
      .key("b")
      .begin_array()
      .value(true)
      .null()
      .value("x")
      .end_array();
  json.key("c").begin_object().end_object().end_object();
  EXPECT_EQ(out.text(), R"({"a":1,"b":[true,null,"x"],"c":{}})");
}

TEST(JsonWriter, IndentsForPeople) {
  StringWriter out;
  JsonWriter json(out, Layout::indented);
  json.begin_document("pievt.test", 3).key("items").begin_array().value(1).value(2).end_array();
  json.key("none").begin_array().end_array().end_object().end_document();
  EXPECT_EQ(out.text(),
            "{\n  \"schema\": \"pievt.test\",\n  \"schema_version\": 3,\n  \"items\": [\n    1,\n  "
            "  2\n  ],\n"
            "  \"none\": []\n}\n");
}

TEST(JsonWriter, WritesOneDocumentAfterTheOther) {
  StringWriter out;
  JsonWriter json(out);
  for (int i = 0; i < 2; ++i) {
    json.begin_document("s", 1).end_object();
    json.end_document();
  }
  EXPECT_EQ(out.text(),
            "{\"schema\":\"s\",\"schema_version\":1}\n{\"schema\":\"s\",\"schema_version\":1}\n");
}

TEST(JsonWriter, IntegersAreExactAndStringsWhenTold) {
  StringWriter out;
  JsonWriter json(out, Layout::compact, Integers::strings);
  constexpr auto low = std::numeric_limits<std::int64_t>::min();
  constexpr auto high = std::numeric_limits<std::uint64_t>::max();
  json.begin_array()
      .value(low)
      .value(high)
      .value(high, Integers::numbers)
      .value(std::uint8_t{7})
      .end_array();
  EXPECT_EQ(out.text(),
            R"(["-9223372036854775808","18446744073709551615",18446744073709551615,"7"])");
}

TEST(JsonWriter, DoublesReadBackTheSame) {
  for (const double number :
       {0.1, 1.0 / 3.0, 1e300, 5e-324, -0.0, 123456789.125, 1.7976931348623157e308}) {
    StringWriter out;
    JsonWriter(out).value(number);
    EXPECT_EQ(std::strtod(out.text().c_str(), nullptr), number) << out.text();
  }
  StringWriter out;
  JsonWriter json(out);
  json.begin_array().value(std::numeric_limits<double>::infinity());
  json.value(std::numeric_limits<double>::quiet_NaN()).end_array();
  EXPECT_EQ(out.text(), "[null,null]");
}

TEST(JsonString, EscapesWhatJsonAndTerminalsCannotTake) {
  EXPECT_EQ(json_string("a\"b\\c\n\t\r"), R"("a\"b\\c\n\t\r")");
  EXPECT_EQ(json_string(std::string_view("\0\x1b\x7f", 3)), R"("\u0000\u001b\u007f")");
  EXPECT_EQ(json_string("\u0085\u2028"), R"("\u0085\u2028")");
  EXPECT_EQ(json_string("gr\u00fc\u00df \U0001F600"), "\"gr\u00fc\u00df \U0001F600\"");
}

TEST(JsonString, ReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(json_string("a\xff"
                        "b"),
            "\"a\uFFFDb\"");
  EXPECT_EQ(json_string("\xe2\x82"), "\"\uFFFD\"");                  // cut short: one replacement
  EXPECT_EQ(json_string("\xed\xa0\x80"), "\"\uFFFD\uFFFD\uFFFD\"");  // a surrogate
  EXPECT_EQ(json_string("\xc0\xaf"), "\"\uFFFD\uFFFD\"");            // overlong
  EXPECT_EQ(json_string("\xf4\x90\x80\x80"), "\"\uFFFD\uFFFD\uFFFD\uFFFD\"");
}

TEST(JsonWriterDeathTest, AWrongOrderIsABug) {
  StringWriter out;
  EXPECT_DEATH(JsonWriter(out).begin_object().value(1), "broken invariant");
  EXPECT_DEATH(JsonWriter(out).begin_object().end_array(), "broken invariant");
  EXPECT_DEATH(JsonWriter(out).value(1).value(2), "broken invariant");
}

}  // namespace
}  // namespace pievt::render
