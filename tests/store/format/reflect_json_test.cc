// JSON and flat text, letter for letter.
#include "store/format/reflect_json.h"

#include <cstring>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "flatbuffers/flatbuffers.h"
#include "pievt/plain_text.h"
#include "tests/store/format/flatbuffer_maker.h"
#include "tests/store/format/zoo.h"

namespace pievt::reflect {
namespace {

using testing::body_from_json;
using ::testing::ElementsAre;
using testing::zoo_schema;

class ReflectJson : public ::testing::Test {
 public:
  std::vector<std::byte> body(const std::string& json) { return body_from_json(zoo_schema, json); }
  std::string json(const std::string& of, JsonStyle style = {}) {
    auto text = to_json(zoo, body(of), style);
    EXPECT_TRUE(text.ok()) << text.error().what;
    return text.ok() ? *text : "";
  }
  static std::string quoted(std::string_view text) {
    JsonWriter writer;
    writer.value(text);
    return writer.take();
  }

  const Schema zoo = testing::load(testing::compile(zoo_schema));
  static constexpr JsonStyle brief{.defaults = Defaults::hidden};
};

TEST_F(ReflectJson, EveryKindOfValue) {
  EXPECT_EQ(json(R"({
    name: "Ann", digest: {bytes: [0, 1, 171, 255]},
    spot: {x: -5, color: "red", size: 7, mark: {bytes: [1, 2, 3, 4]}, borders: ["blue", "red"]},
    payload_type: "Walked", payload: {
      zeal: 200, legs: [{name: "l", length: 0.1, next: {name: "deeper"}}, {}],
      digests: [{bytes: [1, 1, 1, 1]}, {bytes: [2, 2, 2, 2]}],
      spots: [{x: 1, color: "unknown", size: 2, mark: {bytes: [0, 0, 0, 0]},
               borders: ["unknown", "red"]}],
      names: ["a", ""], colors: ["red", "blue"], raw: [10, 255], flags: [true, false],
      big: [1, 18446744073709551615], alone: -9223372036854775808}})"),
            R"({"spot":{"x":-5,"color":"red","size":7,"mark":"01020304","borders":["blue","red"]},)"
            R"("name":"Ann","payload_type":"Walked","payload":{"zeal":200,)"
            R"("legs":[{"name":"l","length":0.1,"next":{"name":"deeper","length":1.5}},)"
            R"({"length":1.5}],"digests":["01010101","02020202"],)"
            R"("spots":[{"x":1,"color":"unknown","size":2,"mark":"00000000",)"
            R"("borders":["unknown","red"]}],"names":["a",""],"colors":["red","blue"],)"
            R"("raw":"0aff","flags":[true,false],"big":[1,"18446744073709551615"],)"
            R"("alone":"-9223372036854775808"},"digest":"0001abff"})");
}

TEST_F(ReflectJson, AbsentAndDefault) {
  EXPECT_EQ(json(R"({name: "Ann", payload_type: "Slept", payload: {}})"),
            R"({"name":"Ann","payload_type":"Slept","payload":{"hours":0,"depth":"unknown",)"
            R"("awake":true}})");
  EXPECT_EQ(json(R"({name: "Ann", payload_type: "Slept", payload: {}})", brief),
            R"({"name":"Ann","payload_type":"Slept","payload":{}})");
  EXPECT_EQ(json(R"({name: "Ann", payload_type: "Slept", payload: {depth: "abyss", awake: false}})",
                 brief),
            R"({"name":"Ann","payload_type":"Slept","payload":{"depth":"abyss","awake":false}})");
  EXPECT_EQ(json(R"({name: ""})"), R"({"name":"","payload_type":"NONE"})");
}

TEST_F(ReflectJson, DeprecatedFieldsOfOldEventsAreShown) {
  std::string older = zoo_schema;
  older.replace(older.find(", deprecated"), 12, "");
  const auto old_body =
      body_from_json(older, R"({name: "Ann", payload_type: "Slept", payload: {old: 9}})");
  EXPECT_EQ(*to_json(zoo, old_body, brief),
            R"({"name":"Ann","payload_type":"Slept","payload":{"old":9}})");
}

TEST_F(ReflectJson, NumbersWithoutAName) {
  auto bytes = body(R"({name: "Ann", payload_type: "Slept", payload: {depth: "shore"}})");
  std::string wider = zoo_schema;
  wider.replace(wider.find("shore = 1"), 9, "shore = 1, peak = 8848");
  bytes =
      body_from_json(wider, R"({name: "Ann", payload_type: "Slept", payload: {depth: "peak"}})");
  EXPECT_EQ(*to_json(zoo, bytes, brief),
            R"({"name":"Ann","payload_type":"Slept","payload":{"depth":8848}})");
}

TEST_F(ReflectJson, UnknownTagKeepsItsNumber) {
  std::string newer = zoo_schema;
  newer.replace(newer.find("Slept = 2 }"), 11, "Slept = 2, Leg = 200 }");
  const auto bytes =
      body_from_json(newer, R"({name: "Ann", payload_type: "Leg", payload: {name: "x"}})");
  EXPECT_EQ(*to_json(zoo, bytes), R"({"name":"Ann","payload_type":200,"payload":null})");
}

TEST_F(ReflectJson, NumbersThatReadersWouldRound) {
  const auto walked = [&](const std::string& big, JsonStyle style = brief) {
    const std::string head = R"({"name":"Ann","payload_type":"Walked","payload":{"big":[)";
    const std::string text =
        json(R"({name: "Ann", payload_type: "Walked", payload: {big: [)" + big + "]}}", style);
    EXPECT_EQ(text.substr(0, head.size()), head);
    return text.substr(head.size(), text.size() - head.size() - 3);
  };
  EXPECT_EQ(walked("9007199254740992"), "9007199254740992");  // 2^53 is exact
  EXPECT_EQ(walked("9007199254740993"), R"("9007199254740993")");
  EXPECT_EQ(walked("9007199254740993", {.large_numbers = JsonStyle::LargeNumbers::as_numbers,
                                        .defaults = Defaults::hidden}),
            "9007199254740993");
  JsonWriter writer;
  writer.value(std::int64_t{-9007199254740993});
  EXPECT_EQ(writer.take(), R"("-9007199254740993")");
}

TEST_F(ReflectJson, RealNumbers) {
  const auto real = [](double number) {
    JsonWriter writer;
    writer.value(number);
    return writer.take();
  };
  EXPECT_EQ(real(0.1), "0.1");
  EXPECT_EQ(real(1e300), "1e+300");
  EXPECT_EQ(real(-0.0), "-0");
  EXPECT_EQ(real(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(real(std::numeric_limits<double>::quiet_NaN()), "null");
}

TEST_F(ReflectJson, StringsAreEscaped) {
  EXPECT_EQ(quoted("plain"), R"("plain")");
  EXPECT_EQ(quoted("\"\\/\b\f\n\r\t"), R"("\"\\/\b\f\n\r\t")");
  EXPECT_EQ(quoted(std::string_view("\0\x1b\x7f", 3)), R"("\u0000\u001b\u007f")");
  EXPECT_EQ(quoted("\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x90\x99"),
            "\"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x90\x99\"");
}

// One U+FFFD for each maximal subpart: the table of the Unicode standard, section 3.9.
TEST_F(ReflectJson, BrokenUtf8BecomesReplacementCharacters) {
  const std::string r = "\xEF\xBF\xBD";
  const struct {
    std::string_view text;
    std::string expected;
  } rows[] = {
      {"a\x80z", "a" + r + "z"},            // a lone continuation
      {"\xC0\xAF", r + r},                  // overlong
      {"\xE0\x80\x80", r + r + r},          // overlong
      {"\xED\xA0\x80", r + r + r},          // a surrogate
      {"\xF4\x90\x80\x80", r + r + r + r},  // beyond U+10FFFF
      {"\xFF", r},                          // never a byte of UTF-8
      {"\xE2\x82", r},                      // cut off at the end
      {"\xE2\x82z", r + "z"},               // cut off in the middle
      {"\xF0\x9F\x90", r},                  // cut off one before the end
      {"\x61\xF1\x80\x80\xE1\x80\xC2\x62", "a" + r + r + r + "b"},
      {"\xF4\x8F\xBF\xBF", "\xF4\x8F\xBF\xBF"},  // the last one there is
  };
  for (const auto& row : rows) {
    EXPECT_EQ(quoted(row.text), "\"" + row.expected + "\"") << row.expected;
  }
}

TEST_F(ReflectJson, Pretty) {
  EXPECT_EQ(json(R"({name: "Ann", payload_type: "Walked", payload: {names: ["a", "b"], colors: [],
                     legs: [{}]}})",
                 {.layout = JsonStyle::Layout::pretty, .defaults = Defaults::hidden}),
            R"({
  "name": "Ann",
  "payload_type": "Walked",
  "payload": {
    "legs": [
      {}
    ],
    "names": [
      "a",
      "b"
    ],
    "colors": []
  }
})");
}

