// Which event of the whole log a time means.
#include "tools/verbs/store_moment.h"

#include <vector>

#include <gtest/gtest.h>

#include "tests/store/log/temp_store.h"

namespace pievt::tools {
namespace {

class SequenceAt : public StoreTest {};

TEST_F(SequenceAt, IsTheLastEventRecordedUntilThen) {
  open();
  for (std::size_t i = 0; i < 90; ++i)
    append(i % 2 == 0 ? "run/a" : "run/b", std::vector<std::string>(1 + i * 7 % 40, "said"));
  std::vector<std::uint64_t> recorded;
  for (auto reader = log().read({1}); reader.next();)
    recorded.push_back(reader.event().stamp->wall_ns());
  ASSERT_EQ(recorded.size(), log().head().value);
  ASSERT_LT(recorded.front(), recorded.back());
  const auto expected = [&](std::uint64_t when) {
    std::size_t last = recorded.size();
    while (last > 0 && recorded[last - 1] > when) --last;
    return Sequence{last};
  };
  for (const std::uint64_t time : recorded) {
    for (const std::uint64_t when : {time - 1, time, time + 1})
      ASSERT_EQ(sequence_at(log(), when).value(), expected(when)) << when;
  }
  EXPECT_EQ(sequence_at(log(), 0).value(), Sequence{});
  EXPECT_EQ(sequence_at(log(), UINT64_MAX).value(), log().head());
}

}  // namespace
}  // namespace pievt::tools
