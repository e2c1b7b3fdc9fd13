// What a Log promises, each promise a test: order, gaplessness, expected revisions, idempotence,
// reading both ways, several streams, reopening.
#include "pievt/log.h"

#include <algorithm>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/store/log/temp_store.h"
#include "tests/store/seed.h"

namespace pievt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class LogTest : public StoreTest {};

TEST_F(LogTest, AStoreBeginsWithItsOwnStory) {
  open();
  const auto names = types(log().read({1}));
  EXPECT_THAT(names, ElementsAre("StreamDeclared", "StoreCreated", "SchemaRegistered",
                                 "ActorDeclared", "WriterOpened"));
}

TEST_F(LogTest, AppendedEventsComeBackInOrderWithGaplessPositions) {
  open();
  const std::uint64_t before = log().head().value;
  append("a", {"one", "two"});
  append("b", {"three"});
  append("a", {"four"});
  EXPECT_THAT(texts("a"), ElementsAre("one", "two", "four"));
  EXPECT_THAT(texts("b"), ElementsAre("three"));
  std::uint64_t sequence = before;
  auto reader = log().read({before + 1});
  while (reader.next()) EXPECT_EQ(reader.event().sequence.value, ++sequence);
  EXPECT_TRUE(reader.status().ok());
  EXPECT_EQ(sequence, log().head().value);
  EXPECT_EQ(log().stream_head("a").value().value, 3u);
}

TEST_F(LogTest, ReadingBackwardIsReadingForwardReversed) {
  open();
  for (int i = 0; i < 50; ++i)
    append(i % 3 == 0 ? "a" : "b", {std::to_string(i), std::to_string(i) + "x"});
  auto forward = texts("b");
  auto backward = texts("b", Direction::backward);
  std::ranges::reverse(backward);
  EXPECT_EQ(forward, backward);
  EXPECT_EQ(forward.size(), 66u);
  auto all = sequences(log().read({1}));
  auto reversed = sequences(log().read({}, {}, Direction::backward));
  std::ranges::reverse(reversed);
  EXPECT_EQ(all, reversed);
}

// Where a stream's pages lie side by side a reader leaves the index alone, and comes back to it
// where they do not.
TEST_F(LogTest, AnyRangeOfAStreamIsTheSameThroughNeighboursAndThroughTheIndex) {
  for (const std::uint64_t seed : test::seeds(1)) {
    SCOPED_TRACE(test::how_to_repeat(seed));
    std::mt19937_64 dice(seed);
    const std::string stream = "s" + std::to_string(seed);
    open();
    std::vector<std::string> expected = {""};
    while (expected.size() < 30) {
      const bool alone = dice() % 3 != 0;
      std::vector<std::string> texts;
      for (std::uint64_t n = 1 + dice() % 3; n > 0; --n)
        texts.push_back(std::to_string(dice() % 1000));
      if (dice() % 4 != 0) {
        append(stream, texts);
        expected.insert(expected.end(), texts.begin(), texts.end());
      }
      if (!alone) append("other", {"x"});
    }
    const auto read = [&](const Log& from, std::size_t first, std::size_t last, Direction way) {
      std::vector<std::string> seen;
      auto reader = from.read_stream(stream, {first}, {last}, way);
      while (reader.next()) seen.push_back(text_of(reader.event()));
      EXPECT_TRUE(reader.status().ok());
      return seen;
    };
    const Log beside = open_reader();
    for (std::size_t first = 1; first < expected.size(); ++first) {
      for (std::size_t last = first; last < expected.size(); ++last) {
        std::vector<std::string> part(expected.begin() + static_cast<std::ptrdiff_t>(first),
                                      expected.begin() + static_cast<std::ptrdiff_t>(last) + 1);
        ASSERT_EQ(read(log(), first, last, Direction::forward), part) << first << '-' << last;
        ASSERT_EQ(read(beside, first, last, Direction::forward), part) << first << '-' << last;
        std::ranges::reverse(part);
        ASSERT_EQ(read(log(), last, first, Direction::backward), part) << first << '-' << last;
      }
    }
    close();
  }
}

TEST_F(LogTest, RangesAreInclusiveAtBothEnds) {
  open();
  append("a", {"1", "2", "3", "4", "5"});
  std::vector<std::uint64_t> seen;
  auto reader = log().read_stream("a", {2}, {4});
  while (reader.next()) seen.push_back(reader.event().revision().value);
  EXPECT_THAT(seen, ElementsAre(2, 3, 4));
  seen.clear();
  auto back = log().read_stream("a", {4}, {2}, Direction::backward);
  while (back.next()) seen.push_back(back.event().revision().value);
  EXPECT_THAT(seen, ElementsAre(4, 3, 2));
}

