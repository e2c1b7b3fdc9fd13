#include "tools/render/progress.h"

#include <gmock/gmock.h>

namespace pievt::render {
namespace {

constexpr std::int64_t second = 1'000'000'000;

TEST(ProgressLine, SaysShareRateAndTimeLeft) {
  EXPECT_EQ(progress_line({"verifying", ProgressUnit::items, 12'500, 50'000, 10 * second}),
            "verifying  12,500 of 50,000  25 %  1,250/s  30.0 s left");
  EXPECT_EQ(progress_line({"copying", ProgressUnit::bytes, 3 << 20, 4 << 20, 2 * second}),
            "copying  3 MiB of 4 MiB  75 %  1.5 MiB/s  0.7 s left");
}

TEST(ProgressLine, LeavesOutWhatIsNotKnown) {
  EXPECT_EQ(progress_line({"reading", ProgressUnit::items, 500, std::nullopt, 2 * second}),
            "reading  500  250/s");
  EXPECT_EQ(progress_line({"reading", ProgressUnit::items, 500, 1'000, second / 10}),
            "reading  500 of 1,000  50 %");
  EXPECT_EQ(progress_line({"reading", ProgressUnit::items, 0, 1'000, 9 * second}),
            "reading  0 of 1,000  0 %");
}

TEST(ProgressLine, SurvivesOddNumbers) {
  EXPECT_EQ(progress_line({"x", ProgressUnit::items, 5, 0, second}), "x  5 of 0  100 %  5/s");
  EXPECT_EQ(progress_line({"x", ProgressUnit::items, 12, 10, second}), "x  12 of 10  100 %  12/s");
  constexpr std::uint64_t huge = UINT64_MAX;
  EXPECT_THAT(progress_line({"x", ProgressUnit::items, 1, huge, 100 * second}),
              testing::EndsWith(" left"));
}

TEST(Progress, RepaintsOneLineOnATerminal) {
  StringWriter out;
  Progress progress(out, {.is_tty = true, .width = 40}, "reading", 0);
  progress.at(1, second / 100);
  EXPECT_EQ(out.take(), "");
  progress.set_total(200);
  progress.at(100, second);
  EXPECT_EQ(out.take(), "\r\x1b[Kreading  100 of 200  50 %  100/s  1.0 \u2026");
  progress.finish();
  EXPECT_EQ(out.take(), "\r\x1b[K");
}

TEST(Progress, WritesALineNowAndThenElsewhere) {
  StringWriter out;
  Progress progress(out, Terminal{}, "reading", 0);
  for (int s = 1; s <= 25; ++s) progress.at(static_cast<std::uint64_t>(s) * 10, s * second);
  progress.finish();
  EXPECT_EQ(out.take(), "reading  100  10/s\nreading  200  10/s\n");
}

}  // namespace
}  // namespace pievt::render
