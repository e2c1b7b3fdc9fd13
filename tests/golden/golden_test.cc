// Every store that a released format version wrote says today what it said then: read, written on,
// and after having been written on. A store is a folder of files and two texts beside it; a new
// version is a new folder and needs no line here.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pievt/query.h"
#include "pievt/verify.h"
#include "tests/golden/account.h"
#include "tests/store/log/temp_store.h"

namespace pievt::golden {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in) << path;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// "v1/clean", "v1/died", ...
std::vector<std::string> all_stores() {
  std::vector<std::string> names;
  for (const auto& version : fs::directory_iterator(PIEVT_GOLDEN)) {
    if (!version.is_directory()) continue;
    for (const auto& store : fs::directory_iterator(version)) {
      if (!store.is_directory()) continue;
      names.push_back(version.path().filename() / store.path().filename());
    }
  }
  std::ranges::sort(names);
  return names;
}

class Golden : public testing::TestWithParam<std::string> {
 protected:
  Golden() : events_(read_file(beside(".events.jsonl"))), facts_(read_file(beside(".facts"))) {
    // A copy as somebody would make it who moves a project: no modes and no empty folders.
    fs::create_directory(store());
    for (const auto& entry :
         fs::recursive_directory_iterator(fs::path(PIEVT_GOLDEN) / GetParam())) {
      const fs::path to = store() / fs::relative(entry.path(), fs::path(PIEVT_GOLDEN) / GetParam());
      if (entry.is_directory()) {
        fs::create_directory(to);
      } else {
        fs::copy_file(entry.path(), to);
        fs::permissions(to, fs::perms::owner_read | fs::perms::owner_write);
      }
    }
  }

  static fs::path beside(const char* ending) {
    return fs::path(PIEVT_GOLDEN) / (GetParam() + ending);
  }
  fs::path store() const { return directory_.path() / "store"; }

  Log open(OpenMode mode) const {
    Result<Log> opened = Log::open(store(), {.mode = mode, .program = "golden_test"});
    EXPECT_TRUE(opened.ok()) << opened.error().what;
    return std::move(opened).value();
  }

  void expect_the_events_of_then(const Log& log, const Result<std::string>& text) const {
    ASSERT_TRUE(text.ok()) << text.error().what;
    ASSERT_EQ(log.info().missing, 0u);
    // Line by line, so that a failure names the event.
    const auto then = lines_of(events_), now = lines_of(*text);
    ASSERT_GE(now.size(), then.size());
    ASSERT_GT(then.size(), 20u);
    for (std::size_t i = 0; i < then.size(); ++i) ASSERT_EQ(now[i], then[i]);
  }

  const std::string events_, facts_;

 private:
  TempDirectory directory_;
};

TEST_P(Golden, IsReadAsItWasWritten) {
  const Log log = open(OpenMode::read);
  const auto events = events_text(log);
  expect_the_events_of_then(log, events);
  EXPECT_EQ(lines_of(*events).size(), lines_of(events_).size());
  const auto facts = facts_text(log);
  ASSERT_TRUE(facts.ok()) << facts.error().what;
  EXPECT_EQ(*facts, facts_);
}

TEST_P(Golden, ExplainsItselfByTheSchemaItCarries) {
  const Log log = open(OpenMode::read);
  expect_the_events_of_then(log, events_text_by_stored_schema(log));
}

// A reader changes nothing, so the files are those that were committed.
TEST_P(Golden, ReadingLeavesEveryFileAsItIs) {
  { static_cast<void>(facts_text(open(OpenMode::read))); }
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(PIEVT_GOLDEN) / GetParam())) {
    if (!entry.is_regular_file()) continue;
    const fs::path inside = fs::relative(entry.path(), fs::path(PIEVT_GOLDEN) / GetParam());
    EXPECT_EQ(read_file(store() / inside), read_file(entry.path())) << inside;
  }
}

TEST_P(Golden, IsWrittenOnAndReadAgain) {
  std::uint64_t head = 0;
  {
    Log log = open(OpenMode::write);
    expect_the_events_of_then(log, events_text(log));
    const std::string run = load_runs(log)->runs.front()->run_id;
    const auto ref = log.put_blob(std::string(300'000, 'x'));
    ASSERT_TRUE(ref.ok()) << ref.error().what;
    schema::JobDeclaredT job;
    job.id = "of-today";
    job.prompt = std::make_unique<schema::BlobRef>(*ref);
    std::vector<NewEvent> events;
    events.push_back({std::move(job), {.job = 3}});
    const auto done = log.append(run_stream(run), Expected::exists(), std::move(events));
    ASSERT_TRUE(done.ok()) << done.error().what;
    head = done->last.value;
    ASSERT_TRUE(save_views(log, run).ok());
    const Status closed = log.close();
    ASSERT_TRUE(closed.ok()) << closed.error().what;
  }
  const Log log = open(OpenMode::read);
  EXPECT_GE(log.head().value, head);
  expect_the_events_of_then(log, events_text(log));
  const auto report = verify(log);
  ASSERT_TRUE(report.ok()) << report.error().what;
  EXPECT_EQ(report->verdict, Verdict::whole);
  EXPECT_EQ(report->findings_total, 0u);
}

// An append of then, said again today, is the same append.
TEST_P(Golden, KnowsItsAppendsForEver) {
  Log log = open(OpenMode::write);
  auto reader = log.read({1});
  std::size_t asked = 0;
  while (reader.next()) {
    const auto& event = reader.event();
    const auto* paused = event.envelope->payload_as_RunPaused();
    if (paused == nullptr) continue;
    std::vector<NewEvent> other;
    other.push_back(text_event("something else"));
    const auto done =
        log.append("notes/one", Expected::any(), std::move(other), {.id = event.id.append});
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().code, Errc::id_reused) << done.error().what;
    ++asked;
  }
  EXPECT_GT(asked, 0u);
}

INSTANTIATE_TEST_SUITE_P(Stores, Golden, testing::ValuesIn(all_stores()), [](const auto& store) {
  std::string name = store.param;
  std::ranges::replace_if(
      name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
});

TEST(GoldenStores, AreThere) {
  EXPECT_THAT(all_stores(), testing::IsSupersetOf({"v1/clean", "v1/died"}));
}

}  // namespace
}  // namespace pievt::golden