TEST_F(LogTest, AConflictWritesNothingAndSaysWhereTheStreamIs) {
  open();
  append("a", {"one"});
  const auto head = log().head();
  const auto refused = log().append("a", Expected::no_stream(), {text_event("two")});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::conflict);
  EXPECT_THAT(refused.error().what, HasSubstr("#1"));
  EXPECT_EQ(log().head(), head);
}

TEST_F(LogTest, ExpectedRevisionsFormAMatrix) {
  open();
  append("there", {"one", "two"});
  const auto outcome = [&](const char* stream, Expected expected) {
    const auto result = log().append(stream, expected, {text_event("x")});
    return result.ok() ? std::string("ok") : std::string(name_of(result.error().code));
  };
  EXPECT_EQ(outcome("there", Expected::no_stream()), "conflict");
  EXPECT_EQ(outcome("there", Expected::exactly({1})), "conflict");
  EXPECT_EQ(outcome("there", Expected::exactly({2})), "ok");
  EXPECT_EQ(outcome("there", Expected::exists()), "ok");
  EXPECT_EQ(outcome("there", Expected::any()), "ok");
  EXPECT_EQ(outcome("new1", Expected::exists()), "conflict");
  EXPECT_EQ(outcome("new1", Expected::exactly({1})), "conflict");
  EXPECT_EQ(outcome("new1", Expected::no_stream()), "ok");
  EXPECT_EQ(outcome("new2", Expected::any()), "ok");
}

TEST_F(LogTest, OneAppendOverSeveralStreamsIsAllOrNothing) {
  open();
  append("a", {"one"});
  std::vector<StreamEvents> both;
  both.push_back({"a", Expected::exactly({1}), {}});
  both.back().events.push_back(text_event("two"));
  both.push_back({"b", Expected::exists(), {}});
  both.back().events.push_back(text_event("never"));
  EXPECT_EQ(log().append(both).error().code, Errc::conflict);
  EXPECT_THAT(texts("a"), ElementsAre("one"));

  both[1].expected = Expected::no_stream();
  const auto written = log().append(both);
  ASSERT_TRUE(written.ok());
  EXPECT_EQ(written->streams[0].first.value, 2u);
  EXPECT_EQ(written->streams[1].last.value, 1u);
  EXPECT_THAT(texts("b"), ElementsAre("never"));
}

TEST_F(LogTest, AStreamCanBeCheckedWithoutBeingWritten) {
  open();
  append("guard", {"one"});
  std::vector<StreamEvents> request;
  request.push_back({"guard", Expected::exactly({1}), {}});
  request.push_back({"a", Expected::any(), {}});
  request.back().events.push_back(text_event("ok"));
  EXPECT_TRUE(log().append(request).ok());
  request[0].expected = Expected::exactly({2});
  EXPECT_EQ(log().append(request).error().code, Errc::conflict);
}

TEST_F(LogTest, RepeatingAnAppendAnswersWithItsPositions) {
  open();
  const AppendOptions same{.id = new_append_id()};
  const auto first =
      log().append("a", Expected::no_stream(), {text_event("one"), text_event("two")}, same);
  ASSERT_TRUE(first.ok());
  append("a", {"three"});
  for (int round = 0; round < 2; ++round) {
    const auto again =
        log().append("a", Expected::no_stream(), {text_event("one"), text_event("two")}, same);
    ASSERT_TRUE(again.ok()) << again.error().what;
    EXPECT_EQ(again->outcome, AppendOutcome::already_there);
    EXPECT_EQ(again->first, first->first);
    EXPECT_EQ(again->last, first->last);
    EXPECT_EQ(again->streams[0].first.value, 1u);
    EXPECT_EQ(again->streams[0].last.value, 2u);
    reopen();
  }
  EXPECT_THAT(texts("a"), ElementsAre("one", "two", "three"));
}

TEST_F(LogTest, AnIdUsedForSomethingElseIsRefused) {
  open();
  const AppendOptions same{.id = new_append_id()};
  ASSERT_TRUE(log().append("a", Expected::any(), {text_event("one")}, same).ok());
  EXPECT_EQ(log().append("a", Expected::any(), {text_event("other")}, same).error().code,
            Errc::id_reused);
  EXPECT_EQ(log().append("a", Expected::exists(), {text_event("one")}, same).error().code,
            Errc::id_reused);
  EXPECT_EQ(
      log().append("a", Expected::any(), {text_event("one"), text_event("two")}, same).error().code,
      Errc::id_reused);
}

TEST_F(LogTest, AnAppendLargerThanAPageSpansPages) {
  open();
  std::vector<NewEvent> many;
  const std::string filler(2000, 'x');
  for (int i = 0; i < 1000; ++i) many.push_back(text_event(std::to_string(i) + filler));
  const auto written = log().append("big", Expected::no_stream(), std::move(many));
  ASSERT_TRUE(written.ok()) << written.error().what;
  EXPECT_EQ(written->last.value - written->first.value + 1, 1000u);
  reopen();
  const auto back = texts("big");
  ASSERT_EQ(back.size(), 1000u);
  EXPECT_EQ(back[999], "999" + filler);
  EXPECT_EQ(texts("big", Direction::backward).front(), back[999]);
}

