// Bytes that nobody of us wrote: bodies and schemas that are cut, flipped or made on purpose. The
// answer is an error or valid JSON, never a crash, and never more work than the bytes are worth.
#include <cstring>
#include <functional>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidjson/reader.h>

#include "flatbuffers/flatbuffers.h"
#include "flatbuffers/reflection_generated.h"
#include "store/format/reflect_json.h"
#include "store/format/reflect_json_table.h"
#include "store/format/schema_facts.h"
#include "store/format/schema_markdown.h"
#include "tests/store/format/flatbuffer_maker.h"
#include "tests/store/format/zoo.h"

namespace pievt::reflect {
namespace {

using testing::body_from_json;
using testing::compile;
using ::testing::HasSubstr;
using testing::zoo_schema;

constexpr char rich_animal[] = R"({
  name: "Ann", digest: {bytes: [0, 1, 171, 255]},
  spot: {x: -5, color: "red", size: 7, mark: {bytes: [1, 2, 3, 4]}, borders: ["blue", "red"]},
  payload_type: "Walked", payload: {
    zeal: 200, legs: [{name: "l", length: 0.1, next: {name: "deeper", toes: [{}, {name: "t"}]}}],
    digests: [{bytes: [1, 1, 1, 1]}], names: ["a", "b"], colors: ["red", "blue"], raw: [10, 255],
    spots: [{x: 1, color: "unknown", size: 2, mark: {bytes: [0, 0, 0, 0]},
             borders: ["red", "red"]}],
    flags: [true, false], big: [1, 18446744073709551615], alone: -2}})";

bool is_json(const std::string& text) {
  rapidjson::Reader reader;
  rapidjson::StringStream stream(text.c_str());
  rapidjson::BaseReaderHandler<> nobody;
  return !reader
              .Parse<rapidjson::kParseValidateEncodingFlag | rapidjson::kParseIterativeFlag>(stream,
                                                                                             nobody)
              .IsError();
}

class Hostile : public ::testing::Test {
 public:
  // Copies the bytes into memory of exactly their size, so that the sanitizer sees every step
  // outside.
  bool survives(std::span<const std::byte> bytes) {
    const std::vector<std::byte> body(bytes.begin(), bytes.end());
    auto json = to_json(zoo, body);
    auto leaves = flatten(zoo, body);
    if (!json.ok()) return json.error().code == Errc::corrupt && !leaves.ok();
    ++readable;
    std::string again;
    const auto* const root = flatbuffers::GetRoot<flatbuffers::Table>(body.data());
    if (!table.append(again, zoo.root(), body, root).ok() || again != *json) return false;
    return is_json(*json) && leaves.ok();
  }

  const std::vector<std::byte> bfbs = compile(zoo_schema);
  const Schema zoo = testing::load(bfbs);
  const JsonTable table{zoo};
  const std::vector<std::byte> rich = body_from_json(zoo_schema, rich_animal);
  std::size_t readable = 0;
};

TEST_F(Hostile, BodiesCutAnywhere) {
  for (std::size_t size = 0; size < rich.size(); ++size) {
    EXPECT_TRUE(survives(std::span(rich).first(size))) << size;
  }
  EXPECT_TRUE(survives(rich));
  EXPECT_GE(readable, 1u);
}

TEST_F(Hostile, EveryBitFlipped) {
  for (std::size_t bit = 0; bit < rich.size() * 8; ++bit) {
    std::vector<std::byte> body = rich;
    body[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_TRUE(survives(body)) << "bit " << bit;
  }
  EXPECT_GT(readable, rich.size());  // most flips pass: hence the checksums
}

TEST_F(Hostile, OffsetsThatLeadAnywhere) {
  std::mt19937_64 dice(20240607);
  const std::uint32_t numbers[] = {0, 1, 4, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFC};
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::byte> body = rich;
    for (std::uint64_t n = dice() % 3 + 1; n > 0; --n) {
      const std::size_t at = dice() % (body.size() / 4) * 4;
      const auto number = dice() % 2 == 0 ? numbers[dice() % std::size(numbers)]
                                          : static_cast<std::uint32_t>(dice() % body.size());
      std::memcpy(body.data() + at, &number, sizeof(number));
    }
    EXPECT_TRUE(survives(body)) << "round " << i;
  }
}

TEST_F(Hostile, NoBytesAtAll) {
  auto json = to_json(zoo, {});
  ASSERT_FALSE(json.ok());
  EXPECT_EQ(json.error().code, Errc::corrupt);
}

