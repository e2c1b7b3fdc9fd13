// Laws that hold for every row of the table of exporters, today's and tomorrow's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/format/blob_refs.h"
#include "tests/tools/exporters/sample_run.h"
#include "tools/exporters/base64.h"
#include "tools/exporters/jsonl_encoding.h"
#include "tools/exporters/redacted_source.h"

namespace pievt::tools {
namespace {

using testing::HasSubstr;
using testing::Not;

class ExportLaw : public StoreTest {
 protected:
  ExportLaw() {
    open();
    sample_ = write_sample(log());
  }
  std::unique_ptr<RunSource> source() {
    auto opened = open_run(log(), sample_.id);
    EXPECT_TRUE(opened.ok()) << opened.error().what;
    return std::move(*opened);
  }
  SampleRun sample_;
};

TEST_F(ExportLaw, WhatGoesInComesOutOrIsCounted) {
  append_unknown(log(), sample_.id);
  const auto run = source();
  std::map<schema::Payload, std::uint64_t> types;
  ASSERT_TRUE(run->events([&](const EventView& event) -> Status {
    ++types[event.type()];
    return {};
  }));
  for (const ExporterRow& row : exporters()) {
    SCOPED_TRACE(row.name);
    const Exported done = exported(row.name, *run);
    EXPECT_EQ(done.manifest.events_in, run->head().value);
    std::uint64_t dropped = 0;
    for (const auto& [type, count] : done.manifest.dropped) dropped += count;
    EXPECT_EQ(done.manifest.events_carried + dropped, done.manifest.events_in);
    for (const auto& [type, count] : types) {
      if (row.carries(type)) continue;
      EXPECT_EQ(done.manifest.dropped.at(std::string(type_name(type))), count);
    }
    EXPECT_GT(done.manifest.items_out, 0u);
    EXPECT_EQ(done.manifest.blobs_missing, 0u);
    EXPECT_FALSE(row.cannot.empty());
  }
}

TEST_F(ExportLaw, TheSameRunGivesTheSameBytes) {
  for (const ExporterRow& row : exporters()) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(exported(row.name, *source()).text, exported(row.name, *source()).text);
  }
}

TEST_F(ExportLaw, AMomentIsAllThatIsShown) {
  auto early = open_run(log(), sample_.id, {4});
  ASSERT_TRUE(early.ok());
  for (const ExporterRow& row : exporters()) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(exported(row.name, **early).manifest.events_in, 4u);
  }
}

// Nothing of what people and agents wrote is left, in any format, also not as base64.
TEST_F(ExportLaw, NothingIsLeftOfWhatIsRedacted) {
  Redactions counts;
  const auto whole = source();
  const auto bare = redacted(*whole, counts);
  std::set<std::string> bodies;
  ASSERT_TRUE(whole->events([&](const EventView& event) -> Status {
    for (const FoundBlob& found :
         PIEVT_TRY(blobs_of(reflect::Schema::embedded_events(), event.body)))
      bodies.emplace(reinterpret_cast<const char*>(&found.ref.digest()), sizeof(schema::Digest));
    return {};
  }));
  ASSERT_GT(bodies.size(), 5u);
  for (const ExporterRow& row : exporters()) {
    if (row.redacted == ExporterRow::Redacted::pointless) continue;
    SCOPED_TRACE(row.name);
    ExportOptions options;
    options.redactions = &counts;
    const Exported done = exported(row.name, *bare, options);
    for (const std::string& gone :
         {sample_.secret, std::string("Seven."), std::string("Count the bridges"),
          std::string("sk-live"), std::string("contract: out")}) {
      EXPECT_THAT(done.text, Not(HasSubstr(gone)));
      for (std::size_t shift = 0; shift < 3; ++shift) {
        std::string coded;
        append_base64(coded, std::as_bytes(std::span(gone)).subspan(shift));
        EXPECT_THAT(done.text, Not(HasSubstr(coded.substr(0, coded.size() - 4))));
      }
    }
    ASSERT_TRUE(done.manifest.redactions);
    EXPECT_GT(done.manifest.redactions->texts, 5u);
    EXPECT_EQ(done.manifest.redactions->blobs, bodies.size());
    EXPECT_EQ(done.manifest.redactions->output_bytes,
              sample_.stdout_bytes.size() + sample_.session_bytes.size());
    EXPECT_EQ(done.manifest.blobs_missing, 0u);
  }
}

// However small the windows are that a run is read in, the lines are the same.
TEST_F(ExportLaw, WindowsLeaveNoTrace) {
  const auto run = source();
  const std::string whole = exported("jsonl", *run).text;
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{600}, std::size_t{3000}}) {
    SCOPED_TRACE(bytes);
    render::StringWriter out;
    ExportOptions options;
    Manifest manifest;
    RunState state = run->state().value();
    Export work{*run, out, options, manifest, state};
    EventFacts facts(*run, state);
    JsonlReading reading(*run, facts, bytes);
    JsonlEncoding encoding(facts);
    JsonlWindow window;
    JsonlLines lines;
    std::size_t windows = 0;
    const auto write = [&] {
      reading.read_texts(window);
      encoding.encode(window, 0, window.items.size(), lines);
      EXPECT_TRUE(lines.write(work, window).ok());
      window.clear();
      lines.clear();
      ++windows;
    };
    ASSERT_TRUE(run->events([&](const EventView& event) -> Status {
      if (!reading.add(event, window)) write();
      return {};
    }));
    write();
    EXPECT_GT(windows, 2u);
    EXPECT_GT(out.text().size(), 10'000u);
    EXPECT_THAT(whole, HasSubstr(out.text()));
  }
}

TEST_F(ExportLaw, EventsOfLaterVersionsAreExported) {
  append_unknown(log(), sample_.id);
  const auto run = source();
  EXPECT_THAT(exported("jsonl", *run).text, HasSubstr(R"x("type":"unknown(200)")x"));
  EXPECT_THAT(exported("cloudevents", *run).text, HasSubstr(R"x("type":"pievt.unknown(200)")x"));
}

TEST_F(ExportLaw, OutputIsByteForByteWhatWasWritten) {
  ExportOptions one;
  one.job = 1;
  one.attempt = 1;
  EXPECT_EQ(exported("raw", *source(), one).text, sample_.stdout_bytes);
  EXPECT_EQ(exported("pi-session", *source(), one).text, sample_.session_bytes);
  EXPECT_THAT(exported("raw", *source()).text, HasSubstr(sample_.stdout_bytes));
}

TEST_F(ExportLaw, NothingHostileStaysAlive) {
  EXPECT_THAT(exported("junit", *source()).text, Not(HasSubstr("<img")));
  EXPECT_THAT(exported("markdown", *source()).text, Not(HasSubstr(" <img")));
  EXPECT_THAT(exported("markdown", *source()).text, Not(HasSubstr("\x1b")));
}

TEST(Base64, IsReadBackAtEveryLength) {
  std::string text;
  for (std::size_t size = 0; size < 100; ++size) {
    std::string coded;
    append_base64(coded, std::as_bytes(std::span(text)));
    const auto back = from_base64(coded);
    ASSERT_TRUE(back.ok()) << size;
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(back->data()), back->size()), text);
    text.push_back(static_cast<char>(size * 37));
  }
  EXPECT_FALSE(from_base64("abc").ok());
  EXPECT_FALSE(from_base64("ab!=").ok());
}

}  // namespace
}  // namespace pievt::tools
