// What a contract is judged by: gathered from the log and from the attempt's directory, each
// channel by itself, and said where something is not there.
#include "supervisor/turn/evidence.h"

#include <sys/stat.h>

#include <gmock/gmock.h>

#include "pievt/output.h"
#include "supervisor/check/look.h"
#include "tests/supervisor/turn/attempt_test.h"

namespace pievt::supervisor {
namespace {

namespace fs = std::filesystem;
using acceptance::Channel;
using acceptance::Evidence;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Gathered : public AttemptTest {
 protected:
  schema::AcceptanceT contract() const override {
    schema::AcceptanceT all;
    all.required_raw_output = {"x"};
    all.allowed_write_paths = {"out/"};
    return all;
  }

  Evidence evidence() {
    auto gathered = gather(*record_, live_);
    EXPECT_TRUE(gathered.ok()) << gathered.error().what;
    return std::move(*gathered);
  }

  void say(const std::string& text) {
    schema::FinalMessageObservedT event;
    event.text = record_->put_text(text).value();
    event.text_bytes = text.size();
    happen({std::move(event), subject});
  }

  void print(const std::string& text) {
    OutputPacker packer;
    OutputWriter writer({"r1", 1, 1, schema::OutputChannel::stdout});
    auto chunks = writer.write(log(), packer, std::as_bytes(std::span(text)));
    ASSERT_TRUE(chunks.ok());
    for (auto& chunk : *chunks) happen({std::move(chunk), subject});
  }

  void call(const std::string& tool, const std::string& arguments, Subject by = subject) {
    schema::ToolCallStartedT event;
    event.tool = tool;
    if (!arguments.empty())
      event.arguments = record_->put_text(arguments, schema::BlobKind::json).value();
    happen({std::move(event), by});
  }

  // The tree was walked for the attempt; each path was created.
  void walked(std::vector<std::string> paths, Subject by = subject) {
    schema::WritesObservedT event;
    event.root = "/tree";
    for (std::string& path : paths) {
      event.writes.push_back(std::make_unique<schema::WriteT>());
      event.writes.back()->path = std::move(path);
      event.writes.back()->change = schema::WriteChange::created;
      event.writes.back()->attribution = schema::Attribution::process;
      event.writes.back()->zone = schema::WriteZone::outside;
    }
    happen({std::move(event), by});
  }
};

void expect_absent(const Channel& channel, const std::string& why,
                   Channel::Absence how = Channel::Absence::nothing_there) {
  EXPECT_FALSE(channel.text);
  EXPECT_EQ(channel.absent, why);
  EXPECT_EQ(channel.absence, how);
}

TEST_F(Gathered, WhatIsNotThereSaysSo) {
  const Evidence seen = evidence();
  EXPECT_EQ(seen.cwd, directory());
  expect_absent(seen.final_message, "there is no final message");
  expect_absent(seen.worker_log, "there is no worker log");
  expect_absent(seen.report_text, "there is no report");
  EXPECT_FALSE(seen.report);
  EXPECT_EQ(seen.raw_output.text, "");
  EXPECT_FALSE(seen.changes) << "nobody walked";
  EXPECT_TRUE(seen.writes.empty());
  EXPECT_EQ(seen.shell_calls, 0u);
}

TEST_F(Gathered, EachChannelIsItself) {
  say("I am done");
  print("{\"type\":\"x\"}\n");
  write("worker.md", "# Log\n");
  write("report.json",
        R"({"schemaVersion":1,"status":"partial","summary":"half",
            "deliverables":[{"path":"out/a","kind":"file"}],
            "evidence":[{"kind":"text","value":"seen"}]})");
  const Evidence seen = evidence();
  EXPECT_EQ(seen.final_message.text, "I am done");
  EXPECT_EQ(seen.raw_output.text, "{\"type\":\"x\"}\n");
  EXPECT_EQ(seen.worker_log.text, "# Log\n");
  EXPECT_EQ(
      seen.report_text.text,
      "half\n[{\"path\":\"out/a\",\"kind\":\"file\"}]\n[{\"kind\":\"text\",\"value\":\"seen\"}]");
  ASSERT_TRUE(seen.report);
  EXPECT_EQ(seen.report->status, "partial");
  EXPECT_EQ(seen.report->summary, "half");
  EXPECT_EQ(seen.report->evidence, 1u);
  ASSERT_EQ(seen.report->deliverables.size(), 1u);
  EXPECT_EQ(seen.report->deliverables[0].path, "out/a");
  // What no other event keeps is kept with the check.
  ASSERT_TRUE(seen.worker_log.content && seen.report_text.content);
  EXPECT_EQ(text_of(*seen.worker_log.content), "# Log\n");
  EXPECT_THAT(text_of(*seen.report_text.content), HasSubstr("\"half\""));
  EXPECT_FALSE(seen.final_message.content);
}

TEST_F(Gathered, AnEmptyLogIsALogAndNeedsNoBlob) {
  write("worker.md", "");
  const Evidence seen = evidence();
  EXPECT_EQ(seen.worker_log.text, "");
  EXPECT_FALSE(seen.worker_log.content);
}

TEST_F(Gathered, AReportThatIsNoneMeetsNothing) {
  write("report.json", "{}");
  const Evidence seen = evidence();
  EXPECT_FALSE(seen.report);
  EXPECT_FALSE(seen.report_text.text);
  EXPECT_THAT(seen.report_text.absent, HasSubstr("\"schemaVersion\" must be 1"));
  ASSERT_TRUE(seen.report_text.content);
  EXPECT_EQ(text_of(*seen.report_text.content), "{}");
}

TEST_F(Gathered, OnlyPlainFilesAreSearched) {
  std::ofstream(directory() / "secret") << "not the worker's";
  fs::create_symlink(directory() / "secret", file("worker.md"));
  ASSERT_EQ(::mkfifo(file("report.json").c_str(), 0600), 0);
  const Evidence seen = evidence();
  expect_absent(seen.worker_log, "it is no plain file that can be read",
                Channel::Absence::not_searched);
  expect_absent(seen.report_text, "it is no plain file that can be read",
                Channel::Absence::not_searched);
}

TEST_F(Gathered, WhatIsTooLargeIsNotSearched) {
  write("worker.md", std::string(acceptance::text_bytes_max + 1, 'x'));
  print(std::string(acceptance::text_bytes_max + 1, 'y'));
  const Evidence seen = evidence();
  EXPECT_FALSE(seen.worker_log.text);
  EXPECT_EQ(seen.worker_log.absence, Channel::Absence::not_searched);
  EXPECT_THAT(seen.worker_log.absent, HasSubstr("more than the 16 MiB that are searched"));
  EXPECT_FALSE(seen.worker_log.content);
  EXPECT_FALSE(seen.raw_output.text);
  EXPECT_EQ(seen.raw_output.absent, "16777217 bytes, more than the 16 MiB that are searched");
}

TEST_F(Gathered, CallsOfAllAttemptsCount) {
  call("write", R"({"path":"a.md"})");
  call("edit", R"({"file_path":"b.md"})");
  call("read", R"({"path":"c.md"})");
  call("bash", R"({"command":"touch d.md"})");
  call("write", "");
  call("write", R"({"content":"no path"})");
  end(subject);
  const Subject second{.job = 1, .attempt = 2};
  begin(second);
  live_.subject = second;
  call("write", R"({"path":"e.md"})", second);
  const Evidence seen = evidence();
  std::vector<std::string> rows;
  for (const auto& each : seen.writes)
    rows.push_back(each.tool + " " + each.path + " " + std::to_string(each.attempt));
  EXPECT_THAT(rows, ElementsAre("write a.md 1", "edit b.md 1", "write e.md 2"));
  EXPECT_EQ(seen.shell_calls, 3u) << "a shell, and two that do not say where";
}

TEST_F(Gathered, WalksCountWhereEveryAttemptWasWalked) {
  walked({"out/a.md", "/elsewhere"});
  end(subject);
  const Subject second{.job = 1, .attempt = 2};
  begin(second);
  live_.subject = second;
  EXPECT_FALSE(evidence().changes) << "of the second nothing is known";
  walked({}, second);
  const Evidence seen = evidence();
  ASSERT_TRUE(seen.changes);
  ASSERT_EQ(seen.changes->size(), 2u);
  const acceptance::Change& change = seen.changes->front();
  EXPECT_EQ(change.path, "/tree/out/a.md");
  EXPECT_EQ(change.what, "created");
  EXPECT_EQ(change.attempt, 1u);
  EXPECT_EQ(change.attribution, schema::Attribution::process);
  EXPECT_EQ(change.zone, schema::WriteZone::outside);
  EXPECT_EQ(seen.changes->back().path, "/elsewhere");
}

TEST_F(Gathered, WordsOfAChangeAreForPeople) {
  schema::WritesObservedT event;
  event.root = "/tree";
  for (const auto kind : {schema::WriteChange::type_changed, schema::WriteChange::unknown}) {
    event.writes.push_back(std::make_unique<schema::WriteT>());
    event.writes.back()->path = "x";
    event.writes.back()->change = kind;
    event.writes.back()->candidates = {"a/1", "b/1"};
    event.writes.back()->detail = "lies in the zone of b/1";
  }
  happen({std::move(event), subject});
  const Evidence seen = evidence();
  ASSERT_TRUE(seen.changes);
  EXPECT_EQ(seen.changes->at(0).what, "type changed");
  EXPECT_EQ(seen.changes->at(1).what, "written");
  EXPECT_THAT(seen.changes->at(1).candidates, ElementsAre("a/1", "b/1"));
  EXPECT_EQ(seen.changes->at(1).detail, "lies in the zone of b/1");
}

class GatheredWithoutAsking : public Gathered {
 protected:
  schema::AcceptanceT contract() const override {
    schema::AcceptanceT some;
    some.required_final = {"x"};
    return some;
  }
};

TEST_F(GatheredWithoutAsking, WhatNoCheckNeedsIsNotRead) {
  print("much");
  call("write", R"({"path":"a.md"})");
  walked({"a.md"});
  const Evidence seen = evidence();
  EXPECT_FALSE(seen.raw_output.text);
  EXPECT_TRUE(seen.writes.empty());
  EXPECT_FALSE(seen.changes);
}

}  // namespace
}  // namespace pievt::supervisor
