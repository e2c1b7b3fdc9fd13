// Out of a store into a file and into another store: the same run.
#include <algorithm>
#include <filesystem>

#include <gtest/gtest.h>

#include "pievt/query.h"
#include "pievt/verify.h"
#include "tests/store/trust/sealed_source.h"
#include "tests/tools/exporters/sample_run.h"
#include "tools/importers/importer.h"
#include "tools/importers/run_storing.h"
#include "tools/importers/sealed.h"

namespace pievt {
namespace {

using tools::RunImport;

class Unsealed : public StoreTest {
 protected:
  Unsealed() {
    open();
    sample_ = tools::write_sample(log());
    write();
    auto other = Log::open(directory() / "other", {.mode = OpenMode::create});
    EXPECT_TRUE(other.ok());
    other_.emplace(std::move(*other));
  }

  std::filesystem::path file() const { return directory() / "run.pievt"; }
  std::unique_ptr<RunSource> source(const Log& log) {
    return std::move(open_run(log, sample_.id)).value();
  }
  void write() {
    SealOptions options;
    options.pievt_version = "0.1.0";
    options.existing = SealOptions::Existing::replace;
    const auto report = seal(*source(log()), file(), options);
    EXPECT_TRUE(report.ok()) << (report.ok() ? "" : report.error().what);
  }
  Result<tools::ImportReport> read(Log& log) {
    return tools::sealed_file::read(&log, file(), {.pievt_version = "0.1.0", .progress = {}});
  }

  tools::SampleRun sample_;
  std::optional<Log> other_;
};

TEST_F(Unsealed, IsTheSameRun) {
  ASSERT_TRUE(std::ranges::any_of(tools::importers(), [&](const tools::Importer& importer) {
    return importer.recognises(file());
  }));
  const auto report = read(*other_);
  ASSERT_TRUE(report.ok()) << report.error().what;
  EXPECT_EQ(report->runs.front().outcome, RunImport::imported);
  // Bodies differ in the digests alone, which are made with a store's key; a store that has the
  // run exports it with the same texts, and seals it as large.
  const auto here = source(log()), there = source(*other_);
  auto one = told(*here), two = told(*there);
  ASSERT_EQ(one.size(), two.size());
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].body.size(), two[i].body.size());
    // Nor is the sequence of one store that of another.
    one[i].body = two[i].body = "";
    one[i].sequence = two[i].sequence = 0;
  }
  EXPECT_EQ(one, two);
  EXPECT_EQ(output_of(*here), output_of(*there));
  std::multiset<std::string> texts, others;
  for (const auto& [digest, text] : texts_of(*here)) texts.insert(text);
  for (const auto& [digest, text] : texts_of(*there)) others.insert(text);
  EXPECT_EQ(texts, others);
  EXPECT_EQ(verify(*other_)->verdict, Verdict::whole);
}

TEST_F(Unsealed, TwiceIsOnce) {
  ASSERT_TRUE(read(*other_).ok());
  const Sequence head = other_->head();
  EXPECT_EQ(read(*other_)->runs.front().outcome, RunImport::unchanged);
  EXPECT_EQ(other_->head(), head);
  const Sequence own = log().head();
  EXPECT_EQ(read(log())->runs.front().outcome, RunImport::unchanged);
  EXPECT_EQ(log().head(), own);
}

TEST_F(Unsealed, AnotherRunOfThatIdIsLeftAlone) {
  std::vector<NewEvent> events;
  schema::RunPlannedT planned;
  planned.run_id = sample_.id;
  events.push_back({std::move(planned)});
  ASSERT_TRUE(other_->append(run_stream(sample_.id), Expected::any(), std::move(events)).ok());
  const auto refused = read(*other_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::conflict);
}

TEST_F(Unsealed, WhatIsDamagedIsNotStored) {
  std::string bytes = slurp(file());
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  spill(file(), bytes);
  const Sequence head = other_->head();
  EXPECT_EQ(read(*other_).error().code, Errc::corrupt);
  EXPECT_EQ(other_->head(), head);
}

// A store that goes on must be able to stand for what is in it; one that is only looked at need
// not.
TEST_F(Unsealed, ALaterVersionsEventsAreKeptOnlyToLookAt) {
  tools::append_unknown(log(), sample_.id);
  write();
  const auto refused = read(*other_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::too_new);
  EXPECT_EQ(other_->stream_head(run_stream(sample_.id))->value, 0u);
  const auto sealed = open_sealed(file());
  const auto stored =
      tools::store_run(*other_, **sealed, tools::Unknown::kept, {"run.pievt", "0.1.0", 1});
  ASSERT_TRUE(stored.ok()) << stored.error().what;
  const auto there = source(*other_);
  EXPECT_EQ(there->head(), (*sealed)->head());
  EXPECT_EQ(told(*there).back().body, told(**sealed).back().body);
  EXPECT_EQ(output_of(*there), output_of(**sealed));
}

}  // namespace
}  // namespace pievt
