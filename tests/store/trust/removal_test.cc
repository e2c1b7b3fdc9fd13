// A run that was sealed with removal: its events stay, its texts and output go where nobody else
// needs them, everybody says where they are, and they can come back.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pievt/query.h"
#include "pievt/upkeep.h"
#include "store/format/keys.h"
#include "store/log/blob_store.h"
#include "store/log/output_store.h"
#include "store/log/rocks.h"
#include "store/log/store_files.h"
#include "tests/store/trust/sealed_source.h"
#include "tests/tools/exporters/sample_run.h"
#include "tools/importers/run_storing.h"
#include "tools/importers/sealed.h"

namespace pievt {
namespace {

using testing::HasSubstr;
using tools::RunImport;

// The plan, the arguments and the result of a tool, the final message; the prompt is another run's
// too.
constexpr std::uint64_t own_texts = 4;

class Removal : public StoreTest {
 protected:
  Removal() {
    open();
    sample_ = tools::write_sample(log());
    schema::RunPlannedT planned;
    planned.run_id = "r-2";
    schema::JobDeclaredT job;
    job.id = "again";
    job.prompt = std::make_unique<schema::BlobRef>(log().put_blob(sample_.prompt).value());
    std::vector<NewEvent> events;
    events.push_back({std::move(planned)});
    events.push_back({std::move(job), {.job = 1}});
    EXPECT_TRUE(log().append(run_stream("r-2"), Expected::any(), std::move(events)).ok());
    output_ = output_of(*source("r-1"));
  }

  std::filesystem::path file() const { return directory() / "run.pievt"; }
  std::unique_ptr<RunSource> source(std::string_view run) {
    return std::move(open_run(log(), run)).value();
  }
  // Seals r-1 and says that its texts go; nothing has gone yet.
  void intend() {
    const auto report = seal(*source("r-1"), file(), {.pievt_version = "0.1.0"});
    ASSERT_TRUE(report.ok()) << report.error().what;
    ASSERT_TRUE(record_sealed(log(), *report, file(), Original::goes).ok());
    ASSERT_TRUE(log().close().ok());
    close();
  }
  GcReport collected(const GcOptions& options = {}) const {
    const auto report = collect_garbage(store(), options);
    EXPECT_TRUE(report.ok()) << (report.ok() ? "" : report.error().what);
    return report.ok() ? *report : GcReport{};
  }
  void remove() {
    intend();
    GcOptions options;
    options.only_run = "r-1";
    EXPECT_EQ(collected(options).sealed_texts, own_texts);
    open(OpenMode::write);
  }
  bool has(std::string_view text) {
    return log()
        .get_blob({log().keyed_digest(text), text.size(), 0, schema::BlobKind::text, 0})
        .ok();
  }
  // How many texts and chunks of output an export of r-1 says it lacks.
  std::uint64_t exported_without() {
    const tools::Manifest manifest = tools::exported("jsonl", *source("r-1")).manifest;
    return manifest.blobs_missing + manifest.output_chunks_missing;
  }
  VerifyReport verified() {
    const auto report = verify(log());
    EXPECT_TRUE(report.ok());
    return report.ok() ? *report : VerifyReport{};
  }
  // Takes values out of the store behind its back.
  void take_out(const std::function<bool(std::string_view key)>& wanted) const {
    auto rocks = Rocks::open_writer(log_directory(store()), Rocks::Create::never);
    ASSERT_TRUE(rocks.ok()) << rocks.error().what;
    WriteSet set(*rocks);
    {
      auto cursor = rocks->cursor(Family::blobs);
      for (cursor.seek(""); cursor.valid(); cursor.next())
        if (wanted(cursor.key())) set.remove(Family::blobs, cursor.key());
    }
    ASSERT_TRUE(rocks->write(std::move(set), Durability::fsync).ok());
    ASSERT_TRUE(rocks->close().ok());
  }
  Result<tools::ImportReport> unsealed() {
    return tools::sealed_file::read(&log(), file(), {.pievt_version = "0.1.0", .progress = {}});
  }

