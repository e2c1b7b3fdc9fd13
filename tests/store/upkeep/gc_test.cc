// gc takes what nobody refers to any more, and nothing else.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pievt/output.h"
#include "store/format/keys.h"
#include "store/log/output_store.h"
#include "tests/store/upkeep/living_supervisor.h"
#include "tests/store/upkeep/sample_store.h"

namespace pievt {
namespace {

class GcTest : public SampleStoreTest {
 protected:
  void SetUp() override { make_runs(); }

  GcReport collected(const GcOptions& options = {}) const {
    const auto done = collect_garbage(store(), options);
    EXPECT_TRUE(done.ok()) << done.error().what;
    return done.ok() ? *done : GcReport{};
  }
};

TEST_F(GcTest, WhatEventsReferToStays) {
  const auto before = everything();
  const GcReport report = collected();
  EXPECT_EQ(report.texts + report.chunks + report.output_chunks + report.bytes, 0u);
  EXPECT_EQ(everything(), before);
}

TEST_F(GcTest, WhatNobodyRefersToGoesWithItsBytes) {
  const auto before = everything();
  open(OpenMode::write);
  ASSERT_TRUE(log().put_blob("nobody refers to me").ok());
  std::string large(700'000, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * i >> 7);
  ASSERT_TRUE(log().put_blob(large).ok());
  // Of a run that nobody knows and of one that is not finished.
  OutputPacker packer;
  for (const char* run : {"unknown", "r1"}) {
    OutputWriter writer({run, 9, 9, schema::OutputChannel::stderr});
    ASSERT_TRUE(writer.write(log(), packer, std::as_bytes(std::span("some", 4))).ok());
  }
  close();
  std::uint64_t bytes = 0;
  for (const auto& [key, value] : contents(store(), Family::blobs)) {
    const bool kept = key.starts_with(std::string("or1\0", 4));
    if (!before.at(Family::blobs).contains(key) && !kept) bytes += key.size() + value.size();
  }
  const GcReport preview =
      collected({.preview = Preview::yes, .progress = {}, .remove_attempt = {}});
  const GcReport report = collected();
  EXPECT_EQ(report.texts, 2u);
  EXPECT_GT(report.chunks, 1u);
  EXPECT_EQ(report.output_chunks, 1u);
  EXPECT_EQ(report.kept_for_runs, 1u);
  EXPECT_EQ(report.bytes, bytes);
  EXPECT_EQ(preview.bytes, bytes);
  std::map<std::string, std::string> left = contents(store(), Family::blobs);
  std::erase_if(left, [](const auto& entry) {
    return entry.first.starts_with(std::string("or1\0", 4)) && entry.first[11] == 9;
  });
  EXPECT_EQ(left.size(), before.at(Family::blobs).size());
  EXPECT_EQ(verified(store()).verdict, Verdict::whole);
  EXPECT_EQ(collected().bytes, 0u);
}

TEST_F(GcTest, TheFilesOfARunThatIsSupervisedStay) {
  open(OpenMode::write);
  for (const char* run : {"r1", "r2"}) {
    schema::AttemptClassifiedT classified;
    std::vector<NewEvent> events;
    events.push_back({std::move(classified), {.job = 1, .attempt = 1}});
    ASSERT_TRUE(log().append(run_stream(run), Expected::any(), std::move(events)).ok());
  }
  close();
  std::vector<std::string> removed;
  GcOptions options;
  options.remove_attempt = [&](const std::string& run, const std::string& job, std::uint32_t number,
                               Preview preview) -> Result<std::uint64_t> {
    if (preview == Preview::no) removed.push_back(fmt::format("{}/{}/{}", run, job, number));
    return std::uint64_t{100};
  };
  {
    const LivingSupervisor supervisor(store(), "r1");
    const GcReport report = collected(options);
    EXPECT_THAT(removed, testing::ElementsAre("r2/only/1"));
    EXPECT_EQ(report.attempts, 1u);
    EXPECT_EQ(report.kept_attempts, 1u);
    EXPECT_THAT(report.supervised, testing::ElementsAre("r1"));
  }
  removed.clear();
  EXPECT_EQ(collected(options).kept_attempts, 0u);
  EXPECT_THAT(removed, testing::ElementsAre("r1/only/1", "r2/only/1"));
}

TEST_F(GcTest, ALivingWriterAndADamagedLogAreLeftAlone) {
  open(OpenMode::write);
  ASSERT_TRUE(log().put_blob("put, and not referred to yet").ok());
  EXPECT_EQ(collect_garbage(store()).error().code, Errc::busy);
  // Who only looks is not in the way.
  collected({.preview = Preview::yes, .progress = {}, .remove_attempt = {}});
  close();
  const std::vector<PageRange> pages = pages_of(store());
  tamper([&](Rocks&, WriteSet& set) { set.remove(Family::log, format::log_key(pages[5].last)); });
  const auto before = contents(store(), Family::blobs);
  EXPECT_EQ(collect_garbage(store()).error().code, Errc::corrupt);
  EXPECT_EQ(contents(store(), Family::blobs), before);
}

}  // namespace
}  // namespace pievt
