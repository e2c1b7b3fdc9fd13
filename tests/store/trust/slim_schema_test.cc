// A schema of which only what is needed is left reads what it was left for as the whole one does.
#include <gtest/gtest.h>

#include "pievt/event.h"
#include "store/format/codec.h"
#include "store/format/reflect_json.h"
#include "store/format/reflect_slim.h"

namespace pievt {
namespace {

std::vector<std::byte> body_of(NewEvent event) {
  std::vector<std::byte> body;
  format::BodyEncoder encoder;
  body.resize(encoder.append(event, body));
  return body;
}

NewEvent a_gate() {
  schema::GateDecidedT decided;
  decided.decision = schema::GateDecision::failed;
  decided.checks.push_back(std::make_unique<schema::CheckT>());
  decided.checks[0]->kind = "requiredPaths";
  decided.checks[0]->status = schema::CheckStatus::failed;
  return {std::move(decided), {.job = 3, .attempt = 1, .gate = 2}};
}

Result<reflect::Schema> loaded(std::span<const std::byte> slim) {
  const auto binary = PIEVT_TRY(reflect::binary_schema(slim));
  return reflect::Schema::load(binary);
}

TEST(SlimSchema, ReadsWhatItWasLeftFor) {
  const reflect::Schema& whole = reflect::Schema::embedded_events();
  const auto tag = static_cast<std::int64_t>(schema::Payload::GateDecided);
  const std::vector<std::byte> bytes = reflect::slim_schema(whole, {tag});
  const auto slim = loaded(bytes);
  ASSERT_TRUE(slim.ok()) << slim.error().what;
  const auto body = body_of(a_gate());
  EXPECT_EQ(reflect::to_json(whole, body).value(), reflect::to_json(*slim, body).value());
  EXPECT_EQ(slim->file_identifier(), whole.file_identifier());
  EXPECT_EQ(slim->find_object("RunPlanned"), nullptr);
  EXPECT_LT(bytes.size() * 40, reflect::embedded_events_bfbs().size());
  EXPECT_EQ(reflect::slim_schema(*slim, {tag}), bytes);
}

TEST(SlimSchema, WithAllTagsItIsTheWhole) {
  const reflect::Schema& whole = reflect::Schema::embedded_events();
  std::set<std::int64_t> tags;
  for (const reflect::EnumMember& member : whole.root_union()->members) tags.insert(member.number);
  const auto slim = loaded(reflect::slim_schema(whole, tags));
  ASSERT_TRUE(slim.ok()) << slim.error().what;
  for (const reflect::EnumMember& member : whole.root_union()->members) {
    const auto* there = whole.member_table(*whole.root_union(), member.number);
    const auto* here = slim->member_table(*slim->root_union(), member.number);
    ASSERT_EQ(there == nullptr, here == nullptr);
    if (there == nullptr) continue;
    EXPECT_EQ(there->name, here->name);
    EXPECT_EQ(there->fields.size(), here->fields.size());
  }
}

TEST(SlimSchema, WithoutATagAnEventIsOpaque) {
  const auto slim = loaded(reflect::slim_schema(reflect::Schema::embedded_events(), {}));
  ASSERT_TRUE(slim.ok()) << slim.error().what;
  EXPECT_TRUE(reflect::to_json(*slim, body_of(a_gate())).ok());
}

TEST(SlimSchema, WhatIsNoneIsRefused) {
  const auto bytes = reflect::slim_schema(reflect::Schema::embedded_events(), {1, 2});
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(reflect::binary_schema(std::span(bytes).first(size)).ok()) << size;
  // A byte that is another may be another schema; never more than an error.
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    auto changed = bytes;
    changed[at] ^= std::byte{0x15};
    static_cast<void>(loaded(changed).ok());
  }
}

}  // namespace
}  // namespace pievt
