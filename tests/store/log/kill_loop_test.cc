// Writers, readers and followers, and somebody who kills or stops one of them at random, over and
// over. Afterwards nothing that was acknowledged is missing, nothing is there twice, and nobody who
// looked has ever seen a hole.
//
// PIEVT_KILL_LOOP_S sets how long (60 s); PIEVT_SEED who dies when.
#include "tests/store/log/kill_loop.h"

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <random>

#include <gtest/gtest.h>

#include "pievt/verify.h"
#include "tests/store/log/roles.h"
#include "tests/store/log/temp_store.h"
#include "tests/store/seed.h"

namespace pievt {
namespace {

using test::Actor;
using Clock = std::chrono::steady_clock;

constexpr int workers = 4;

struct Player {
  std::string role;
  std::vector<std::string> arguments;
  std::unique_ptr<Actor> actor;
};

std::chrono::seconds duration() {
  const char* text = std::getenv("PIEVT_KILL_LOOP_S");
  return std::chrono::seconds(text != nullptr ? std::atoi(text) : 60);
}

class KillLoop : public StoreTest {
 protected:
  void start(Player& player) {
    std::vector<std::string> arguments = player.arguments;
    if (player.role == "kill_loop_worker") arguments.push_back(std::to_string(random_()));
    player.actor = std::make_unique<Actor>(player.role, std::move(arguments));
  }

  // What a player says after "open" is a complaint.
  void expect_content(Player& player) {
    for (std::string line = player.actor->line(); line != "<end>"; line = player.actor->line()) {
      EXPECT_EQ(line, "open") << player.role;
    }
  }

  void strike(Player& player) {
    if (random_() % 10 < 4) {
      player.actor->stop();
      EXPECT_FALSE(player.actor->ends_within(std::chrono::milliseconds(20 + random_() % 300)));
      player.actor->go_on();
      return;
    }
    const int ended = player.actor->kill();
    EXPECT_EQ(ended, -SIGKILL) << player.role << " had ended by itself";
    expect_content(player);
    start(player);
  }

  std::minstd_rand random_;
};

TEST_F(KillLoop, NothingThatDiesHurts) {
  const std::uint64_t seed = test::seeds(1).front();
  SCOPED_TRACE(test::how_to_repeat(seed));
  random_.seed(static_cast<unsigned>(seed));
  open();  // so that readers find a store
  close();
  std::vector<Player> players;
  for (int i = 0; i < workers; ++i)
    players.push_back({"kill_loop_worker", {store().string(), std::to_string(i)}, nullptr});
  players.push_back({"kill_loop_reader", {store().string()}, nullptr});
  for (int i = 0; i < 2; ++i)
    players.push_back({"kill_loop_follower", {store().string()}, nullptr});
  for (Player& player : players) start(player);

  int strikes = 0;
  for (const auto end = Clock::now() + duration(); Clock::now() < end && !HasFailure(); ++strikes) {
    Player& next = players[random_() % players.size()];
    EXPECT_FALSE(next.actor->ends_within(std::chrono::milliseconds(50 + random_() % 450)))
        << next.role << " has ended by itself";
    strike(next);
  }
  for (Player& player : players) {
    player.actor->let_go();
    EXPECT_EQ(player.actor->wait(), 0) << player.role;
    expect_content(player);
  }

  const Log reader = open_reader();
  std::uint64_t appends = 0;
  for (int i = 0; i < workers; ++i) {
    const std::string name = "worker-" + std::to_string(i);
    const test::Diary diary = test::read_diary(test::diary_of(store(), name));
    const std::vector<std::string> texts = texts_of(reader, name);
    EXPECT_EQ(texts.size(), diary.acked) << name;
    for (std::size_t n = 0; n < texts.size(); ++n)
      ASSERT_EQ(texts[n], name + " " + std::to_string(n + 1));
    appends += diary.acked;
  }
  const auto report = verify(reader);
  ASSERT_TRUE(report.ok()) << report.error().what;
  for (const auto& finding : report->findings) ADD_FAILURE() << finding.what;
  EXPECT_GT(appends, 0u);
  std::cout << strikes << " strikes, " << appends << " appends, " << reader.head().value
            << " events\n";
}

}  // namespace
}  // namespace pievt