TEST_F(LogTest, BoundsAreCheckedAtTheDoor) {
  open();
  EXPECT_EQ(log().append("a", Expected::any(), {}).error().code, Errc::invalid);
  EXPECT_EQ(log().append("", Expected::any(), {text_event("x")}).error().code, Errc::invalid);
  EXPECT_EQ(log().append("new\nline", Expected::any(), {text_event("x")}).error().code,
            Errc::invalid);
  EXPECT_EQ(log().append(std::string(201, 'n'), Expected::any(), {text_event("x")}).error().code,
            Errc::invalid);
  EXPECT_EQ(log().append("a", Expected::any(), {text_event(std::string(70'000, 'x'))}).error().code,
            Errc::invalid);
  append("a", {"still works"});
}

TEST_F(LogTest, EverythingIsThereAfterReopening) {
  open();
  append("a", {"one"});
  const auto head = log().head();
  reopen();
  EXPECT_EQ(log().head().value, head.value + 3);  // closed, a new actor, opened
  EXPECT_THAT(texts("a"), ElementsAre("one"));
  append("a", {"two"});
  EXPECT_EQ(log().stream_head("a").value().value, 2u);
}

TEST_F(LogTest, AReaderSeesWhatTheWriterCommits) {
  open();
  append("a", {"one"});
  Log reader = open_reader();
  EXPECT_EQ(reader.head(), log().head());
  append("a", {"two"});
  EXPECT_LT(reader.head(), log().head());
  ASSERT_TRUE(reader.refresh().ok());
  EXPECT_EQ(reader.head(), log().head());
  EXPECT_THAT(texts_of(reader, "a"), ElementsAre("one", "two"));
  EXPECT_EQ(reader.append("a", Expected::any(), {text_event("x")}).error().code, Errc::invalid);
}

TEST_F(LogTest, AFollowerHearsEveryEventOnce) {
  open();
  append("a", {"zero"});
  Log reader = open_reader();
  auto follower = reader.follow(reader.head());
  ASSERT_TRUE(follower.ok());
  std::vector<std::string> heard;
  for (int i = 0; i < 20; ++i) {
    append("a", {std::to_string(i)});
    auto news = follower->wait(std::chrono::seconds(5));
    ASSERT_TRUE(news.ok()) << news.error().what;
    while (news->next()) heard.push_back(text_of(news->event()));
  }
  ASSERT_EQ(heard.size(), 20u);
  EXPECT_EQ(heard.back(), "19");
  auto nothing = follower->wait(std::chrono::milliseconds(1));
  ASSERT_TRUE(nothing.ok());
  EXPECT_FALSE(nothing->next());
}

TEST_F(LogTest, BlobsComeBackAndEqualOnesAreStoredOnce) {
  open();
  const std::string small = "hello", large(1'000'000, 'y');
  const auto a = log().put_blob(small).value();
  const auto b = log().put_blob(small).value();
  const auto c = log().put_blob(large).value();
  EXPECT_TRUE(std::ranges::equal(*a.digest().bytes(), *b.digest().bytes()));
  append("a", {"refers"});
  reopen();
  const auto back = log().get_blob(c);
  ASSERT_TRUE(back.ok()) << back.error().what;
  EXPECT_EQ(back->size(), large.size());
  EXPECT_EQ(log().get_blob(a).value().size(), 5u);
  const schema::BlobRef unknown(schema::Digest(), 5, 0, schema::BlobKind::text, 0);
  EXPECT_EQ(log().get_blob(unknown).error().code, Errc::not_found);
}

TEST_F(LogTest, CheckpointsAreKept) {
  open();
  EXPECT_FALSE(log().load_checkpoint("x").value().has_value());
  ASSERT_TRUE(log().save_checkpoint("x", {"identity", {7}, {std::byte{1}, std::byte{2}}}).ok());
  reopen();
  const auto back = log().load_checkpoint("x").value();
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->identity, "identity");
  EXPECT_EQ(back->at.value, 7u);
  EXPECT_EQ(back->state.size(), 2u);
}

TEST_F(LogTest, ThereIsNoStoreToOpen) {
  const auto none = Log::open(directory() / "nowhere", {.mode = OpenMode::write});
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, Errc::not_found);
  EXPECT_THAT(none.error().what, HasSubstr("pievt init"));
}

TEST_F(LogTest, ASecondWriterIsToldWhoHoldsTheStore) {
  open();
  const auto second = Log::open(
      store(),
      {.mode = OpenMode::write, .sharing = Sharing::sole, .wait = std::chrono::milliseconds(0)});
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, Errc::busy);
}

}  // namespace
}  // namespace pievt