class Builder {
 public:
  flatbuffers::Offset<void> leg(const std::vector<flatbuffers::Offset<void>>& toes,
                                flatbuffers::Offset<void> next = 0) {
    const auto vector = toes.empty() ? flatbuffers::Offset<void>()
                                     : flatbuffers::Offset<void>(fbb_.CreateVector(toes).o);
    const auto start = fbb_.StartTable();
    fbb_.AddOffset(slot(3), vector);
    fbb_.AddOffset(slot(2), next);
    return {fbb_.EndTable(start)};
  }
  std::vector<std::byte> animal_with(const std::vector<flatbuffers::Offset<void>>& legs,
                                     const std::vector<std::string>& names = {}) {
    const auto leg_vector = fbb_.CreateVector(legs);
    std::vector<flatbuffers::Offset<flatbuffers::String>> strings;
    strings.reserve(names.size());
    for (const std::string& name : names) strings.push_back(fbb_.CreateSharedString(name));
    const auto name_vector = fbb_.CreateVector(strings);
    const auto walked = fbb_.StartTable();
    fbb_.AddOffset(slot(1), leg_vector);
    fbb_.AddOffset(slot(4), name_vector);
    const auto payload = fbb_.EndTable(walked);
    const auto name = fbb_.CreateString("Ann");
    const auto animal = fbb_.StartTable();
    fbb_.AddOffset(slot(1), name);
    fbb_.AddElement<std::uint8_t>(slot(2), 1, 0);
    fbb_.AddOffset(slot(3), flatbuffers::Offset<void>(payload));
    fbb_.Finish(flatbuffers::Offset<flatbuffers::Table>(fbb_.EndTable(animal)), "ZOO1");
    const auto bytes = std::as_bytes(std::span(fbb_.GetBufferPointer(), fbb_.GetSize()));
    return {bytes.begin(), bytes.end()};
  }

 private:
  static flatbuffers::voffset_t slot(int id) {
    return static_cast<flatbuffers::voffset_t>(4 + 2 * id);
  }
  flatbuffers::FlatBufferBuilder fbb_;
};

