// A writer that is killed at any moment loses nothing that it had acknowledged (from `wal` on), and
// what is there is what it attempted, in order, from the beginning, without a gap.
#include <csignal>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/store/log/log_roles.h"
#include "tests/store/log/roles.h"
#include "tests/store/log/temp_store.h"
#include "tests/store/seed.h"

namespace pievt {
namespace {

class CrashTest : public StoreTest {
 protected:
  // Lets a writer acknowledge `acks` appends, kills it, and returns how many it had acknowledged in
  // truth: what it said after our last look is in the pipe.
  int run_and_kill(Durability durability, int round, int acks) {
    test::Actor writer(
        "append_for_ever",
        {store().string(), std::to_string(static_cast<int>(durability)), std::to_string(round)});
    int acked = 0;
    const auto take = [&acked](const std::string& line) {
      if (line.starts_with("acked ")) ++acked;
      return line;
    };
    if (acks >= 0) {
      EXPECT_EQ(writer.line(), "open");
    }
    while (acked < acks && take(writer.line()) != "<end>") continue;
    EXPECT_EQ(writer.kill(), -SIGKILL);
    while (take(writer.line()) != "<end>") continue;
    EXPECT_GE(acked, acks);
    return acked;
  }

  std::vector<std::string> work(const Log& log) { return texts_of(log, "work"); }

  // The round's events, without those of rounds before, are whole appends from the first on.
  void expect_a_prefix(const Log& log, int round, int acked, Durability durability) {
    std::vector<std::string> expected = survivors_;
    const std::vector<std::string> there = work(log);
    int appends = 0;
    for (; expected.size() < there.size(); ++appends) {
      for (std::string& text : test::attempted_texts(round, appends)) {
        expected.push_back(std::move(text));
      }
    }
    ASSERT_EQ(there, expected) << "round " << round;
    // One that had not been acknowledged may be there: it was killed between the two.
    EXPECT_LE(appends, acked + 1);
    if (durability != Durability::memory) {
      EXPECT_GE(appends, acked) << "acknowledged and lost";
    }
    survivors_ = there;
  }

  void expect_a_sound_log(const Log& log) {
    const Status chain = test::verify_chain(log);
    EXPECT_TRUE(chain.ok()) << chain.error().what;
    std::uint64_t sequence = 0;
    auto reader = log.read({1});
    while (reader.next()) ASSERT_EQ(reader.event().sequence.value, ++sequence);
    EXPECT_TRUE(reader.status().ok()) << reader.status().error().what;
    EXPECT_EQ(sequence, log.head().value);
    EXPECT_EQ(log.stream_head("work").value().value, work(log).size());
    EXPECT_EQ(log.info().missing, 0u);
  }

  // Each event says it happened before the one before it. Nothing goes by that.
  void expect_order_by_sequence_not_by_clock(const Log& log) {
    std::uint64_t before = UINT64_MAX, revision = 0;
    auto reader = log.read_stream("work", {});
    while (reader.next()) {
      EXPECT_EQ(reader.event().revision().value, ++revision);
      EXPECT_LT(reader.event().time_ns(), before);
      before = reader.event().time_ns();
    }
    EXPECT_TRUE(reader.status().ok());
  }

 private:
  std::vector<std::string> survivors_;
};

TEST_F(CrashTest, WhatWasAcknowledgedIsThereAndNothingElseIsInvented) {
  constexpr Durability levels[] = {Durability::fsync, Durability::wal, Durability::memory};
  constexpr int rounds = 10;
  const std::uint64_t seed = test::seeds(1).front();
  SCOPED_TRACE(test::how_to_repeat(seed));
  std::mt19937_64 dice(seed);
  for (int round = 0; round < rounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    const Durability durability = levels[round % 3];
    const int acks = static_cast<int>(dice() % 40);
    const int acked = run_and_kill(durability, round, acks);
    {
      const Log reader = open_reader();
      expect_a_prefix(reader, round, acked, durability);
      expect_a_sound_log(reader);
      EXPECT_FALSE(reader.info().writer_alive);
    }
    if (round % 2 == 0) {
      // In the other rounds the next writer is the first to come after the crash.
      open(OpenMode::write);
      expect_a_sound_log(log());
      expect_order_by_sequence_not_by_clock(log());
      close();
    }
    if (HasFatalFailure()) return;
  }
}

TEST_F(CrashTest, TheNextWriterSaysThatTheOneBeforeDied) {
  run_and_kill(Durability::fsync, 0, 1);
  const auto after_crash = [this] {
    bool said = false;
    auto reader = log().read({1});
    while (reader.next()) {
      visit(reader.event(),
            [&](const schema::WriterOpened& opened) { said = opened.after_crash(); });
    }
    return said;
  };
  open(OpenMode::write);
  EXPECT_TRUE(after_crash());
  reopen();
  EXPECT_FALSE(after_crash());
}

// Killed while it made the store: whoever comes next simply goes on.
TEST_F(CrashTest, AStoreHalfMadeCanBeOpened) {
  for (int round = 0; round < 5; ++round) {
    run_and_kill(Durability::fsync, round, -1);
    open(OpenMode::create);
    expect_a_sound_log(log());
    close();
  }
}

}  // namespace
}  // namespace pievt