  tools::SampleRun sample_;
  std::string output_;
};

std::uint64_t complaints(const VerifyReport& report) {
  std::uint64_t all = 0;
  for (const VerifyCheck& check : report.checks) all += check.findings;
  return all;
}

TEST_F(Removal, TakesWhatNobodyElseNeeds) {
  ASSERT_TRUE(log().put_blob("put, and never referred to").ok());
  intend();
  GcOptions options;
  options.only_run = "r-1";
  options.preview = Preview::yes;
  const GcReport before = collected(options);
  options.preview = Preview::no;
  const GcReport report = collected(options);
  EXPECT_EQ(report.sealed_texts, own_texts);
  EXPECT_EQ(report.shared_texts, 1u);
  EXPECT_GT(report.sealed_output_chunks, 1u);
  EXPECT_GT(report.bytes, 2u << 20);
  EXPECT_EQ(before.bytes, report.bytes);
  EXPECT_EQ(before.sealed_texts, report.sealed_texts);
  EXPECT_EQ(report.texts + report.output_chunks, 0u);
  EXPECT_EQ(collected(options).bytes, 0u);
  // What is garbage for another reason is another collection's.
  EXPECT_EQ(collected().texts, 1u);

  open(OpenMode::write);
  EXPECT_TRUE(has(sample_.prompt));
  EXPECT_FALSE(has(sample_.final_text));
  EXPECT_EQ(told(*source("r-1")), told(*open_sealed(file()).value()));
  EXPECT_EQ(output_of(*open_sealed(file()).value()), output_);
  EXPECT_EQ(verify_sealed(file())->verdict, Verdict::whole);
  const tools::Manifest manifest = tools::exported("jsonl", *source("r-1")).manifest;
  EXPECT_EQ(manifest.blobs_missing, own_texts);
  EXPECT_EQ(manifest.output_chunks_missing, report.sealed_output_chunks);
  EXPECT_THAT(tools::manifest_text(manifest), testing::HasSubstr("chunks of output not in the"));
}

TEST_F(Removal, APreviewAsksWhatWouldGo) {
  close();
  GcOptions options;
  options.only_run = "r-1";
  options.preview = Preview::yes;
  EXPECT_EQ(collected(options).sealed_texts, own_texts);
  EXPECT_EQ(collected(options).shared_texts, 1u);
  options.preview = Preview::no;
  EXPECT_EQ(collected(options).bytes, 0u) << "nothing says that they are to go";
  options.only_run = "r-2";
  options.preview = Preview::yes;
  EXPECT_EQ(collected(options).sealed_texts, 0u);
  EXPECT_EQ(collected(options).shared_texts, 1u);
}

TEST_F(Removal, IsNoDamageAndSaysWhereItIs) {
  remove();
  const VerifyReport report = verified();
  EXPECT_EQ(report.verdict, Verdict::incomplete);
  EXPECT_EQ(complaints(report), 0u);
  ASSERT_EQ(report.findings.size(), 1u);
  EXPECT_EQ(report.findings_total, 1u);
  const Finding& only = report.findings.front();
  EXPECT_EQ(only.severity, Severity::missing);
  EXPECT_EQ(only.stream, "run/r-1");
  EXPECT_THAT(only.what, HasSubstr("removed after it was sealed into " + file().string()));
  EXPECT_THAT(only.what, Not(HasSubstr("not there")));
  EXPECT_EQ(verify(log(), {.run = "r-2", .progress = {}})->verdict, Verdict::whole);
  EXPECT_EQ(verify(log(), {.run = "r-1", .progress = {}})->findings.size(), 1u);
  std::filesystem::remove(file());
  EXPECT_THAT(verified().findings.front().what, HasSubstr("which is not there now"));
}

// A text that was removed for one run and is missed by another is lost all the same.
TEST_F(Removal, DoesNotHideALoss) {
  const Digest prompt = from_schema(log().keyed_digest(sample_.prompt));
  remove();
  close();
  take_out([&](std::string_view key) { return key == blob_key(prompt); });
  open(OpenMode::write);
  const VerifyReport report = verified();
  EXPECT_EQ(complaints(report), 1u);
  ASSERT_EQ(report.findings.size(), 2u);
  EXPECT_EQ(report.findings.front().stream, "run/r-2");
  EXPECT_EQ(report.findings.back().stream, "run/r-1");
}

// Killed between the event and the removal, or in the middle of it.
TEST_F(Removal, WhatWasCutOffIsFinishedByTheNextCollection) {
  intend();
  open(OpenMode::write);
  EXPECT_EQ(verified().verdict, Verdict::whole);
  EXPECT_EQ(removed_runs(log())->size(), 1u);
  const Digest final_text = from_schema(log().keyed_digest(sample_.final_text));
  const std::string first = output_chunk_key({"r-1", 1, 1, schema::OutputChannel::stdout}, 0);
  close();
  take_out([&](std::string_view key) { return key == blob_key(final_text) || key == first; });
  open(OpenMode::write);
  EXPECT_EQ(complaints(verified()), 0u);
  close();
  const GcReport report = collected();
  EXPECT_EQ(report.sealed_texts, own_texts - 1);
  EXPECT_GT(report.sealed_output_chunks, 0u);
  EXPECT_EQ(report.shared_texts, 1u);
  EXPECT_EQ(report.texts + report.output_chunks, 0u);
  EXPECT_EQ(collected().bytes, 0u);
  open(OpenMode::write);
  EXPECT_EQ(complaints(verified()), 0u);
  EXPECT_TRUE(has(sample_.prompt));
}

// What the store has is the only copy then.
TEST_F(Removal, WaitsForAFileThatIsGone) {
  intend();
  const std::filesystem::path place = file();
  std::filesystem::rename(place, place.string() + ".away");
  EXPECT_EQ(collected().bytes, 0u);
  std::ofstream(place) << "another file";
  EXPECT_EQ(collected().bytes, 0u);
  std::filesystem::rename(place.string() + ".away", place);
  EXPECT_EQ(collected().sealed_texts, own_texts);
}

// The file knows nothing of what comes after it.
TEST_F(Removal, WhatLaterEventsReferToIsNeeded) {
  intend();
  open(OpenMode::write);
  schema::FinalMessageObservedT last;
  last.text = std::make_unique<schema::BlobRef>(log().put_blob(sample_.final_text).value());
  std::vector<NewEvent> events;
  events.push_back({std::move(last), {.job = 1, .attempt = 1}});
  ASSERT_TRUE(log().append(run_stream("r-1"), Expected::any(), std::move(events)).ok());
  close();
  const GcReport report = collected();
  EXPECT_EQ(report.sealed_texts, own_texts - 1);
  EXPECT_EQ(report.shared_texts, 2u);
  open(OpenMode::write);
  EXPECT_TRUE(has(sample_.final_text));
  EXPECT_EQ(complaints(verified()), 0u);
}

TEST_F(Removal, ATextThatIsPutAgainIsThereAgain) {
  remove();
  EXPECT_FALSE(has(sample_.final_text));
  const std::uint64_t without = exported_without();
  schema::JobDeclaredT job;
  job.id = "more";
  job.prompt = std::make_unique<schema::BlobRef>(log().put_blob(sample_.final_text).value());
  std::vector<NewEvent> events;
  events.push_back({std::move(job), {.job = 2}});
  ASSERT_TRUE(log().append(run_stream("r-2"), Expected::any(), std::move(events)).ok());
  close();
  EXPECT_EQ(collected().bytes, 0u);
  open(OpenMode::write);
  EXPECT_TRUE(has(sample_.final_text));
  EXPECT_EQ(exported_without(), without - 1);
}

TEST_F(Removal, UnsealingTakesItBack) {
  remove();
  const auto report = unsealed();
  ASSERT_TRUE(report.ok()) << report.error().what;
  EXPECT_EQ(report->runs.front().outcome, RunImport::restored);
  EXPECT_EQ(report->runs.front().events, 0u);
  EXPECT_TRUE(has(sample_.final_text));
  EXPECT_EQ(output_of(*source("r-1")), output_);
  EXPECT_EQ(removed_runs(log())->size(), 0u);
  EXPECT_EQ(verified().verdict, Verdict::whole);
  EXPECT_EQ(unsealed()->runs.front().outcome, RunImport::unchanged);
  close();
  EXPECT_EQ(collected().bytes, 0u);
}

TEST_F(Removal, UnsealingThatWasCutOffLeavesItRemoved) {
  remove();
  const auto sealed = open_sealed(file());
  const auto stored =
      tools::store_run(log(), **sealed, tools::Unknown::refused, {"run.pievt", "0.1.0", 1});
  ASSERT_TRUE(stored.ok()) << stored.error().what;
  EXPECT_TRUE(has(sample_.final_text));
  // The texts become durable with the next append, whatever that is.
  append("other", {"an event"});
  close();
  EXPECT_EQ(collected().sealed_texts, own_texts);
}

// Whoever copies or rebuilds the store need not be told of a loss there is none of.
TEST_F(Removal, IsNotMissedByABackupNorByARebuild) {
  remove();
  const auto copied = backup(log(), directory() / "copy");
  ASSERT_TRUE(copied.ok()) << copied.error().what;
  EXPECT_EQ(copied->bodies_missing, 0u);
  EXPECT_GT(copied->bodies_removed, own_texts);
  EXPECT_TRUE(copied->problems.empty());
  close();
  const auto rebuilt = rebuild(store());
  ASSERT_TRUE(rebuilt.ok()) << rebuilt.error().what;
  EXPECT_TRUE(rebuilt->replaced);
  EXPECT_EQ(rebuilt->copy.bodies_missing, 0u);
  // An index that is gone is mended without being asked, which a missing text would prevent.
  {
    auto rocks = Rocks::open_writer(log_directory(store()), Rocks::Create::never);
    ASSERT_TRUE(rocks.ok());
    WriteSet set(*rocks);
    {
      auto cursor = rocks->cursor(Family::streams);
      for (cursor.seek(""); cursor.valid(); cursor.next())
        set.remove(Family::streams, cursor.key());
    }
    ASSERT_TRUE(rocks->write(std::move(set), Durability::fsync).ok());
    ASSERT_TRUE(rocks->close().ok());
  }
  open(OpenMode::write);
  EXPECT_THAT(mended(log()), HasSubstr("this has been done"));
  EXPECT_EQ(complaints(verified()), 0u);
}

}  // namespace
}  // namespace pievt
