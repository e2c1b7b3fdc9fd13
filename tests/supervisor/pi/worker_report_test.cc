// What counts as a worker's report and what does not, each rule by itself; and that it is what
// pi-jobs took for one, where its recorded cases lie beside the checkout.
#include "supervisor/pi/worker_report.h"

#include <cstdlib>
#include <filesystem>
#include <set>

#include <simdjson.h>

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace pievt::pi {
namespace {

using ::testing::HasSubstr;

/// A report of job `a` that is one, with `more` members behind.
std::string report(std::string_view more = "", std::string_view status = "completed") {
  return fmt::format(R"({{"schemaVersion":1,"status":"{}","summary":"three chapters"{}{}}})",
                     status, more.empty() ? "" : ",", more);
}

std::string refused(std::string_view json) {
  const auto read = read_worker_report(json, "a");
  if (read.ok()) return "it is one";
  EXPECT_EQ(read.error().code, Errc::invalid);
  return read.error().what;
}

TEST(WorkerReport, IsReadWhole) {
  const auto read = read_worker_report(
      R"( {"schemaVersion":1,"jobId":"a","attemptId":"a-1","status":"partial",
          "summary":"two of three","userActionRequired":"send me the third",
          "deliverables":[{"path":"out/1.md","kind":"file","description":"x"},
                          {"path":"out","kind":"dir"},{"path":"why","kind":"note"},
                          {"path":"make","kind":"command"}],
          "evidence":[{"kind":"text","value":"read it"},{"kind":"file","value":" \t"},
                      {"kind":"command","value":"make"}],
          "unknown":[1]} )",
      "a");
  ASSERT_TRUE(read.ok()) << read.error().what;
  EXPECT_EQ(read->attempt, "a-1");
  EXPECT_EQ(read->status, "partial");
  EXPECT_EQ(read->summary, "two of three");
  EXPECT_EQ(read->user_action, "send me the third");
  ASSERT_EQ(read->deliverables.size(), 4u);
  EXPECT_EQ(read->deliverables[0].path, "out/1.md");
  EXPECT_EQ(read->deliverables[0].kind, "file");
  EXPECT_EQ(read->deliverables[3].kind, "command");
  EXPECT_EQ(read->evidence, 2u) << "what is blank shows nothing";
  EXPECT_EQ(read->text,
            "two of three\n"
            R"([{"path":"out/1.md","kind":"file","description":"x"},{"path":"out","kind":"dir"},)"
            R"({"path":"why","kind":"note"},{"path":"make","kind":"command"}])"
            "\n"
            R"([{"kind":"text","value":"read it"},{"kind":"file","value":" \t"},)"
            R"({"kind":"command","value":"make"}])");
}

TEST(WorkerReport, WhatMayBeLeftOutIsEmpty) {
  const auto read = read_worker_report(report(), "a");
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->attempt, "");
  EXPECT_EQ(read->user_action, "");
  EXPECT_TRUE(read->deliverables.empty());
  EXPECT_EQ(read->evidence, 0u);
  EXPECT_EQ(read->text, "three chapters\n[]\n[]");
}

TEST(WorkerReport, OneOfFourWordsIsItsStatus) {
  for (const char* status : {"completed", "partial", "blocked", "error"})
    EXPECT_EQ(read_worker_report(report("", status), "a")->status, status);
  for (const char* status : {"", "done", "Completed", "completed "})
    EXPECT_EQ(refused(report("", status)),
              "the report is not valid: \"status\" must be completed, partial, blocked or error");
}

TEST(WorkerReport, WhatIsNoneIsRefusedWithWhatIsWrong) {
  const std::pair<std::string, const char*> cases[] = {
      {"", "it must be an object of JSON"},
      {"done", "it must be an object of JSON"},
      {"[]", "it must be an object of JSON"},
      {"null", "it must be an object of JSON"},
      {report() + "x", "it must be an object of JSON"},
      {report().substr(0, 20), "it must be an object of JSON"},
      {"{}", "\"schemaVersion\" must be 1"},
      {R"({"schemaVersion":2})", "\"schemaVersion\" must be 1"},
      {R"({"schemaVersion":"1"})", "\"schemaVersion\" must be 1"},
      {R"({"schemaVersion":1})", "\"status\" must be"},
      {R"({"schemaVersion":1,"status":7,"summary":"x"})", "\"status\" must be"},
      {R"({"schemaVersion":1,"status":"error"})", "\"summary\" must not be blank"},
      {R"({"schemaVersion":1,"status":"error","summary":" \n\t"})", "\"summary\" must not be"},
      {R"({"schemaVersion":1,"status":"error","summary":["x"]})", "\"summary\" must not be"},
      {report(R"("jobId":"b")"), "it is the report of another job, b"},
      {report(R"("jobId":"")"), "it is the report of another job, "},
      {report(R"("deliverables":{})"), "\"deliverables\" must be a list"},
      {report(R"("deliverables":null)"), "\"deliverables\" must be a list"},
      {report(R"("deliverables":[1])"), "an entry of \"deliverables\" is not one"},
      {report(R"("deliverables":[{"kind":"file"}])"), "an entry of \"deliverables\" is not one"},
      {report(R"("deliverables":[{"path":"a"}])"), "an entry of \"deliverables\" is not one"},
      {report(R"("deliverables":[{"path":"","kind":"file"}])"), "an entry of \"deliverables\""},
      {report(R"("deliverables":[{"path":"a","kind":"blob"}])"), "an entry of \"deliverables\""},
      {report(R"("evidence":"x")"), "\"evidence\" must be a list"},
      {report(R"("evidence":[null])"), "an entry of \"evidence\" is not one"},
      {report(R"("evidence":[{"kind":"text"}])"), "an entry of \"evidence\" is not one"},
      {report(R"("evidence":[{"value":"x"}])"), "an entry of \"evidence\" is not one"},
      {report(R"("evidence":[{"kind":"note","value":"x"}])"), "an entry of \"evidence\" is not"},
  };
  for (const auto& [json, why] : cases) EXPECT_THAT(refused(json), HasSubstr(why)) << json;
}