TEST_F(Hostile, NestingHasALimit) {
  const auto nested = [](int levels) {
    Builder builder;
    auto leg = builder.leg({});
    for (int i = 1; i < levels; ++i) leg = builder.leg({}, leg);
    return builder.animal_with({leg});
  };
  EXPECT_TRUE(to_json(zoo, nested(62)).ok());  // in an animal and its payload: 64 tables deep
  EXPECT_FALSE(to_json(zoo, nested(63)).ok());
  EXPECT_FALSE(to_json(zoo, nested(5'000)).ok());
}

// Each level refers to the one below twice: 2^40 legs in a thousand bytes.
TEST_F(Hostile, SharedTablesDoNotMultiply) {
  Builder builder;
  auto leg = builder.leg({});
  for (int i = 0; i < 40; ++i) leg = builder.leg({leg, leg});
  const auto body = builder.animal_with({leg});
  EXPECT_LT(body.size(), 2'000u);
  EXPECT_FALSE(to_json(zoo, body).ok());
}

TEST_F(Hostile, SharedStringsMultiplyOnlySoFar) {
  const auto body =
      Builder().animal_with({}, std::vector<std::string>(8'000, std::string(20'000, 'x')));
  EXPECT_LT(body.size(), 64u << 10);
  EXPECT_FALSE(to_json(zoo, body).ok());
  // What honest builders share stays readable.
  EXPECT_TRUE(
      to_json(zoo, Builder().animal_with({}, std::vector<std::string>(500, "main.cc"))).ok());
}

TEST_F(Hostile, SchemasCutAnywhere) {
  // The last few bytes are padding.
  for (std::size_t size = 0; size + sizeof(std::uint64_t) < bfbs.size(); ++size) {
    const std::vector<std::byte> cut(bfbs.begin(),
                                     bfbs.begin() + static_cast<std::ptrdiff_t>(size));
    auto schema = Schema::load(cut);
    ASSERT_FALSE(schema.ok()) << size;
    EXPECT_EQ(schema.error().code, Errc::corrupt);
  }
}

// Whatever a flipped schema says, it can be printed and walked with.
TEST_F(Hostile, SchemasWithFlippedBits) {
  std::mt19937_64 dice(20240608);
  std::size_t loaded = 0;
  for (int i = 0; i < 6'000; ++i) {
    std::vector<std::byte> bytes = bfbs;
    for (std::uint64_t n = dice() % 2 + 1; n > 0; --n) {
      bytes[dice() % bytes.size()] ^= std::byte{1} << (dice() % 8);
    }
    auto schema = Schema::load(bytes);
    if (!schema.ok()) continue;
    ++loaded;
    if (auto json = to_json(*schema, rich); json.ok()) {
      EXPECT_TRUE(is_json(*json)) << i;
    }
    EXPECT_FALSE(lock_lines(*schema).empty());
    EXPECT_FALSE(events_markdown(*schema).empty());
  }
  EXPECT_GT(loaded, 100u);
}

// A schema of one object `A` with one field `f`, and one enum `E` with one member.
struct Odd {
  bool is_struct = false;
  int size = 0;
  int base = reflection::Int;
  int element = reflection::None;
  int index = -1;
  std::uint16_t length = 0;
  std::uint16_t id = 0;
  std::uint16_t offset = 4;
  bool is_union = false;
  int member = -1;
};

std::vector<std::byte> odd_schema(const Odd& odd) {
  flatbuffers::FlatBufferBuilder fbb;
  // By hand, because the library's own builder takes no numbers that are not of its enum.
  const auto start = fbb.StartTable();
  fbb.AddElement<std::int8_t>(reflection::Type::VT_BASE_TYPE, static_cast<std::int8_t>(odd.base),
                              0);
  fbb.AddElement<std::int8_t>(reflection::Type::VT_ELEMENT, static_cast<std::int8_t>(odd.element),
                              0);
  fbb.AddElement<std::int32_t>(reflection::Type::VT_INDEX, odd.index, -1);
  fbb.AddElement<std::uint16_t>(reflection::Type::VT_FIXED_LENGTH, odd.length, 0);
  const flatbuffers::Offset<reflection::Type> type(fbb.EndTable(start));
  const auto field = reflection::CreateField(fbb, fbb.CreateString("f"), type, odd.id, odd.offset);
  const auto fields = fbb.CreateVector(std::vector{field});
  const auto object = reflection::CreateObject(fbb, fbb.CreateString("A"), fields, odd.is_struct,
                                               odd.is_struct ? 4 : 1, odd.size);
  const auto root = reflection::CreateObject(
      fbb, fbb.CreateString("R"),
      fbb.CreateVector(std::vector<flatbuffers::Offset<reflection::Field>>{}));
  const auto member_type =
      reflection::CreateType(fbb, reflection::Obj, reflection::None, odd.member);
  const auto value =
      reflection::CreateEnumVal(fbb, fbb.CreateString("m"), 1, odd.is_union ? member_type.o : 0);
  const auto underlying = reflection::CreateType(fbb, reflection::UByte);
  const auto type_e = reflection::CreateEnum(
      fbb, fbb.CreateString("E"), fbb.CreateVector(std::vector{value}), odd.is_union, underlying);
  const auto objects = fbb.CreateVector(std::vector{object, root});
  const auto enums = fbb.CreateVector(std::vector{type_e});
  const auto none = fbb.CreateString("");
  fbb.Finish(reflection::CreateSchema(fbb, objects, enums, none, none, root), "BFBS");
  const auto bytes = std::as_bytes(std::span(fbb.GetBufferPointer(), fbb.GetSize()));
  return {bytes.begin(), bytes.end()};
}

TEST(OddSchemas, AreRefusedByName) {
  using namespace reflection;
  ASSERT_TRUE(Schema::load(odd_schema({})).ok());
  ASSERT_TRUE(Schema::load(odd_schema({.is_struct = true, .size = 4, .offset = 0})).ok());
  const struct {
    Odd odd;
    const char* says;
  } rows[] = {
      {{.base = 99}, "A.f: has no known type"},
      {{.base = -1}, "A.f: has no known type"},
      {{.base = String, .index = 0}, "A.f: has no known type"},
      {{.base = Obj, .index = 2}, "A.f: has no known type"},
      {{.base = Obj, .index = -1}, "A.f: has no known type"},
      {{.base = Array, .element = Int, .length = 2}, "A.f: has no known type"},
      {{.base = UByte, .index = 1}, "A.f: has no known type"},
      {{.base = UByte, .index = -2}, "A.f: has no known type"},
      {{.base = Vector, .element = Vector}, "A.f: is a vector of nothing known"},
      {{.base = Vector, .element = Obj, .index = 7}, "A.f: is a vector of nothing known"},
      {{.base = Vector, .element = None}, "A.f: is a vector of nothing known"},
      {{.base = Vector, .element = Union, .index = 0, .is_union = true}, "vectors of unions"},
      {{.base = Union, .index = 0, .is_union = true}, "A.f: is a union without its tag"},
      {{.id = 1, .offset = 6}, "A: has gaps in its ids"},
      {{.offset = 6}, "A.f: is not where its id says"},
      {{.is_struct = true, .size = 0, .offset = 0}, "A: has an impossible size"},
      {{.is_struct = true, .size = -8, .offset = 0}, "A: has an impossible size"},
      {{.is_struct = true, .size = 4, .offset = 1}, "A.f: reaches beyond its struct"},
      {{.is_struct = true, .size = 4, .base = Array, .element = Int, .length = 2, .offset = 0},
       "A.f: reaches beyond its struct"},
      {{.is_struct = true, .size = 4, .base = String, .offset = 0},
       "A.f: cannot be part of a struct"},
      {{.is_struct = true, .size = 4, .base = Obj, .index = 1, .offset = 0},
       "A.f: cannot be part of a struct"},
      {{.is_struct = true, .size = 4, .base = Obj, .index = 0, .offset = 0}, "A: contains itself"},
      {{.is_union = true, .member = 9}, "E: names a table that is not there"},
  };
  for (const auto& row : rows) {
    auto schema = Schema::load(odd_schema(row.odd));
    ASSERT_FALSE(schema.ok()) << row.says;
    EXPECT_THAT(schema.error().what, HasSubstr(row.says));
  }
}

}  // namespace
}  // namespace pievt::reflect
