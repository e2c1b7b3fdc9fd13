#include "tools/render/text.h"

#include <limits>

#include <stdlib.h>
#include <time.h>

#include <gmock/gmock.h>

namespace pievt::render {
namespace {

constexpr std::int64_t us = 1'000;
constexpr std::int64_t ms = 1'000 * us;
constexpr std::int64_t second = 1'000 * ms;
constexpr std::int64_t minute = 60 * second;
constexpr std::int64_t hour = 60 * minute;

TEST(DurationText, ChoosesTheUnitPeopleUse) {
  EXPECT_EQ(duration_text(0), "0 us");
  EXPECT_EQ(duration_text(412 * us), "412 us");
  EXPECT_EQ(duration_text(50 * ms), "50 ms");
  EXPECT_EQ(duration_text(600 * ms), "0.6 s");
  EXPECT_EQ(duration_text(1'234 * ms), "1.2 s");
  EXPECT_EQ(duration_text(4 * minute + 12 * second), "4m 12s");
  EXPECT_EQ(duration_text(2 * hour + 5 * minute), "2h 05m");
  EXPECT_EQ(duration_text(76 * hour), "3d 04h");
}

TEST(DurationText, CarriesWhenRoundingReachesTheNextUnit) {
  EXPECT_EQ(duration_text(999'600), "1 ms");
  EXPECT_EQ(duration_text(99'600 * us), "0.1 s");
  EXPECT_EQ(duration_text(59'960 * ms), "1m 00s");
  EXPECT_EQ(duration_text(59 * minute + 59'600 * ms), "1h 00m");
  EXPECT_EQ(duration_text(24 * hour - second), "1d 00h");
}

TEST(DurationText, TakesEveryNumber) {
  EXPECT_EQ(duration_text(-1'200 * ms), "-1.2 s");
  EXPECT_EQ(duration_text(std::numeric_limits<std::int64_t>::min()), "-106752d 00h");
  EXPECT_EQ(duration_text(std::numeric_limits<std::int64_t>::max()), "106752d 00h");
}

TEST(BytesText, ThreeDigitsOf1024) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(261), "261 B");
  EXPECT_EQ(bytes_text(1'023), "1023 B");
  EXPECT_EQ(bytes_text(1'536), "1.5 KiB");
  EXPECT_EQ(bytes_text(64 << 10), "64 KiB");
  EXPECT_EQ(bytes_text(8 << 20), "8 MiB");
  EXPECT_EQ(bytes_text(273'000'000), "260 MiB");
  EXPECT_EQ(bytes_text((1 << 20) - 1), "1.0 MiB");
  EXPECT_EQ(bytes_text(std::numeric_limits<std::uint64_t>::max()), "16.0 EiB");
}

TEST(CountText, SeparatesThousands) {
  EXPECT_EQ(count_text(0), "0");
  EXPECT_EQ(count_text(999), "999");
  EXPECT_EQ(count_text(4'398), "4,398");
  EXPECT_EQ(count_text(1'234'567), "1,234,567");
  EXPECT_EQ(count_text(std::numeric_limits<std::uint64_t>::max()), "18,446,744,073,709,551,615");
  EXPECT_EQ(count_short(9'999), "9,999");
  EXPECT_EQ(count_short(15'993), "16.0 k");
  EXPECT_EQ(count_short(999'960), "1.0 M");
  EXPECT_EQ(count_short(1'234'567), "1.2 M");
  EXPECT_EQ(count_short(345'678'901), "346 M");
  EXPECT_EQ(count_short(5'000'000'000'000), "5,000 G");
}

TEST(MoneyText, IsExactToFourDecimals) {
  EXPECT_EQ(money_text(0), "$0.0000");
  EXPECT_EQ(money_text(9'100'000), "$0.0091");
  EXPECT_EQ(money_text(9'149'999), "$0.0091");
  EXPECT_EQ(money_text(9'150'000), "$0.0092");
  EXPECT_EQ(money_text(1'234'567'890'000), "$1,234.5679");
  EXPECT_EQ(money_text(999'999'950'000), "$1,000.0000");
  EXPECT_EQ(money_text(-30'100'000), "-$0.0301");
}

TEST(MoneyText, LittleIsNotNothing) {
  EXPECT_EQ(money_text(49'999), "<$0.0001");
  EXPECT_EQ(money_text(1), "<$0.0001");
  EXPECT_EQ(money_text(-1), "-<$0.0001");
  EXPECT_EQ(money_text(50'000), "$0.0001");
}

TEST(MoneyExact, KeepsEveryDigit) {
  EXPECT_EQ(money_exact(0), "0.00");
  EXPECT_EQ(money_exact(9'123'456), "0.009123456");
  EXPECT_EQ(money_exact(1'500'000'000), "1.50");
  EXPECT_EQ(money_exact(-1), "-0.000000001");
  EXPECT_EQ(money_exact(std::numeric_limits<std::int64_t>::min()), "-9223372036.854775808");
}

TEST(Plural, CountsWords) {
  EXPECT_EQ(plural(1, "job"), "1 job");
  EXPECT_EQ(plural(0, "job"), "0 jobs");
  EXPECT_EQ(plural(1'024, "entry", "entries"), "1,024 entries");
}

constexpr std::int64_t noon = 1'795'176'304'604'123'456;  // 2026-11-20T12:05:04.604123456Z

class TimeText : public testing::Test {
 protected:
  TimeText() { use("IST-5:30"); }
  ~TimeText() override {
    ::unsetenv("TZ");
    ::tzset();
  }
  // A zone given by its rule, so that no zone files are needed.
  static void use(const char* rule) {
    ::setenv("TZ", rule, 1);
    ::tzset();
  }
};

TEST_F(TimeText, Rfc3339InUtcAndInTheUsersZone) {
  EXPECT_EQ(rfc3339(noon, Zone::utc), "2026-11-20T12:05:04.604Z");
  EXPECT_EQ(rfc3339(noon, Zone::utc, Precision::seconds), "2026-11-20T12:05:04Z");
  EXPECT_EQ(rfc3339(noon, Zone::utc, Precision::nanoseconds), "2026-11-20T12:05:04.604123456Z");
  EXPECT_EQ(rfc3339(noon, Zone::local), "2026-11-20T17:35:04.604+05:30");
  EXPECT_EQ(rfc3339(-1, Zone::utc), "1969-12-31T23:59:59.999Z");
}

TEST_F(TimeText, WestOfGreenwich) {
  use("NST3:30");
  EXPECT_EQ(rfc3339(noon, Zone::local), "2026-11-20T08:35:04.604-03:30");
  EXPECT_EQ(zone_text(noon, Zone::local), "-03:30");
}

TEST_F(TimeText, ClockDateAndZone) {
  EXPECT_EQ(clock_text(noon, Zone::utc), "12:05:04.604");
  EXPECT_EQ(clock_text(noon, Zone::local, Precision::seconds), "17:35:04");
  EXPECT_EQ(date_text(noon, Zone::utc), "20 Nov 2026");
  EXPECT_EQ(zone_text(noon, Zone::utc), "UTC");
}

}  // namespace
}  // namespace pievt::render
