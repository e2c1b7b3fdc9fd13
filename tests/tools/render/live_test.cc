#include "tools/render/live.h"

#include <gmock/gmock.h>

namespace pievt::render {
namespace {

constexpr std::int64_t ms = 1'000'000;
constexpr std::string_view begin = "\x1b[?2026h";
constexpr std::string_view end = "\x1b[?2026l";

std::string frame(std::string_view body) {
  return std::string(begin) + std::string(body) + std::string(end);
}

Terminal screen(int width = 40, int height = 10) {
  return {.is_tty = true, .width = width, .height = height, .color = false, .utf8 = true};
}

TEST(LiveView, RepaintsInPlace) {
  StringWriter out;
  LiveView view(out, screen());
  view.show({"one", "two"}, 0);
  EXPECT_EQ(out.take(), frame("\r\x1b[Jone\ntwo\n"));
  view.show({"one", "TWO", "three"}, 200 * ms);
  EXPECT_EQ(out.take(), frame("\x1b[2A\r\x1b[Jone\nTWO\nthree\n"));
}

TEST(LiveView, PaintsAtMostTenTimesASecondAndLosesNothing) {
  StringWriter out;
  LiveView view(out, screen());
  view.show({"0"}, 0);
  out.take();
  for (int i = 1; i <= 99; ++i) view.show({std::to_string(i)}, i * ms);
  EXPECT_EQ(out.take(), "");
  EXPECT_EQ(view.due_ns(), 100 * ms);
  view.tick(100 * ms);
  EXPECT_EQ(out.take(), frame("\x1b[1A\r\x1b[J99\n"));
  EXPECT_EQ(view.due_ns(), std::nullopt);
}

TEST(LiveView, TheSamePictureIsNotPaintedAgain) {
  StringWriter out;
  LiveView view(out, screen());
  view.show({"same"}, 0);
  out.take();
  view.show({"same"}, 500 * ms);
  EXPECT_EQ(out.take(), "");
}

TEST(LiveView, CutsToTheScreen) {
  StringWriter out;
  LiveView view(out, screen(20, 4));
  view.show({"a line that is longer than the screen", "2", "3", "4", "5"}, 0);
  EXPECT_EQ(out.take(), frame("\r\x1b[Ja line that is long\u2026\n(3 more lines)\n5\n"));
}

TEST(LiveView, ANoteStaysAboveThePicture) {
  StringWriter out;
  LiveView view(out, screen());
  view.show({"picture"}, 0);
  out.take();
  view.note("job r1 ok");
  EXPECT_EQ(out.take(), frame("\x1b[1A\r\x1b[Jjob r1 ok\npicture\n"));
}

TEST(LiveView, FinishPaintsWhatWaits) {
  StringWriter out;
  LiveView view(out, screen());
  view.show({"first"}, 0);
  view.show({"last"}, ms);
  out.take();
  view.finish();
  EXPECT_EQ(out.take(), frame("\x1b[1A\r\x1b[Jlast\n"));
}

TEST(LiveView, WithoutATerminalItIsPlainLines) {
  StringWriter out;
  LiveView view(out, Terminal{});
  view.show({"picture 1"}, 0);
  view.note("job r1 ok");
  view.show(
      {"picture 2",
       "a line that would not fit a screen of any usual width, and is not cut either, of course"},
      500 * ms);
  EXPECT_EQ(view.due_ns(), std::nullopt);
  EXPECT_EQ(out.take(), "job r1 ok\n");
  view.finish();
  EXPECT_EQ(out.take(),
            "picture 2\na line that would not fit a screen of any usual width, and is not cut "
            "either, of course\n");
}

}  // namespace
}  // namespace pievt::render