TEST_F(ReflectJson, WriterByHandAroundAWalk) {
  JsonWriter writer;
  writer.begin_object();
  writer.key("sequence");
  writer.value(std::uint64_t{812});
  writer.key("event");
  ASSERT_TRUE(walk(zoo, body(R"({name: "Ann"})"), writer).ok());
  writer.key("tags");
  writer.begin_array();
  writer.value(std::string_view("a"));
  writer.value(true);
  writer.end_array();
  writer.end_object();
  EXPECT_EQ(writer.take(),
            R"({"sequence":812,"event":{"name":"Ann","payload_type":"NONE"},"tags":["a",true]})");
}

TEST_F(ReflectJson, AnyAddressWillDo) {
  const auto bytes = body(R"({name: "Ann", payload_type: "Walked", payload: {big: [5]}})");
  const std::string expected = *to_json(zoo, bytes);
  std::vector<std::byte> shelf(bytes.size() + 16);
  for (std::size_t shift = 0; shift < 16; ++shift) {
    std::memcpy(shelf.data() + shift, bytes.data(), bytes.size());
    EXPECT_EQ(*to_json(zoo, std::span(shelf).subspan(shift, bytes.size())), expected) << shift;
  }
}

TEST_F(ReflectJson, WhatStandsForItselfIsFoundAtEveryPlace) {
  for (int byte = 0; byte < 256; ++byte) {
    for (std::size_t at = 0; at < 20; ++at) {
      std::string text(20, 'a');
      text[at] = static_cast<char>(byte);
      const bool plain = byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';
      EXPECT_EQ(plain_run(text), plain ? text.size() : at) << byte;
    }
  }
  // What comes behind, in the same eight bytes, changes nothing.
  EXPECT_EQ(plain_run(std::string_view("ab\x1f\x20\xff\x00zz", 8)), 2u);
  EXPECT_EQ(plain_run("abcd\"!!!!"), 4u);
}