TEST(WorkerReport, AnIdThatIsNoTextSaysNothing) {
  EXPECT_TRUE(read_worker_report(report(R"("jobId":7,"attemptId":null)"), "a").ok());
}

TEST(WorkerReport, TheNameOfAnotherJobIsCut) {
  const std::string name(500, 'x');
  EXPECT_LT(refused(report(fmt::format(R"("jobId":"{}")", name))).size(), 150u);
}

TEST(WorkerReport, DeepAndDamagedBytesAreNone) {
  EXPECT_NE(refused(std::string(100'000, '[')), "it is one");
  EXPECT_NE(refused(std::string("{\"schemaVersion\":1\0}", 20)), "it is one");
  EXPECT_NE(refused("{\"schemaVersion\":1,\"status\":\"error\",\"summary\":\"\xff\"}"),
            "it is one");
}

// Where ours is more patient: what is blank is not counted and does no harm, and a report lies in
// its attempt's directory, so nobody has to say which attempt it is of.
bool is_more_patient(std::string_view json) {
  return json.find(R"("attemptId": "")") != std::string_view::npos ||
         json.find(R"("attemptId":"")") != std::string_view::npos ||
         json.find(R"("value":"")") != std::string_view::npos;
}

TEST(WorkerReport, RecordedCasesAreTakenAsPiJobsTookThem) {
  const char* beside = std::getenv("PIEVT_SHARED");
  const std::filesystem::path path =
      std::filesystem::path(beside != nullptr ? beside : PIEVT_SHARED_BESIDE) /
      "fixtures/pi-jobs/vectors/report-validate.json";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there; ours are above";
  simdjson::dom::parser parser;
  simdjson::dom::array cases;
  ASSERT_EQ(parser.load(path.string()).get_array().get(cases), simdjson::SUCCESS);
  std::size_t count = 0, patient = 0;
  for (const simdjson::dom::element one : cases) {
    const std::string json = simdjson::minify(one["in"]);
    const std::string_view job = one["expected"]["jobId"];
    const bool taken = one["out"]["ok"];
    const auto read = read_worker_report(json, job);
    ++count;
    if (is_more_patient(json)) {
      EXPECT_TRUE(read.ok()) << json;
      ++patient;
      continue;
    }
    EXPECT_EQ(read.ok(), taken) << json;
    if (!read.ok() || !taken) continue;
    const simdjson::dom::element theirs = one["out"]["report"];
    EXPECT_EQ(read->status, std::string_view(theirs["status"]));
    EXPECT_EQ(read->summary, std::string_view(theirs["summary"]));
    EXPECT_EQ(read->deliverables.size(), theirs["deliverables"].get_array().value().size());
  }
  EXPECT_GE(count, 18u);
  EXPECT_EQ(patient, 2u);
}

TEST(ToolEffect, OnlyTwoToolsNameWhatTheyWrite) {
  EXPECT_EQ(effect_of("write"), ToolEffect::write);
  EXPECT_EQ(effect_of("edit"), ToolEffect::write);
  EXPECT_EQ(effect_of("bash"), ToolEffect::shell);
  for (const char* tool : {"read", "grep", "find", "ls", "job_report", "", "Write"})
    EXPECT_EQ(effect_of(tool), ToolEffect::none) << tool;
}

TEST(WrittenPath, IsFoundUnderEitherName) {
  EXPECT_EQ(written_path(R"({"path":"a.md","content":"x"})"), "a.md");
  EXPECT_EQ(written_path(R"({"file_path":"b.md"})"), "b.md");
  EXPECT_EQ(written_path(R"({"file_path":"b.md","path":"a.md"})"), "a.md");
  EXPECT_EQ(written_path(R"({"path":7,"file_path":"b.md"})"), "b.md");
  for (const char* json : {"", "{}", "[]", "\"a.md\"", R"({"path":7})", R"({"path":"a.md")"})
    EXPECT_EQ(written_path(json), std::nullopt) << json;
}

}  // namespace
}  // namespace pievt::pi
