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
  const PaceStep step = after_look(fresh, Look::found_data, start);
  EXPECT_EQ(step.move, PaceMove::wait);
  EXPECT_EQ(step.pace, (Pace{PaceState::busy, start, at(4)}));
}

TEST(Pace, ArmsTheWatchAfterAHundredQuietMilliseconds) {
  Pace pace = after_look(Pace::from(start), Look::found_data, start).pace;
  int looks = 0;
  PaceStep step{pace, PaceMove::wait};
  while (step.move == PaceMove::wait) {
    step = after_look(pace, Look::found_nothing, pace.next_look);
    pace = step.pace;
    ++looks;
    ASSERT_LE(looks, 100);
  }
  EXPECT_EQ(looks, 25);
  EXPECT_EQ(pace, (Pace{PaceState::arming, start, at(100)})) << "one more look at once";
}

TEST(Pace, RestsOnlyWhenTheLookAfterArmingFindsNothing) {
  const Pace arming{PaceState::arming, start, at(100)};
  EXPECT_EQ(after_look(arming, Look::found_nothing, at(100)),
            (PaceStep{{PaceState::idle, start, at(1100)}, PaceMove::wait}));
  EXPECT_EQ(after_look(arming, Look::found_data, at(100)),
            (PaceStep{{PaceState::busy, at(100), at(104)}, PaceMove::wait}))
      << "written between the last look and the arming";
}

TEST(Pace, IsWokenFromRestByAnEventOrByChance) {
  const Pace idle{PaceState::idle, start, at(1100)};
  EXPECT_EQ(after_event(idle, at(500)), (Pace{PaceState::busy, at(500), at(500)}));
  EXPECT_EQ(after_look(idle, Look::found_nothing, at(1100)).pace,
            (Pace{PaceState::idle, start, at(2100)}))
      << "the watch is armed still";
  EXPECT_EQ(after_look(idle, Look::found_data, at(1100)).pace,
            (Pace{PaceState::busy, at(1100), at(1104)}));
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
        const Look look = input == Input::data ? Look::found_data : Look::found_nothing;
        const PaceStep next = after_look(pace, look, now);
        if (next.move == PaceMove::arm_watch) armed = true;
        pace = next.pace;
      }
      EXPECT_TRUE(pace.state == PaceState::busy || armed) << history;
    }
  }
}

}  // namespace
}  // namespace pievt::process