TEST_F(ReflectJson, OneObjectOfABody) {
  const auto bytes = body(R"({name: "Ann", digest: {bytes: [1, 2, 3, 4]},
                              payload_type: "Slept", payload: {depth: "shore"}})");
  // Generated accessors hand out addresses like these.
  const auto* root = flatbuffers::GetRoot<flatbuffers::Table>(bytes.data());
  const ObjectType& animal = zoo.root();
  const void* payload = root->GetPointer<const void*>(animal.find("payload")->offset);
  const void* digest = root->GetAddressOf(animal.find("digest")->offset);
  EXPECT_EQ(*object_to_json(zoo, *zoo.find_object("Slept"), bytes, payload, brief),
            R"({"depth":"shore"})");
  EXPECT_EQ(*object_to_json(zoo, *zoo.find_object("Digest"), bytes, digest), R"("01020304")");

  std::vector<std::byte> shelf(bytes.size() + 1);
  std::memcpy(shelf.data() + 1, bytes.data(), bytes.size());
  const auto at = static_cast<const std::byte*>(payload) - bytes.data();
  EXPECT_EQ(*object_to_json(zoo, *zoo.find_object("Slept"), std::span(shelf).subspan(1),
                            shelf.data() + 1 + at, brief),
            R"({"depth":"shore"})");
}

TEST_F(ReflectJson, AnObjectElsewhereIsRefused) {
  const auto bytes = body(R"({name: "Ann"})");
  const ObjectType& spot = *zoo.find_object("Spot");
  const std::vector<std::byte> elsewhere(64);
  for (const void* object : {static_cast<const void*>(elsewhere.data()),
                             static_cast<const void*>(bytes.data() + bytes.size()),
                             static_cast<const void*>(bytes.data() + bytes.size() - 8),
                             static_cast<const void*>(nullptr)}) {
    auto json = object_to_json(zoo, spot, bytes, object);
    ASSERT_FALSE(json.ok());
    EXPECT_EQ(json.error().code, Errc::corrupt);
  }
  // A struct may fill the bytes it is given to the last.
  EXPECT_TRUE(
      object_to_json(zoo, spot, std::span(elsewhere).first(spot.size), elsewhere.data()).ok());
}

TEST_F(ReflectJson, Flat) {
  const auto bytes = body(R"({name: "A \"n\"", digest: {bytes: [1, 2, 3, 4]},
    payload_type: "Walked", payload: {legs: [{name: "l", next: {}}, {length: 2}], names: ["x", "y"],
    colors: [], big: [18446744073709551615]}})");
  auto leaves = flatten(zoo, bytes, Defaults::hidden);
  ASSERT_TRUE(leaves.ok());
  EXPECT_THAT(
      *leaves,
      ElementsAre(Leaf{"name", "A \"n\""}, Leaf{"payload_type", "Walked"},
                  Leaf{"payload.legs[0].name", "l"}, Leaf{"payload.legs[0].next", "{}"},
                  Leaf{"payload.legs[1].length", "2"}, Leaf{"payload.names[0]", "x"},
                  Leaf{"payload.names[1]", "y"}, Leaf{"payload.colors", "[]"},
                  Leaf{"payload.big[0]", "18446744073709551615"}, Leaf{"digest", "01020304"}));
}

}  // namespace
}  // namespace pievt::reflect
