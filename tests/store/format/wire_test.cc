// The messages of the store's socket: each comes back as it was sent, cut anywhere it is no
// message, and whatever else is sent is refused and hurts nobody.
#include "store/format/wire.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/format/page.h"
#include "tests/store/seed.h"

namespace pievt {
namespace {

using wire::Frame;

NewEvent an_event(std::string reason) {
  schema::RunPausedT paused;
  paused.reason = std::move(reason);
  return {std::move(paused), {}, {}, 0};
}

EncodedAppend an_append() {
  std::vector<StreamEvents> streams;
  streams.push_back({"run/a", Expected::exactly({7}), {}});
  streams.back().events.push_back(an_event("one"));
  streams.back().events.push_back(an_event("two, longer"));
  streams.push_back({"guard", Expected::exists(), {}});
  streams.push_back({"run/b", Expected::no_stream(), {}});
  streams.back().events.push_back(an_event("three"));
  return EncodedAppend::encode(streams, {.id = {}, .durability = Durability::fsync}).value();
}

Frame numbered(Frame frame, std::uint64_t number) {
  wire::set_number(frame, number);
  return frame;
}

std::vector<Frame> one_of_each() {
  Appended appended{
      AppendOutcome::already_there, new_append_id(), {5}, {9}, {{{1}, {2}}, {{0}, {4}}}};
  Frame append = numbered(wire::frame_of(an_append().impl()), 11);
  wire::set_epoch(append, 3);
  return {wire::frame_of(wire::Hello{wire::protocol, {std::byte{1}}, "program"}),
          wire::frame_of(wire::Welcome{3, 12}),
          std::move(append),
          wire::frame_of(wire::Put{13, wire::Shelf::projections, "key", std::string(1000, 'v')}),
          wire::frame_of(wire::Done{14, std::move(appended)}),
          wire::frame_of(wire::Refused{15, {Errc::conflict, "stream is at #3"}})};
}

Result<wire::Message> received(std::span<const std::byte> frame) {
  const auto message = wire::first_message(frame);
  if (!message.ok()) return message.error();
  if (!*message) return Error{Errc::invalid, "incomplete"};
  return wire::parse(**message);
}

TEST(Wire, AnAppendArrivesAsItWasEncoded) {
  const EncodedAppend sent = an_append();
  Frame frame = numbered(wire::frame_of(sent.impl()), 11);
  wire::set_epoch(frame, 3);
  const auto message = received(frame);
  ASSERT_TRUE(message.ok()) << message.error().what;
  const auto& append = std::get<wire::Append>(*message);
  EXPECT_EQ(append.number, 11u);
  EXPECT_EQ(append.epoch, 3u);
  const auto& there = append.append.impl();
  EXPECT_EQ(there.id, sent.impl().id);
  EXPECT_EQ(there.bodies, sent.impl().bodies);
  EXPECT_EQ(there.request_hash, sent.impl().request_hash);
  EXPECT_EQ(there.segments.size(), sent.impl().segments.size());
  EXPECT_EQ(there.streams[1].expected, Expected::exists());
}

TEST(Wire, AnAppendOfManyPagesArrivesWithTheSameSegments) {
  StreamEvents many{"s", Expected::any(), {}};
  for (int i = 0; i < 40; ++i) many.events.push_back(an_event(std::string(20'000, 'x')));
  const EncodedAppend sent = EncodedAppend::encode(std::span(&many, 1)).value();
  ASSERT_GT(sent.impl().segments.size(), 1u);
  const auto message = received(wire::frame_of(sent.impl()));
  ASSERT_TRUE(message.ok()) << message.error().what;
  const auto& there = std::get<wire::Append>(*message).append.impl();
  ASSERT_EQ(there.segments.size(), sent.impl().segments.size());
  for (std::size_t i = 0; i < there.segments.size(); ++i)
    EXPECT_EQ(there.segments[i].body_hash, sent.impl().segments[i].body_hash);
}

TEST(Wire, MemoryIsNotPromisedForAnotherProcess) {
  StreamEvents one{"s", Expected::any(), {}};
  one.events.push_back(an_event("x"));
  const auto weak =
      EncodedAppend::encode(std::span(&one, 1), {.id = {}, .durability = Durability::memory});
  const auto message = received(wire::frame_of(weak->impl()));
  EXPECT_EQ(std::get<wire::Append>(*message).append.impl().durability, Durability::wal);
}

TEST(Wire, EveryMessageComesBack) {
  for (const Frame& frame : one_of_each()) EXPECT_TRUE(received(frame).ok());
  const auto done = received(one_of_each()[4]);
  const auto& appended = std::get<wire::Done>(*done).appended;
  EXPECT_EQ(appended.outcome, AppendOutcome::already_there);
  EXPECT_EQ(appended.last.value, 9u);
  EXPECT_EQ(appended.streams[1].last.value, 4u);
  const auto refused = received(one_of_each()[5]);
  EXPECT_EQ(std::get<wire::Refused>(*refused).error.code, Errc::conflict);
  EXPECT_EQ(std::get<wire::Refused>(*refused).error.what, "stream is at #3");
}

TEST(Wire, AFrameThatIsCutIsNoMessageYet) {
  for (const Frame& frame : one_of_each()) {
    for (std::size_t size = 0; size < frame.size(); ++size) {
      const auto message = wire::first_message(std::span(frame).first(size));
      ASSERT_TRUE(message.ok());
      EXPECT_FALSE(message->has_value());
    }
  }
}

TEST(Wire, AMessageThatIsCutIsRefused) {
  for (const Frame& frame : one_of_each()) {
    const auto message = std::span(frame).subspan(wire::prefix_bytes);
    for (std::size_t size = 0; size < message.size(); ++size)
      EXPECT_FALSE(wire::parse(message.first(size)).ok()) << size;
  }
}

TEST(Wire, ImpossibleLengthsAreRefusedBeforeTheyAreBelieved) {
  for (const std::uint32_t size :
       {0u, static_cast<std::uint32_t>(wire::frame_bytes_max) + 1, UINT32_MAX}) {
    Frame frame(8);
    std::memcpy(frame.data(), &size, sizeof(size));
    EXPECT_FALSE(wire::first_message(frame).ok()) << size;
  }
}

TEST(Wire, AnAppendThatWasChangedOnItsWayIsRefused) {
  const Frame frame = wire::frame_of(an_append().impl());
  // Behind number, epoch and id every byte counts, but those of the durability level.
  const std::size_t first = wire::prefix_bytes + 1 + 8 + 8 + 16;
  for (std::size_t at = first; at < frame.size(); ++at) {
    if (at == first + 32) continue;
    Frame changed = frame;
    changed[at] ^= std::byte{0x10};
    EXPECT_FALSE(received(changed).ok()) << "byte " << at;
  }
}

// An event that unfolds to a thousand times its size: one long string, and a list that names it
// again and again.
EncodedAppend an_append_that_unfolds() {
  flatbuffers::FlatBufferBuilder builder;
  const auto text = builder.CreateString(std::string(60'000, 'x'));
  const std::vector<flatbuffers::Offset<flatbuffers::String>> texts(1200, text);
  const auto payload = schema::CreateAttemptLaunchRequested(builder, schema::AttemptMode::json,
                                                            builder.CreateVector(texts));
  const schema::Head head;
  schema::FinishEnvelopeBuffer(
      builder, schema::CreateEnvelope(builder, &head, schema::Payload::AttemptLaunchRequested,
                                      payload.Union()));
  EncodedAppend::Impl parts;
  parts.id = new_append_id();
  parts.durability = Durability::wal;
  parts.streams.push_back({"run/a", Expected::any(), 1});
  parts.events.push_back({0, builder.GetSize()});
  const auto* bytes = reinterpret_cast<const std::byte*>(builder.GetBufferPointer());
  parts.bodies.assign(bytes, bytes + builder.GetSize());
  parts.bodies.resize(format::padded(parts.bodies.size()));
  return EncodedAppend::Impl::assemble(std::move(parts)).value();
}

TEST(Wire, AnEventThatCouldNotBeShownIsRefused) {
  const auto message = received(wire::frame_of(an_append_that_unfolds().impl()));
  ASSERT_FALSE(message.ok());
  EXPECT_THAT(message.error().what, testing::HasSubstr("does not fit"));
}

TEST(Wire, NoiseIsRefused) {
  for (const std::uint64_t seed : test::seeds(200)) {
    SCOPED_TRACE(test::how_to_repeat(seed));
    std::mt19937_64 random(seed);
    std::vector<Frame> frames = one_of_each();
    Frame frame = frames[random() % frames.size()];
    for (int flips = 0; flips < 20; ++flips) {
      const std::size_t at = wire::prefix_bytes + random() % (frame.size() - wire::prefix_bytes);
      frame[at] = static_cast<std::byte>(random());
    }
    static_cast<void>(received(frame));  // whatever it says, it does not crash
  }
}

}  // namespace
}  // namespace pievt
