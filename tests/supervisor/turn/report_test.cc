// From the file that a worker left to the event that says so.
#include "supervisor/turn/report.h"

#include <sys/stat.h>

#include <gmock/gmock.h>

#include "tests/supervisor/turn/attempt_test.h"

namespace pievt::supervisor {
namespace {

namespace fs = std::filesystem;
using schema::ReportStatus;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Reports : public AttemptTest {
 protected:
  void hand_in() {
    const Status done = record_report(*record_, live_, policy_);
    ASSERT_TRUE(done.ok()) << done.error().what;
    ASSERT_TRUE(record_->commit().ok());
  }

  // "submitted <status> <deliverables>: <summary> [requests]", "refused: <reason>" and
  // "secret <rule>".
  std::vector<std::string> told() {
    std::vector<std::string> all;
    auto reader = log().read_stream("run/r1", {1});
    while (reader.next()) {
      visit(reader.event(), [&](const schema::ReportSubmitted& e) {
        schema::ReportSubmittedT event;
        e.UnPackTo(&event);
        std::string asks;
        for (const std::string& each : event.requests) asks += " " + each;
        all.push_back(std::string("submitted ") + schema::EnumNameReportStatus(event.status) + " " +
                      std::to_string(event.deliverables) + ": " + event.summary + " [" + asks +
                      "]");
        kept_ = event.report == nullptr ? "" : text_of(*event.report);
      });
      visit(reader.event(), [&](const schema::ReportRefused& e) {
        all.push_back("refused: " + e.reason()->str());
        kept_ = e.report() == nullptr ? "" : text_of(*e.report());
      });
      visit(reader.event(),
            [&](const schema::SecretFound& e) { all.push_back("secret " + e.rule()->str()); });
    }
    return all;
  }

  static std::string report(const std::string& status, const std::string& more = "") {
    return R"({"schemaVersion":1,"jobId":"a","status":")" + status + R"(","summary":"what I did")" +
           more + "}";
  }

  secrets::Policy policy_;
  std::string kept_;
};

TEST_F(Reports, WithoutOneNothingIsSaid) {
  hand_in();
  EXPECT_THAT(told(), IsEmpty());
}

TEST_F(Reports, ItsFourWordsBecomeOurs) {
  const std::pair<const char*, const char*> words[] = {
      {"completed", "success"}, {"partial", "partial"}, {"blocked", "blocked"}, {"error", "error"}};
  std::uint32_t number = 0;
  for (const auto& [theirs, ours] : words) {
    if (++number > 1) {
      live_.subject.attempt = number;
      begin(live_.subject);
    }
    std::ofstream(file("report.json", live_.subject)) << report(theirs);
    hand_in();
    EXPECT_EQ(told().back(), std::string("submitted ") + ours + " 0: what I did []");
    EXPECT_EQ(kept_, report(theirs)) << "as it was handed in";
    end(live_.subject);
  }
}

TEST_F(Reports, WhatItAsksOfPeopleAndWhatItMadeAreSaid) {
  write("report.json", report("blocked", R"(,"userActionRequired":"renew the key\nplease",
      "deliverables":[{"path":"x","kind":"file"},{"path":"y","kind":"note"}])"));
  hand_in();
  EXPECT_THAT(told(), ElementsAre("submitted blocked 2: what I did [ renew the key]"));
}

TEST_F(Reports, ASecondLookAddsNothing) {
  write("report.json", report("completed"));
  hand_in();
  hand_in();
  EXPECT_EQ(told().size(), 1u);
}

TEST_F(Reports, ARefusedOneIsRefusedOnceAlsoAfterAnotherSupervisorsDeath) {
  write("report.json", "I am done");
  hand_in();
  hand_in();
  EXPECT_THAT(told(),
              ElementsAre("refused: the report is not valid: it must be an object of JSON"));
  EXPECT_EQ(kept_, "I am done") << "it can be looked at";
}

TEST_F(Reports, AnotherJobsReportIsRefused) {
  write("report.json", R"({"schemaVersion":1,"jobId":"b","status":"completed","summary":"x"})");
  hand_in();
  EXPECT_THAT(told(), ElementsAre(HasSubstr("refused: the report is not valid: it is the report of "
                                            "another job, b")));
}

TEST_F(Reports, AnEmptyFileIsRefusedAndKeepsNothing) {
  write("report.json", "");
  hand_in();
  EXPECT_THAT(told(), ElementsAre(HasSubstr("refused: ")));
  EXPECT_EQ(kept_, "");
}

TEST_F(Reports, OnlyAPlainFileIsRead) {
  std::ofstream(directory() / "elsewhere.json") << report("completed");
  fs::create_symlink(directory() / "elsewhere.json", file("report.json"));
  hand_in();
  EXPECT_THAT(told(), ElementsAre("refused: it is no plain file that can be read"));
}

TEST_F(Reports, APipeHoldsNobodyUp) {
  ASSERT_EQ(::mkfifo(file("report.json").c_str(), 0600), 0);
  hand_in();
  EXPECT_THAT(told(), ElementsAre("refused: it is no plain file that can be read"));
}

TEST_F(Reports, ADirectoryIsNone) {
  fs::create_directory(file("report.json"));
  hand_in();
  EXPECT_THAT(told(), ElementsAre("refused: it is no plain file that can be read"));
}

TEST_F(Reports, ALongOneIsRefusedAndNotStored) {
  const std::string more(std::size_t{1} << 20, 'x');
  write("report.json", report("completed", R"(,"error":")" + more + "\""));
  hand_in();
  EXPECT_THAT(told(), ElementsAre("refused: it is longer than a MiB"));
  EXPECT_EQ(kept_, "");
}

TEST_F(Reports, ASecretIsToldOfAndStandsInNoLine) {
  // Made here, so that this file holds none.
  std::string key = "sk-ant-api03-";
  for (int i = 0; i < 40; ++i) key += static_cast<char>('a' + (i * 7 + i / 3) % 26);
  const std::string json = R"({"schemaVersion":1,"status":"blocked","summary":"with )" + key +
                           R"(","userActionRequired":"revoke )" + key + "\"}";
  write("report.json", json);
  hand_in();
  const auto lines = told();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], "secret anthropic-key");
  EXPECT_EQ(lines[1],
            "submitted blocked 0: with [masked anthropic-key] [ revoke [masked anthropic-key]]");
  EXPECT_EQ(kept_, json) << "bodies can be redacted, lines cannot";
}

TEST_F(Reports, WhereSecretsAreMaskedTheBodyHasNoneEither) {
  policy_.mask = true;
  std::string key = "sk-ant-api03-";
  for (int i = 0; i < 40; ++i) key += static_cast<char>('a' + (i * 7 + i / 3) % 26);
  write("report.json", R"({"schemaVersion":1,"status":"error","summary":")" + key + "\"}");
  hand_in();
  EXPECT_THAT(told().back(), HasSubstr("submitted error"));
  EXPECT_THAT(kept_, Not(HasSubstr(key)));
  EXPECT_THAT(kept_, HasSubstr("[masked anthropic-key]"));
}

TEST_F(Reports, OfAnAttemptThatNobodyKnowsNothingIsSaid) {
  live_.subject = {.job = 7, .attempt = 1};
  hand_in();
  live_.subject = {.job = 1, .attempt = 7};
  hand_in();
  EXPECT_THAT(told(), IsEmpty());
}

}  // namespace
}  // namespace pievt::supervisor
