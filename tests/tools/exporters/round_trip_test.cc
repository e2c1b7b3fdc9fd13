// A run that is exported as jsonl and imported elsewhere is the same run.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pievt/verify.h"
#include "store/format/blob_refs.h"
#include "tests/tools/exporters/sample_run.h"
#include "tools/exporters/outputs.h"
#include "tools/importers/importer.h"

namespace pievt::tools {
namespace {

using testing::HasSubstr;

const Importer& jsonl() {
  return importers().front();
}

// What must be equal of two events. The digests that name texts are made with a store's own key.
struct Same {
  std::uint64_t revision, wall_ns, monotonic_ns, time_ns;
  std::string append, body;
  std::uint32_t index;
  Actor actor;
  std::vector<std::string> texts;
  friend bool operator==(const Same&, const Same&) = default;
};

std::vector<Same> told(const RunSource& source) {
  std::vector<Same> all;
  const Status walked = source.events([&](const EventView& event) -> Status {
    Same same{event.revision().value,
              event.stamp->wall_ns(),
              event.stamp->monotonic_ns(),
              event.time_ns(),
              to_string(event.id.append),
              {},
              event.id.index,
              {},
              {}};
    same.body.assign(reinterpret_cast<const char*>(event.body.data()), event.body.size());
    same.actor = PIEVT_TRY(source.actor(event.stamp->actor()));
    const auto blobs = PIEVT_TRY(blobs_of(reflect::Schema::embedded_events(), event.body));
    for (const FoundBlob& found : blobs) {
      const std::string digest(reinterpret_cast<const char*>(&found.ref.digest()), 32);
      same.body.replace(same.body.find(digest), 32, std::string(32, '-'));
      const auto content = source.blob(found.ref);
      if (content.ok())
        same.texts.emplace_back(reinterpret_cast<const char*>(content->data()), content->size());
    }
    all.push_back(std::move(same));
    return {};
  });
  EXPECT_TRUE(walked.ok());
  return all;
}

std::string output_of(const RunSource& source) {
  std::string all;
  const RunState run = *source.state();
  const auto channels = captured_channels(source, run);
  EXPECT_TRUE(channels.ok());
  if (!channels.ok()) return all;
  for (const CapturedChannel& channel : channels.value()) {
    const auto read = source.output(
        channel.key, *channel.attempt_in(run), [&](std::span<const std::byte> bytes) -> Status {
          all.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
          return {};
        });
    EXPECT_TRUE(read.ok()) << read.error().what;
  }
  return all;
}

class RoundTrip : public StoreTest {
 protected:
  RoundTrip() {
    open();
    sample_ = write_sample(log());
    text_ = exported("jsonl", **open_run(log(), sample_.id)).text;
    spill(text_);
    auto other = Log::open(directory() / "other", {.mode = OpenMode::create});
    EXPECT_TRUE(other.ok()) << other.error().what;
    other_.emplace(std::move(*other));
  }

  std::filesystem::path file() const { return directory() / "run.jsonl"; }
  void spill(std::string_view text) const {
    std::ofstream(file(), std::ios::binary | std::ios::trunc) << text;
  }
  ImportedRun import(Log& log) {
    const auto report = jsonl().read(&log, file(), {.pievt_version = "0.1.0", .progress = {}});
    EXPECT_TRUE(report.ok()) << report.error().what;
    return report.ok() ? report->runs.front() : ImportedRun{};
  }

  SampleRun sample_;
  std::string text_;
  std::optional<Log> other_;
};

TEST_F(RoundTrip, GivesTheSameRunElsewhere) {
  ASSERT_TRUE(jsonl().recognises(file()));
  const ImportedRun run = import(*other_);
  EXPECT_EQ(run.run_id, sample_.id);
  EXPECT_EQ(run.outcome, RunImport::imported);
  const auto here = open_run(log(), sample_.id).value();
  const auto there = open_run(*other_, sample_.id).value();
  EXPECT_EQ(run.events, here->head().value);
  EXPECT_EQ(told(*here), told(*there));
  EXPECT_EQ(output_of(*here), output_of(*there));
  EXPECT_EQ(output_of(*there), sample_.stdout_bytes + sample_.session_bytes);
  // The export of the import has as many lines: every text and chunk went along.
  const std::string again = exported("jsonl", *there).text;
  EXPECT_EQ(std::ranges::count(text_, '\n'), std::ranges::count(again, '\n'));
  EXPECT_EQ(verify(*other_)->verdict, Verdict::whole);
}

TEST_F(RoundTrip, TwiceIsOnce) {
  import(*other_);
  const Sequence head = other_->head();
  const ImportedRun again = import(*other_);
  EXPECT_EQ(again.outcome, RunImport::unchanged);
  EXPECT_EQ(again.events, 0u);
  EXPECT_EQ(other_->head(), head);
  // Also into the store it came from.
  const Sequence own = log().head();
  EXPECT_EQ(import(log()).outcome, RunImport::unchanged);
  EXPECT_EQ(log().head(), own);
}

TEST_F(RoundTrip, ARunThatHasGrownGoesOn) {
  spill(exported("jsonl", **open_run(log(), sample_.id, {9})).text);
  EXPECT_EQ(import(*other_).events, 9u);
  spill(text_);
  EXPECT_EQ(import(*other_).outcome, RunImport::continued);
  EXPECT_EQ(told(**open_run(log(), sample_.id)), told(**open_run(*other_, sample_.id)));
  EXPECT_EQ(output_of(**open_run(*other_, sample_.id)),
            sample_.stdout_bytes + sample_.session_bytes);
}

TEST_F(RoundTrip, AnotherRunOfThatNameIsLeftAlone) {
  schema::RunPlannedT planned;
  planned.run_id = sample_.id;
  planned.name = "another";
  std::vector<NewEvent> events;
  events.push_back({std::move(planned)});
  ASSERT_TRUE(other_->append(run_stream(sample_.id), Expected::any(), std::move(events)).ok());
  const auto report = jsonl().read(&*other_, file(), {});
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, Errc::conflict);
  EXPECT_EQ(other_->stream_head(run_stream(sample_.id))->value, 1u);
}

// Cut behind any line, or with any line changed, nothing is stored.
TEST_F(RoundTrip, AFileThatIsNotWholeIsRefused) {
  const Sequence head = other_->head();
  std::vector<std::size_t> ends;
  for (std::size_t at = text_.find('\n'); at != std::string::npos; at = text_.find('\n', at + 1))
    ends.push_back(at + 1);
  for (std::size_t i = 0; i < ends.size(); i += 3) {
    spill(text_.substr(0, ends[i] - (i % 2)));
    if (ends[i] == text_.size()) continue;
    EXPECT_FALSE(jsonl().read(&*other_, file(), {}).ok()) << "cut behind line " << i + 1;
  }
  const std::size_t body = text_.rfind("\"body\":\"") + 60;
  std::string changed = text_;
  changed[body] = changed[body] == 'A' ? 'B' : 'A';
  spill(changed);
  EXPECT_FALSE(jsonl().read(&*other_, file(), {}).ok());
  EXPECT_EQ(other_->head(), head);
}

TEST_F(RoundTrip, AnEventOfALaterVersionIsNotHalfUnderstood) {
  append_unknown(log(), sample_.id);
  spill(exported("jsonl", **open_run(log(), sample_.id)).text);
  const auto report = jsonl().read(&*other_, file(), {});
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, Errc::too_new);
}

}  // namespace
}  // namespace pievt::tools
