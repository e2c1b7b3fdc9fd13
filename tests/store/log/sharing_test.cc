// Several processes, one store: whose appends go where, and what becomes of them when the process
// that writes hangs, closes or is killed.
#include <csignal>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pievt/upkeep.h"
#include "pievt/verify.h"
#include "store/log/socket.h"
#include "tests/store/log/roles.h"
#include "tests/store/log/temp_store.h"

namespace pievt {
namespace {

using test::Actor;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

class SharingTest : public StoreTest {
 protected:
  // A process that has opened the store, in the seat that is expected of it.
  Actor join(const std::string& program, const std::string& seat, int wait_ms = 5'000) {
    Actor actor("obey", {store().string(), program, std::to_string(wait_ms)});
    EXPECT_EQ(actor.line(), seat) << program;
    return actor;
  }

  // The record is whole: read by somebody who has no part in it.
  void expect_whole() {
    const Log reader = open_reader();
    const auto report = verify(reader);
    ASSERT_TRUE(report.ok()) << report.error().what;
    for (const auto& finding : report->findings) ADD_FAILURE() << finding.what;
  }
};

TEST_F(SharingTest, ASecondProcessAppendsThroughTheFirst) {
  Actor first = join("first", "writer");
  Actor second = join("second", "client");
  EXPECT_THAT(first.ask("append s none new 1000 one"), StartsWith("written"));
  EXPECT_THAT(second.ask("append s 1 new 1000 two three"), StartsWith("written"));
  EXPECT_THAT(first.ask("append s 3 new 1000 four"), StartsWith("written"));
  EXPECT_EQ(second.ask("texts s"), "one,two,three,four");
  EXPECT_EQ(first.ask("texts s"), "one,two,three,four");
  expect_whole();
}

TEST_F(SharingTest, ExpectedRevisionsHoldAcrossProcesses) {
  Actor first = join("first", "writer");
  Actor second = join("second", "client");
  EXPECT_THAT(first.ask("append s none new 1000 one"), StartsWith("written"));
  EXPECT_THAT(second.ask("append s none new 1000 two"),
              AllOf(StartsWith("conflict"), HasSubstr("#1")));
  EXPECT_THAT(second.ask("append t exists new 1000 two"), StartsWith("conflict"));
  EXPECT_EQ(second.ask("texts s"), "one");
}

TEST_F(SharingTest, OneProcessMayOpenTheStoreTwice) {
  open();
  auto second = Log::open(store(), {.mode = OpenMode::write, .program = "again"});
  ASSERT_TRUE(second.ok()) << second.error().what;
  EXPECT_TRUE(second->info().forwards);
  append("s", {"one"});
  ASSERT_TRUE(second->append("s", Expected::exactly({1}), {text_event("two")}).ok());
  EXPECT_THAT(texts_of(*second, "s"), ElementsAre("one", "two"));
  EXPECT_THAT(texts("s"), ElementsAre("one", "two"));
  close();
  ASSERT_TRUE(second->append("s", Expected::exactly({2}), {text_event("three")}).ok());
  EXPECT_FALSE(second->info().forwards);
  EXPECT_THAT(texts_of(*second, "s"), ElementsAre("one", "two", "three"));
}

TEST_F(SharingTest, OfManyWhoMakeTheStoreAtOnceOneMakesIt) {
  std::vector<Actor> all;
  for (int i = 0; i < 8; ++i)
    all.emplace_back("obey", std::vector<std::string>{store().string(), "one of eight", "60000"});
  int writers = 0;
  for (Actor& actor : all) {
    const std::string seat = actor.line();
    EXPECT_THAT(seat, testing::AnyOf("writer", "client"));
    writers += seat == "writer" ? 1 : 0;
  }
  EXPECT_EQ(writers, 1);
  for (Actor& actor : all)
    EXPECT_THAT(actor.ask("append s any new 60000 one"), StartsWith("written"));
  EXPECT_EQ(texts_of(open_reader(), "s").size(), 8u);
  expect_whole();
}

TEST_F(SharingTest, TheActorOfAForwardedEventIsWhoTheKernelSays) {
  open();
  Actor other = join("says-anything", "client");
  ASSERT_THAT(other.ask("append s any new 1000 one"), StartsWith("written"));
  std::uint32_t actor = 0;
  for (auto reader = log().read_stream("s", {1}); reader.next();)
    actor = reader.event().stamp->actor();
  bool declared = false;
  for (auto reader = log().read_stream("store", {1}); reader.next();) {
    const auto* event = reader.event().envelope->payload_as_ActorDeclared();
    if (event == nullptr || event->number() != actor) continue;
    declared = true;
    EXPECT_EQ(event->process()->pid(), static_cast<std::uint32_t>(other.pid()));
    EXPECT_GT(event->process()->start_ticks(), 0u);
    EXPECT_EQ(event->uid(), ::getuid());
    EXPECT_EQ(event->program()->str(), "says-anything");
  }
  EXPECT_TRUE(declared);
}

// What it put is in the store, the event that will refer to it is not, and who wrote it is dead.
TEST_F(SharingTest, WhatALivingClientHasPutIsNoGarbage) {
  Actor writer = join("writer", "writer");
  Actor client = join("client", "client");
  EXPECT_EQ(client.ask("blob of-the-client"), "stored");
  EXPECT_EQ(writer.kill(), -SIGKILL);
  const auto kept = collect_garbage(store());
  ASSERT_TRUE(kept.ok()) << kept.error().what;
  EXPECT_EQ(kept->texts, 0u);
  EXPECT_EQ(kept->kept_for_processes, 1u);
  EXPECT_THAT(kept->processes, ElementsAre(fmt::format("{} (client)", client.pid())));
  EXPECT_EQ(client.ask("has-blob of-the-client"), "yes");
  EXPECT_EQ(client.kill(), -SIGKILL);
  const auto gone = collect_garbage(store());
  ASSERT_TRUE(gone.ok()) << gone.error().what;
  EXPECT_EQ(gone->texts, 1u);
  EXPECT_EQ(gone->kept_for_processes, 0u);
}

TEST_F(SharingTest, WhenTheWriterClosesAClientTakesItsPlace) {
  Actor first = join("first", "writer");
  Actor second = join("second", "client");
  Actor third = join("third", "client");
  EXPECT_THAT(second.ask("append s any new 1000 one"), StartsWith("written"));
  EXPECT_EQ(first.ask("close"), "closed");
  EXPECT_THAT(second.ask("append s 1 new 5000 two"), StartsWith("written"));
  EXPECT_THAT(third.ask("append s 2 new 5000 three"), StartsWith("written"));
  EXPECT_EQ(second.ask("seat"), "writer");
  EXPECT_EQ(third.ask("seat"), "client");
  EXPECT_EQ(third.ask("texts s"), "one,two,three");
  expect_whole();
}

TEST_F(SharingTest, WhenTheWriterIsKilledNothingAcknowledgedIsLost) {
  Actor first = join("first", "writer");
  Actor second = join("second", "client");
  Actor third = join("third", "client");
  EXPECT_THAT(first.ask("append s any new 1000 one"), StartsWith("written"));
  EXPECT_THAT(second.ask("append s any new 1000 two"), StartsWith("written"));
  EXPECT_EQ(first.kill(), -SIGKILL);
  EXPECT_THAT(third.ask("append s 2 new 5000 three"), StartsWith("written"));
  EXPECT_THAT(second.ask("append s 3 new 5000 four"), StartsWith("written"));
  EXPECT_EQ(third.ask("seat"), "writer");
  EXPECT_EQ(second.ask("texts s"), "one,two,three,four");
  expect_whole();
}

TEST_F(SharingTest, AnAppendWaitsForAWriterThatHangsAndThenNamesIt) {
  Actor first = join("the-hanging-one", "writer");
  Actor second = join("second", "client");
  first.stop();
  EXPECT_THAT(
      second.ask("append s any new 150 one"),
      AllOf(StartsWith("busy"), HasSubstr(fmt::format("the-hanging-one (process {})", first.pid())),
            HasSubstr("since")));
  second.tell("begin s any new 60000 two");
  EXPECT_EQ(second.line(), "begun");
  first.go_on();
  EXPECT_THAT(second.ask("result"), StartsWith("written"));
  // The first append was on its way when its deadline passed; the writer carried it out.
  EXPECT_EQ(second.ask("texts s"), "one,two");
}

TEST_F(SharingTest, OpeningBesideAWriterThatHangsNamesIt) {
  Actor first = join("the-hanging-one", "writer");
  first.stop();
  Actor second("obey", {store().string(), "second", "100"});
  EXPECT_THAT(second.line(), AllOf(StartsWith("busy"), HasSubstr("the-hanging-one")));
  first.go_on();
}

TEST_F(SharingTest, ARetryAfterALostAnswerGetsTheOriginalPositions) {
  Actor first = join("first", "writer");
  Actor second = join("second", "client");
  const std::string id = to_string(new_append_id());
  first.stop();
  EXPECT_THAT(second.ask("append s none " + id + " 50 one"), StartsWith("busy"));
  first.go_on();
  const std::string again = second.ask("append s none " + id + " 5000 one");
  EXPECT_THAT(again, StartsWith("there"));
  // From another process, and after the writer's death, in every seat.
  EXPECT_EQ(first.ask("append s none " + id + " 5000 one"), again);
  EXPECT_EQ(first.kill(), -SIGKILL);
  EXPECT_EQ(second.ask("append s none " + id + " 5000 one"), again);
  EXPECT_EQ(second.ask("texts s"), "one");
  expect_whole();
}

TEST_F(SharingTest, WhatWasInFlightWhenTheWriterDiedIsAppendedOnce) {
  Actor first = join("first", "writer");
  Actor second = join("second", "client");
  first.stop();  // it has the connection, and will never answer
  EXPECT_EQ(second.ask("begin s none new 60000 one"), "begun");
  EXPECT_EQ(first.kill(), -SIGKILL);
  EXPECT_THAT(second.ask("result"), StartsWith("written"));
  EXPECT_EQ(second.ask("seat"), "writer");
  EXPECT_EQ(second.ask("texts s"), "one");
}

TEST_F(SharingTest, ABlobThatWasPutThroughAWriterOutlivesIt) {
  Actor first = join("first", "writer");
  Actor second = join("second", "client");
  EXPECT_EQ(second.ask("blob some-text"), "stored");
  EXPECT_EQ(second.ask("has-blob some-text"), "yes");
  EXPECT_EQ(first.kill(), -SIGKILL);
  EXPECT_THAT(second.ask("append s any new 5000 one"), StartsWith("written"));
  EXPECT_EQ(second.ask("has-blob some-text"), "yes");
}

TEST_F(SharingTest, AFollowerOutlivesTheWriter) {
  Actor first = join("first", "writer");
  Actor second = join("second", "client");
  Log reader = open_reader();
  Follower follower = reader.follow(reader.head()).value();
  std::vector<std::string> heard;
  const auto listen = [&](std::size_t until) {
    while (heard.size() < until) {
      auto news = follower.wait(std::chrono::milliseconds(60'000));
      ASSERT_TRUE(news.ok()) << news.error().what;
      while (news->next()) {
        if (const std::string text = text_of(news->event()); !text.empty()) heard.push_back(text);
      }
      ASSERT_TRUE(news->status().ok()) << news->status().error().what;
    }
  };
  ASSERT_THAT(first.ask("append s any new 1000 one"), StartsWith("written"));
  listen(1);
  EXPECT_EQ(first.kill(), -SIGKILL);
  ASSERT_THAT(second.ask("append s any new 5000 two"), StartsWith("written"));
  ASSERT_THAT(second.ask("append s any new 5000 three"), StartsWith("written"));
  listen(3);
  EXPECT_THAT(heard, ElementsAre("one", "two", "three"));
}

TEST_F(SharingTest, ADeletedSocketComesBack) {
  Actor first = join("first", "writer");
  ASSERT_TRUE(std::filesystem::remove(store() / "SOCKET"));
  Actor second = join("second", "client", 60'000);
  EXPECT_THAT(second.ask("append s any new 5000 one"), StartsWith("written"));
}

TEST_F(SharingTest, GarbageOnTheSocketHurtsNobody) {
  open();
  Actor second = join("second", "client");
  for (const std::string& garbage :
       {std::string("\0\0\0\0", 4), std::string(100, '\xff'), std::string("\x05\0\0\0hello", 9)}) {
    const Fd socket = connect_to(store()).value();
    ASSERT_EQ(::send(socket.get(), garbage.data(), garbage.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(garbage.size()));
    char byte = 0;
    pollfd ended{socket.get(), POLLIN, 0};
    ASSERT_EQ(::poll(&ended, 1, 60'000), 1);
    while (::recv(socket.get(), &byte, 1, 0) > 0) continue;  // the writer says why, and hangs up
  }
  EXPECT_THAT(second.ask("append s any new 5000 one"), StartsWith("written"));
}

// What an append may find: nothing, or itself, or something else under its id; from where it is
// tried; and what it expects of the stream. One table for all of it.
struct Matrix : SharingTest, testing::WithParamInterface<const char*> {};

TEST_P(Matrix, AnAppendIsWrittenOnceWhoeverRepeatsIt) {
  const std::string expected = GetParam();
  std::optional<Actor> first, second;
  const auto begin = [&] {
    first.emplace("obey", std::vector<std::string>{store().string(), "first"});
    ASSERT_EQ(first->line(), "writer");
    second.emplace("obey", std::vector<std::string>{store().string(), "second"});
    ASSERT_EQ(second->line(), "client");
  };
  begin();
  if (expected != "none") {
    ASSERT_THAT(first->ask("append s none new 5000 before"), StartsWith("written"));
  }
  const std::string id = to_string(new_append_id());
  const std::string request = fmt::format("append s {} {} 5000 ", expected, id);
  const std::string written = first->ask(request + "one two");
  ASSERT_THAT(written, StartsWith("written"));
  const std::string there = "there" + written.substr(std::string_view("written").size());
  ASSERT_THAT(second->ask("append s any new 5000 later"), StartsWith("written"));
  const std::string other_expectation = expected == "any" ? "exists" : "any";

  const auto repeat_everywhere = [&] {
    for (Actor* from : {&*first, &*second}) {
      EXPECT_EQ(from->ask(request + "one two"), there) << "exact retry";
      EXPECT_THAT(from->ask(request + "one TWO"), StartsWith("id_reused")) << "other bytes";
      EXPECT_THAT(from->ask(request + "one two three"), StartsWith("id_reused")) << "more events";
      EXPECT_THAT(from->ask(request + "one"), StartsWith("id_reused")) << "fewer events";
      EXPECT_THAT(from->ask(fmt::format("append s {} {} 5000 one two", other_expectation, id)),
                  StartsWith("id_reused"))
          << "another expectation";
      EXPECT_THAT(from->ask(fmt::format("append t {} {} 5000 one two", expected, id)),
                  StartsWith("id_reused"))
          << "another stream";
    }
  };
  repeat_everywhere();
  const std::string texts = first->ask("texts s");
  first->kill();
  EXPECT_EQ(second->ask(request + "one two"), there) << "after a take-over";
  second->kill();
  begin();
  repeat_everywhere();
  EXPECT_EQ(first->ask("texts s"), texts);
  expect_whole();

  SCOPED_TRACE("after a restore");
  first->kill();
  second->kill();
  {
    const auto copied = backup(open_reader(), directory() / "backup");
    ASSERT_TRUE(copied.ok()) << copied.error().what;
  }
  std::filesystem::rename(store(), directory() / "lost");
  const auto restored = restore(directory() / "backup", store());
  ASSERT_TRUE(restored.ok()) << restored.error().what;
  begin();
  repeat_everywhere();
  EXPECT_EQ(first->ask("texts s"), texts);
  expect_whole();
}

INSTANTIATE_TEST_SUITE_P(Expectations, Matrix, testing::Values("none", "any", "exists", "1"));

}  // namespace
}  // namespace pievt
