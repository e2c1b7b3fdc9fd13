#include "tools/frame/moment.h"

#include <stdlib.h>
#include <time.h>

#include <gmock/gmock.h>

namespace pievt::tools {
namespace {

using render::Precision;
using render::rfc3339;
using render::Zone;

constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t now = 1'795'176'304 * second;  // 2026-11-20T12:05:04Z

std::string moment(std::string_view text, Zone zone = Zone::utc) {
  const auto parsed = parse_moment(text, now, zone);
  return parsed.ok() ? rfc3339(*parsed, Zone::utc) : "refused";
}

TEST(ParseDuration, ReadsUnitsFromLargeToSmall) {
  EXPECT_EQ(*parse_duration("90s"), 90 * second);
  EXPECT_EQ(*parse_duration("1h30m"), 5'400 * second);
  EXPECT_EQ(*parse_duration("500ms"), second / 2);
  EXPECT_EQ(*parse_duration("2d3h4m5s6ms"), 183'845 * second + 6'000'000);
  EXPECT_EQ(*parse_duration("0s"), 0);
}

TEST(ParseDuration, RefusesEverythingElse) {
  for (const char* bad : {"", "90", "s", "1.5h", "-1s", "1s1s", "30m1h", "1 h", "1h ", "1w",
                          "9999999999999h", "106751d999999999999999ms", "99999999999999999999s"}) {
    const auto parsed = parse_duration(bad);
    ASSERT_FALSE(parsed.ok()) << bad;
    EXPECT_EQ(parsed.error().code, Errc::invalid);
  }
}

TEST(ParseMoment, ReadsWhatPeopleType) {
  EXPECT_EQ(moment("now"), "2026-11-20T12:05:04.000Z");
  EXPECT_EQ(moment("2h"), "2026-11-20T10:05:04.000Z");
  EXPECT_EQ(moment("today"), "2026-11-20T00:00:00.000Z");
  EXPECT_EQ(moment("today 09:30"), "2026-11-20T09:30:00.000Z");
  EXPECT_EQ(moment("yesterday"), "2026-11-19T00:00:00.000Z");
  EXPECT_EQ(moment("yesterday 14:00"), "2026-11-19T14:00:00.000Z");
  EXPECT_EQ(moment("2026-03-01"), "2026-03-01T00:00:00.000Z");
  EXPECT_EQ(moment("2026-03-01 14:00:05.25"), "2026-03-01T14:00:05.250Z");
  EXPECT_EQ(moment("2026-03-01T14:00:05Z"), "2026-03-01T14:00:05.000Z");
  EXPECT_EQ(moment("2026-03-01T01:00:00.5+05:30"), "2026-02-28T19:30:00.500Z");
  EXPECT_EQ(moment("2024-02-29"), "2024-02-29T00:00:00.000Z");
}

TEST(ParseMoment, AClockTimeIsTheLastOne) {
  EXPECT_EQ(moment("12:05"), "2026-11-20T12:05:00.000Z");
  EXPECT_EQ(moment("12:05:04"), "2026-11-20T12:05:04.000Z");
  EXPECT_EQ(moment("12:05:05"), "2026-11-19T12:05:05.000Z");
}

TEST(ParseMoment, RefusesWhatDoesNotExist) {
  for (const char* bad : {"", "soon", "2026-02-29", "2026-13-01", "2026-00-10", "2026-04-31",
                          "25:00", "12:60", "1:00", "2026-11-20T", "2026-11-20T12:00:00+25:00",
                          "2026-11-20T12:00:00Zx", "today9", "today 9", "yesterday 14:00 ",
                          "12:05:04.", "1969-01-01", "9999-01-01", "2026-11-20 12:00 Z"}) {
    EXPECT_EQ(moment(bad), "refused") << bad;
  }
}

TEST(ParseMoment, LocalTimesFollowTheClockChange) {
  ::setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
  ::tzset();
  EXPECT_EQ(moment("2026-07-01 14:00", Zone::local), "2026-07-01T12:00:00.000Z");
  EXPECT_EQ(moment("2026-11-20 14:00", Zone::local), "2026-11-20T13:00:00.000Z");
  EXPECT_EQ(moment("today", Zone::local), "2026-11-19T23:00:00.000Z");
  EXPECT_EQ(moment("yesterday", Zone::local), "2026-11-18T23:00:00.000Z");
  ::unsetenv("TZ");
  ::tzset();
}

}  // namespace
}  // namespace pievt::tools
