// The law of the codec: what is encoded comes back, for every event there is, whatever is in it.
// Events are filled by dice from the schema, so a new event is covered without a new test.
#include "store/format/codec.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/format/page.h"
#include "tests/store/format/flatbuffer_maker.h"

namespace pievt::format {
namespace {

EventView view_of(std::span<const std::byte> body) {
  EventView view;
  view.body = body;
  view.envelope = verified_envelope(body);
  return view;
}

// The comparison that flatc 2.0.8 generates compares the addresses of arrays in structs, so a
// payload with a digest does not even equal its copy; those are compared by their bytes alone.
bool comparable(const Payload& payload) {
  const Payload copy = payload;
  return copy == payload;
}

void round_trip(const NewEvent& event) {
  std::vector<std::byte> bytes;
  const std::size_t size = BodyEncoder().append(event, bytes);
  ASSERT_EQ(bytes.size(), padded(size));
  const EventView view = view_of(std::span(bytes).first(size));
  ASSERT_NE(view.envelope, nullptr);
  EXPECT_EQ(view.type(), event.payload.type());
  EXPECT_TRUE(view.known());
  const auto back = unpack(view);
  ASSERT_TRUE(back.has_value());
  EXPECT_TRUE(*back == event.payload || !comparable(event.payload));
  EXPECT_EQ(view.head().job(), event.subject.job);
  EXPECT_EQ(view.head().attempt(), event.subject.attempt);
  EXPECT_EQ(view.head().gate(), event.subject.gate);
  EXPECT_EQ(view.head().worker(), event.subject.worker);
  EXPECT_EQ(view.head().artifact(), event.subject.artifact);
  EXPECT_EQ(view.head().message(), event.subject.message);
  EXPECT_EQ(view.head().causation(), event.cause.causation.value);
  EXPECT_EQ(view.head().correlation(), event.cause.correlation.value);
  EXPECT_EQ(view.head().occurred_ns(), event.occurred_ns);
  // The same event always gives the same bytes: append ids are judged by them.
  std::vector<std::byte> again;
  BodyEncoder().append({*back, event.subject, event.cause, event.occurred_ns}, again);
  EXPECT_EQ(bytes, again);
}

TEST(Codec, EveryEventComesBackAsItWasGiven) {
  std::mt19937_64 dice(20240612);
  int compared_by_value = 0;
  const auto number = [&dice] { return static_cast<std::uint32_t>(dice()); };
  for (int tag = 1; tag <= static_cast<int>(schema::Payload::MAX); ++tag) {
    SCOPED_TRACE(type_name(static_cast<schema::Payload>(tag)));
    for (int round = 0; round < 10; ++round) {
      const auto body = reflect::testing::random_body(reflect::Schema::embedded_events(),
                                                      static_cast<std::uint8_t>(tag), dice);
      const auto payload = unpack(view_of(body));
      ASSERT_TRUE(payload.has_value());
      NewEvent event{*payload};
      event.subject = {number(), number(), number(), number(), number(), number()};
      event.cause = {{dice()}, {dice()}};
      event.occurred_ns = dice();
      round_trip(event);
      if (comparable(event.payload)) ++compared_by_value;
    }
  }
  EXPECT_GT(compared_by_value, 300) << "nearly every payload has no digest";
}

template <class... T>
std::vector<Payload> empty_payloads(type_list<T...>) {
  std::vector<Payload> all;
  (all.emplace_back(typename T::NativeTableType{}), ...);
  return all;
}

// Required strings that nobody set are written as empty ones, so that no event is unreadable.
TEST(Codec, EveryEventComesBackEmpty) {
  for (const Payload& payload : empty_payloads(event_types{})) {
    SCOPED_TRACE(type_name(payload.type()));
    EXPECT_TRUE(comparable(payload));
    round_trip({payload});
  }
}

TEST(Codec, AnUnknownEventIsReadableButNotKnown) {
  std::vector<std::byte> bytes;
  const std::size_t size = BodyEncoder().append({schema::RunPausedT{}}, bytes);
  // The tag is the only byte that says RunPaused.
  auto* tag = const_cast<std::uint8_t*>(flatbuffers::GetRoot<flatbuffers::Table>(bytes.data())
                                            ->GetAddressOf(schema::Envelope::VT_PAYLOAD_TYPE));
  ASSERT_NE(tag, nullptr);
  *tag = 200;
  const EventView view = view_of(std::span(bytes).first(size));
  ASSERT_NE(view.envelope, nullptr);
  EXPECT_FALSE(view.known());
  EXPECT_EQ(type_name(view.type()), "unknown(200)");
  EXPECT_FALSE(unpack(view).has_value());
  EXPECT_FALSE(visit(view, [](const auto&) { ADD_FAILURE() << "of which type?"; }));
}

TEST(Codec, DamagedBodiesAreNoEventsAndNeverCrash) {
  std::mt19937_64 dice(20240613);
  const auto& schema = reflect::Schema::embedded_events();
  for (int round = 0; round < 3000; ++round) {
    const auto tag = static_cast<std::uint8_t>(1 + dice() % static_cast<int>(schema::Payload::MAX));
    auto body = reflect::testing::random_body(schema, tag, dice);
    if (round % 2 == 0) {
      body.resize(dice() % body.size());
    } else {
      body[dice() % body.size()] ^= static_cast<std::byte>(1u << dice() % 8);
    }
    const EventView view = view_of(body);
    if (view.envelope != nullptr) static_cast<void>(unpack(view));
  }
  for (std::size_t size = 0; size < 8; ++size) {
    EXPECT_EQ(verified_envelope(std::vector<std::byte>(size)), nullptr);
  }
}

}  // namespace
}  // namespace pievt::format
