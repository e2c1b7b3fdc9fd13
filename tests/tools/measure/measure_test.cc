// What the bench measures with is checked before its numbers are believed: percentiles, the size of
// an event, the shape of a run, and that nothing stays behind.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pievt/query.h"
#include "store/format/codec.h"
#include "tools/measure/events.h"
#include "tools/measure/latencies.h"
#include "tools/measure/place.h"
#include "tools/measure/report.h"

namespace pievt::measure {
namespace {

TEST(LatenciesTest, APercentileIsADurationThatWasMeasured) {
  Latencies latencies;
  for (std::int64_t us = 1000; us >= 1; --us) latencies.add(us * 1000);
  const Percentiles of_thousand = latencies.percentiles();
  EXPECT_EQ(of_thousand.p50_us, 500);
  EXPECT_EQ(of_thousand.p95_us, 950);
  EXPECT_EQ(of_thousand.p99_us, 990);
  EXPECT_EQ(of_thousand.p999_us, 999);
  EXPECT_DOUBLE_EQ(latencies.seconds(), 0.5005);
}

TEST(LatenciesTest, OfFewTheGreatestIsEveryHighPercentile) {
  Latencies latencies;
  EXPECT_EQ(latencies.percentiles().p999_us, 0);
  latencies.add(2000);
  EXPECT_EQ(latencies.percentiles().p50_us, 2);
  Latencies more;
  more.add(9000);
  latencies.add(more);
  EXPECT_EQ(latencies.percentiles().p50_us, 2);
  EXPECT_EQ(latencies.percentiles().p99_us, 9);
}

TEST(MeasureEventsTest, AnEventHasTheSizeThatEveryPeerIsGiven) {
  for (const std::uint64_t number : {1u, 2u, 3u, 99u, 100u, 1'000'000u, 123'456'789u}) {
    std::vector<std::byte> body;
    format::BodyEncoder().append(sized_event(number), body);
    EXPECT_EQ(sizeof(schema::Stamp) + body.size(), event_bytes) << number;
  }
}

TEST(MeasureEventsTest, ARunOfThemCanBeFolded) {
  const Result<ScratchDirectory> scratch = ScratchDirectory::make(testing::TempDir());
  ASSERT_TRUE(scratch.ok()) << scratch.error().what;
  const std::filesystem::path store = scratch->path() / "store";
  ASSERT_TRUE(write_run(store, 1'234, 100).ok());
  const Result<Log> log = Log::open(store);
  ASSERT_TRUE(log.ok()) << log.error().what;
  const Result<RunState> run = load_run(*log, "bench");
  ASSERT_TRUE(run.ok()) << run.error().what;
  EXPECT_EQ(run->revision, 1'234u);
  EXPECT_EQ(run->jobs.size(), 100u);
}

TEST(ScratchDirectoryTest, IsGoneWithWhatIsInIt) {
  std::filesystem::path path;
  {
    const Result<ScratchDirectory> scratch = ScratchDirectory::make(testing::TempDir());
    ASSERT_TRUE(scratch.ok());
    path = scratch->path();
    std::ofstream(path / "file") << "content";
    ASSERT_TRUE(std::filesystem::exists(path / "file"));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(ReportTest, NumbersForPeopleHaveThreeDigits) {
  EXPECT_EQ(rate_text(1'234'567), "1.23 M");
  EXPECT_EQ(rate_text(999'600), "1.00 M");
  EXPECT_EQ(rate_text(820'400), "820 k");
  EXPECT_EQ(rate_text(95), "95.0");
  EXPECT_EQ(time_text(131.2), "131 us");
  EXPECT_EQ(time_text(0.7), "0.70 us");
  EXPECT_EQ(time_text(2'149), "2.15 ms");
  EXPECT_EQ(time_text(3'000'000), "3.00 s");
}

}  // namespace
}  // namespace pievt::measure
