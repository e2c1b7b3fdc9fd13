// The window of append ids: it may send too many to the index, and must never call one new that
// was used before.
#include "store/log/id_window.h"

#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace pievt {
namespace {

// An id of a clock that is at `ms`, with random bits from `dice`.
AppendId id_at(std::uint64_t ms, std::mt19937_64& dice) {
  AppendId id;
  for (std::byte& byte : id.bytes) byte = static_cast<std::byte>(dice());
  for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::byte>(ms >> (40 - 8 * i));
  id.bytes[6] = (id.bytes[6] & std::byte{0x0f}) | std::byte{0x70};
  id.bytes[8] = (id.bytes[8] & std::byte{0x3f}) | std::byte{0x80};
  return id;
}

TEST(IdWindow, CallsNoIdNewThatWasUsed) {
  for (const std::uint64_t seed : {1u, 2u, 3u, 4u}) {
    std::mt19937_64 dice(seed);
    std::set<AppendId> used;
    for (int i = 0; i < 100; ++i) used.insert(id_at(1'000 + dice() % 50, dice));
    IdWindow window(*used.rbegin());
    std::vector<AppendId> order;
    std::uint64_t clock = 1'020;
    for (int step = 0; step < 30'000; ++step) {
      // A clock that runs and is set back now and then, and ids that do not come from one.
      clock = dice() % 5'000 == 0 ? clock - dice() % 30 : clock + dice() % 2;
      AppendId id = id_at(clock, dice);
      if (dice() % 50 == 0) id.bytes[0] = static_cast<std::byte>(dice());
      if (!order.empty() && dice() % 3 == 0) id = order[dice() % order.size()];
      if (used.contains(id)) {
        ASSERT_TRUE(window.may_be_known(id)) << "seed " << seed << ", step " << step;
        continue;
      }
      used.insert(id);
      order.push_back(id);
      window.add(id);
    }
    for (const AppendId& id : used) ASSERT_TRUE(window.may_be_known(id)) << "seed " << seed;
  }
}

// What it is for: who appends with ids of a clock, many at a time, is not sent to the index.
TEST(IdWindow, KnowsIdsOfAClockToBeNew) {
  std::mt19937_64 dice(7);
  IdWindow window(AppendId{});
  std::vector<AppendId> on_their_way;
  int asked = 0;
  for (std::uint64_t step = 0; step < 40'000; ++step) {
    on_their_way.push_back(id_at(1'000 + step / 60, dice));
    if (on_their_way.size() < 64) continue;
    const std::size_t at = dice() % on_their_way.size();
    asked += window.may_be_known(on_their_way[at]) ? 1 : 0;
    window.add(on_their_way[at]);
    on_their_way.erase(on_their_way.begin() + static_cast<std::ptrdiff_t>(at));
  }
  EXPECT_EQ(asked, 0);
}

TEST(IdWindow, IdsWithTheSameRandomHalfAreOnlyAskedFor) {
  std::mt19937_64 dice(8);
  IdWindow window(AppendId{});
  const AppendId one = id_at(1'000, dice);
  AppendId other = one;
  other.bytes[5] = std::byte{0xff};
  window.add(one);
  EXPECT_TRUE(window.may_be_known(other));
  window.add(other);
  EXPECT_TRUE(window.may_be_known(one));
  EXPECT_FALSE(window.may_be_known(id_at(1'001, dice)));
}

}  // namespace
}  // namespace pievt
