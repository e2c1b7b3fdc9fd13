// Values and where they stand.
#include "supervisor/plan/json_tree.h"

#include <random>

#include <gtest/gtest.h>

#include "supervisor/plan/limits.h"

namespace pievt::plan {
namespace {

std::string at(const Place& place) {
  const auto [line, column] = place.source->position(place.offset);
  return std::to_string(line) + ":" + std::to_string(column);
}

/// One line for each value: position of key, key, position, kind.
std::string outline(JsonView value, const std::string& indent) {
  std::string out = indent;
  if (!value.key().empty()) out += at(value.key_place()) + " " + std::string(value.key()) + " = ";
  out += at(value.place()) + " " + std::string(name_of(value.kind())) + "\n";
  if (value.kind() == JsonKind::array || value.kind() == JsonKind::object)
    for (const JsonView inner : value) out += outline(inner, indent + "  ");
  return out;
}

TEST(JsonTree, KnowsWhereEverythingStands) {
  const Source source("f",
                      "\xEF\xBB\xBF// \"a\": 1, {}\n"
                      "{ \"ä\" /* : 2 */ : [ 1 , -2.5e3,\n"
                      "    true,null , \"x\\\"],{\" ,],\n"
                      "  \"o\": { \"\\u006b\": { } }, // ,\n"
                      "}  /* end */ ");
  Problems problems;
  const auto tree = JsonTree::parse(source, problems);
  ASSERT_TRUE(tree) << problems.error().what;
  EXPECT_EQ(outline(tree->root(), ""),
            "2:1 an object\n"
            "  2:3 ä = 2:19 a list\n"
            "    2:21 a number\n"
            "    2:25 a number\n"
            "    3:5 true or false\n"
            "    3:10 null\n"
            "    3:17 text\n"
            "  4:3 o = 4:8 an object\n"
            "    4:10 k = 4:20 an object\n");
  const JsonView list = *tree->root().find("ä");
  EXPECT_EQ(list.size(), 5u);
  auto element = list.begin();
  EXPECT_EQ((*element++).whole_number(), 1);
  EXPECT_EQ((*element).number(), -2500);
  EXPECT_EQ((*element++).whole_number(), -2500);
  EXPECT_TRUE((*element++).boolean());
  ++element;
  EXPECT_EQ((*element).string(), "x\"],{");
  EXPECT_FALSE(tree->root().find("k"));
}

TEST(JsonTree, PositionsInsideStringsCountEscapes) {
  const Source source("f", R"(["aä\n\u00e4\ud83d\ude00z"])");
  Problems problems;
  const auto tree = JsonTree::parse(source, problems);
  ASSERT_TRUE(tree);
  const JsonView text = *tree->root().begin();
  ASSERT_EQ(text.string(), "aä\nä😀z");
  const auto where = [&](std::string_view part) {
    return at(place_in_string(text.place(), text.string().find(part)));
  };
  EXPECT_EQ(where("aä\n"), "1:3");
  EXPECT_EQ(where("\n"), "1:5");
  EXPECT_EQ(where("ä😀"), "1:7");
  EXPECT_EQ(where("😀"), "1:13");
  EXPECT_EQ(where("z"), "1:25");
}

TEST(JsonTree, NumbersAreWholeOrNot) {
  const Source source("f",
                      "[9223372036854775807, 9223372036854775808, 2.0, 2.5, -0, 1e300, 1e3, "
                      "18446744073709551615.5]");
  Problems problems;
  const auto tree = JsonTree::parse(source, problems);
  ASSERT_TRUE(tree);
  std::vector<std::optional<std::int64_t>> whole;
  for (const JsonView number : tree->root()) whole.push_back(number.whole_number());
  EXPECT_EQ(whole,
            (std::vector<std::optional<std::int64_t>>{INT64_MAX, {}, 2, {}, 0, {}, 1000, {}}));
}

TEST(JsonTree, ReadsAPartOfAText) {
  const Source source("f", "nonsense {\"a\": [1]} nonsense");
  Problems problems;
  const auto tree = JsonTree::parse(source, 9, 19, problems);
  ASSERT_TRUE(tree);
  EXPECT_EQ(at(tree->root().find("a")->place()), "1:16");
}

TEST(JsonTree, DepthIsBounded) {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  for (const std::size_t depth :
       {limits::depth_max, limits::depth_max + 1, std::size_t{1'000'000}}) {
    const Source source("f", nested(depth));
    Problems problems;
    const bool ok = JsonTree::parse(source, problems).has_value();
    EXPECT_EQ(ok, depth <= limits::depth_max);
    if (ok) continue;
    EXPECT_EQ(problems.error().what, "f:1:65: more than 64 lists and objects inside each other");
  }
}

TEST(JsonTree, ManyValuesAreRefusedBeforeTheyFillTheMemory) {
  std::string text = "[";
  for (std::size_t i = 0; i < limits::values_max; ++i) text += "1,";
  const Source source("f", text + "1]");
  Problems problems;
  EXPECT_FALSE(JsonTree::parse(source, problems));
  EXPECT_EQ(problems.error().what, "f:1:8000000: more than 4000000 JSON values");
}

TEST(JsonTree, ANulIsNotTheEnd) {
  const Source source("f", std::string("{}\0{}", 5));
  Problems problems;
  EXPECT_FALSE(JsonTree::parse(source, problems));
  EXPECT_EQ(problems.error().what, "f:1:3: a NUL byte: this is not a text file");
}

TEST(JsonTree, EveryCutOfADocumentIsRefusedInsideIt) {
  const std::string whole = R"({"a": [1, {"b": "\u00e9x"}, // c
    -1.5e3, true], /* d */ "e": null})";
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    const Source source("f", whole.substr(0, cut));
    Problems problems;
    EXPECT_FALSE(JsonTree::parse(source, problems)) << cut;
    EXPECT_EQ(problems.count(), 1u) << cut;
  }
}

TEST(Source, ColumnsAreCharacters) {
  const Source source("f", "äö\n\n€x");
  EXPECT_EQ(source.position(4).column, 3u);
  EXPECT_EQ(source.position(5).line, 2u);
  EXPECT_EQ(source.position(9).line, 3u);
  EXPECT_EQ(source.position(9).column, 2u);
  EXPECT_EQ(source.position(1000).column, 3u) << "past the end is the end";
}

}  // namespace
}  // namespace pievt::plan
