// Every event there is, filled by dice: our JSON must say what FlatBuffers' own printer says. New
// events are covered without a new test.
#include <cstring>
#include <random>
#include <string>

#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include "flatbuffers/flatbuffers.h"
#include "pievt/schema/envelope_generated.h"
#include "store/format/blob_refs.h"
#include "store/format/reflect_blobs.h"
#include "store/format/reflect_json.h"
#include "store/format/reflect_json_table.h"
#include "tests/store/format/flatbuffer_maker.h"

namespace pievt::reflect {
namespace {

constexpr JsonStyle exact{.large_numbers = JsonStyle::LargeNumbers::as_numbers};

std::string hex_of(const rapidjson::Value& bytes) {
  std::string text;
  for (const rapidjson::Value& byte : bytes.GetArray()) {
    constexpr std::string_view digits = "0123456789abcdef";
    text += digits[byte.GetUint() / 16];
    text += digits[byte.GetUint() % 16];
  }
  return text;
}

// Theirs spells out what ours writes as one string of hexadecimal digits.
bool same_bytes(const rapidjson::Value& ours, const rapidjson::Value& theirs) {
  if (theirs.IsArray()) return ours.GetString() == hex_of(theirs);
  return theirs.IsObject() && theirs.MemberCount() == 1 && theirs.HasMember("bytes") &&
         ours.GetString() == hex_of(theirs["bytes"]);
}

::testing::AssertionResult same(const rapidjson::Value& ours, const rapidjson::Value& theirs,
                                const std::string& where) {
  const auto differs = [&] { return ::testing::AssertionFailure() << "differ at " << where; };
  if (ours.IsString() && !theirs.IsString()) {
    return same_bytes(ours, theirs) ? ::testing::AssertionSuccess() : differs();
  }
  if (ours.IsObject()) {
    if (!theirs.IsObject() || ours.MemberCount() != theirs.MemberCount()) return differs();
    for (const auto& member : ours.GetObject()) {
      const char* const name = member.name.GetString();
      if (!theirs.HasMember(name)) return differs() << "." << name;
      auto inner = same(member.value, theirs[name], where + "." + name);
      if (!inner) return inner;
    }
    return ::testing::AssertionSuccess();
  }
  if (ours.IsArray()) {
    if (!theirs.IsArray() || ours.Size() != theirs.Size()) return differs();
    for (rapidjson::SizeType i = 0; i < ours.Size(); ++i) {
      auto inner = same(ours[i], theirs[i], where + "[" + std::to_string(i) + "]");
      if (!inner) return inner;
    }
    return ::testing::AssertionSuccess();
  }
  return ours == theirs ? ::testing::AssertionSuccess() : differs();
}

// What is made to be asked a million times says the same as what is asked once.
void compare_with_tables(const Schema& schema, const std::vector<std::byte>& body) {
  const JsonTable table(schema);
  std::string text = "before ";
  const auto* const root = flatbuffers::GetRoot<flatbuffers::Table>(body.data());
  ASSERT_TRUE(table.append(text, schema.root(), body, root).ok());
  EXPECT_EQ(text, "before " + to_json(schema, body).value());

  BlobFinder finder(schema);
  const auto found = finder.find(body);
  const auto expected = blobs_of(schema, body);
  ASSERT_TRUE(found.ok() && expected.ok());
  ASSERT_EQ(found->size(), expected->size());
  for (std::size_t i = 0; i < expected->size(); ++i) {
    EXPECT_EQ((*found)[i].field, (*expected)[i].field);
    EXPECT_EQ(std::memcmp(&(*found)[i].ref, &(*expected)[i].ref, sizeof(schema::BlobRef)), 0);
  }
}

void compare_with_flatc(const Schema& schema, const std::vector<std::byte>& bfbs,
                        const std::vector<std::byte>& body) {
  auto ours = to_json(schema, body, exact);
  ASSERT_TRUE(ours.ok()) << ours.error().what;
  const std::string theirs = testing::flatc_json(bfbs, body);
  rapidjson::Document our_document;
  rapidjson::Document their_document;
  our_document.Parse<rapidjson::kParseValidateEncodingFlag>(ours->c_str());
  their_document.Parse(theirs.c_str());
  ASSERT_FALSE(our_document.HasParseError()) << *ours;
  ASSERT_FALSE(their_document.HasParseError()) << theirs;
  EXPECT_TRUE(same(our_document, their_document, "root")) << *ours << "\n" << theirs;
  compare_with_tables(schema, body);
}

std::vector<std::byte> copy(std::span<const std::byte> bytes) {
  return {bytes.begin(), bytes.end()};
}

TEST(Oracle, EveryEvent) {
  const Schema& events = Schema::embedded_events();
  const std::vector<std::byte> bfbs = copy(embedded_events_bfbs());
  std::mt19937_64 dice(20240609);
  for (const EnumMember& event : events.root_union()->members) {
    if (event.number == 0) continue;
    SCOPED_TRACE(event.name);
    for (int round = 0; round < 15; ++round) {
      const auto body = testing::random_body(events, static_cast<std::uint8_t>(event.number), dice);
      flatbuffers::Verifier verifier(reinterpret_cast<const std::uint8_t*>(body.data()),
                                     body.size());
      ASSERT_TRUE(schema::VerifyEnvelopeBuffer(verifier));
      compare_with_flatc(events, bfbs, body);
    }
  }
}

void compare_projection(const Schema& schema, std::span<const std::byte> embedded) {
  const std::vector<std::byte> bfbs = copy(embedded);
  std::mt19937_64 dice(20240610);
  for (int round = 0; round < 100; ++round) {
    compare_with_flatc(schema, bfbs, testing::random_body(schema, 0, dice));
  }
}

TEST(Oracle, RunStates) {
  compare_projection(Schema::embedded_run_state(), embedded_run_state_bfbs());
}

TEST(Oracle, RunLists) {
  compare_projection(Schema::embedded_run_list(), embedded_run_list_bfbs());
}

}  // namespace
}  // namespace pievt::reflect
