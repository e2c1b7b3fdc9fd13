// When a file is looked at: by the clock while it grows, by inotify while it rests.
#include "supervisor/process/pace.h"

#include <vector>

#include <gtest/gtest.h>

namespace pievt::process {
namespace {

using std::chrono::milliseconds;

const Moment start = Moment{} + std::chrono::hours(1);

Moment at(int ms) {
  return start + milliseconds(ms);
}

TEST(Pace, LooksAtOnceAndThenByTheClock) {
  const Pace fresh = Pace::from(start);
  EXPECT_EQ(fresh.next_look, start);
  const PaceStep step = after_look(fresh, 1, start);
  EXPECT_EQ(step.move, PaceMove::wait);
  EXPECT_EQ(step.pace, (Pace{PaceState::busy, start, at(4)}));
}

TEST(Pace, ArmsTheWatchAfterAHundredQuietMilliseconds) {
  Pace pace = after_look(Pace::from(start), 1, start).pace;
  int looks = 0;
  PaceStep step{pace, PaceMove::wait};
  while (step.move == PaceMove::wait) {
    step = after_look(pace, 0, pace.next_look);
    pace = step.pace;
    ++looks;
    ASSERT_LE(looks, 100);
  }
  EXPECT_EQ(looks, 25);
  EXPECT_EQ(pace, (Pace{PaceState::arming, start, at(100)})) << "one more look at once";
}

TEST(Pace, RestsOnlyWhenTheLookAfterArmingFindsNothing) {
  const Pace arming{PaceState::arming, start, at(100)};
  EXPECT_EQ(after_look(arming, 0, at(100)),
            (PaceStep{{PaceState::idle, start, at(1100)}, PaceMove::wait}));
  EXPECT_EQ(after_look(arming, 1, at(100)),
            (PaceStep{{PaceState::busy, at(100), at(104)}, PaceMove::wait}))
      << "written between the last look and the arming";
}

TEST(Pace, IsWokenFromRestByAnEventOrByChance) {
  const Pace idle{PaceState::idle, start, at(1100)};
  EXPECT_EQ(after_event(idle, at(500)), (Pace{PaceState::busy, at(500), at(500)}));
  EXPECT_EQ(after_look(idle, 0, at(1100)).pace, (Pace{PaceState::idle, start, at(2100)}))
      << "the watch is armed still";
  EXPECT_EQ(after_look(idle, 1, at(1100)).pace, (Pace{PaceState::busy, at(1100), at(1104)}));
}

TEST(Pace, WaitsForAWholeChunkOfAFlood) {
  const Pace busy{PaceState::busy, start, at(4)};
  const auto next_look_ms = [&](std::uint64_t bytes, int now_ms) {
    const PaceStep step = after_look(busy, bytes, at(now_ms));
    EXPECT_EQ(step.move, PaceMove::wait);
    return std::chrono::floor<milliseconds>(step.pace.next_look - at(now_ms)).count();
  };
  EXPECT_EQ(next_look_ms(limits::read_bytes_max / 8, 4), 40);
  EXPECT_EQ(next_look_ms(limits::read_bytes_max / 2, 40), 100);
  EXPECT_EQ(next_look_ms(limits::read_bytes_max / 2, 41), 4) << "too slow to be worth the wait";
  EXPECT_EQ(next_look_ms(8 * limits::read_bytes_max, 4), 4) << "never more often";
  EXPECT_EQ(next_look_ms(100, 0), 4) << "the first bytes after an event are no flood";
  EXPECT_EQ(next_look_ms(limits::read_bytes_max, 60'000), 4) << "nor is what piled up in a pause";
  EXPECT_EQ(next_look_ms(UINT64_MAX, 4), 4);
}

TEST(Pace, NeverRestsWithAnUnarmedWatch) {
  // Every history of eight inputs, with the watch modelled as inotify is: an event spends it.
  enum class Input { data, nothing, event };
  for (int history = 0; history < 6561; ++history) {
    Pace pace = Pace::from(start);
    bool armed = false;
    int rest = history;
    for (int step = 0; step < 8; ++step, rest /= 3) {
      const Moment now = pace.next_look + milliseconds(60 * (step % 2));
      const auto input = static_cast<Input>(rest % 3);
      if (input == Input::event && !armed) continue;
      if (input == Input::event) {
        armed = false;
        pace = after_event(pace, now);
        EXPECT_LE(pace.next_look, now);
      } else {
        const PaceStep next = after_look(pace, input == Input::data ? 1u : 0u, now);
        if (next.move == PaceMove::arm_watch) armed = true;
        pace = next.pace;
      }
      EXPECT_TRUE(pace.state == PaceState::busy || armed) << history;
    }
  }
}

}  // namespace
}  // namespace pievt::process
