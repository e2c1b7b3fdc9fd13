// The last word of session files, clean and as pi leaves them.
#include "supervisor/pi/session_file.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include <unistd.h>

#include <gtest/gtest.h>

namespace pievt::pi {
namespace {

const std::string header =
    R"({"type":"session","version":3,"id":"01a1","timestamp":"2026-11-20T12:00:00.000Z",)"
    R"("cwd":"/srv/p"})"
    "\n";

std::string entry(const std::string& id, const std::string& message) {
  return R"({"type":"message","id":")" + id +
         R"(","parentId":null,"timestamp":"2026-11-20T12:00:00.000Z","message":)" + message + "}\n";
}

std::string user(const std::string& id) {
  return entry(id, R"({"role":"user","content":[{"type":"text","text":"go"}],"timestamp":1})");
}

std::string assistant(const std::string& id, const std::string& text,
                      const std::string& stop = "stop") {
  return entry(id, R"({"role":"assistant","content":[{"type":"text","text":")" + text +
                       R"("}],"usage":{"totalTokens":9},"stopReason":")" + stop +
                       R"(","timestamp":1})");
}

SessionTail read(const std::string& bytes, std::uint64_t from_offset = 0) {
  SessionReader reader{from_offset};
  reader.feed(bytes);
  return reader.finish();
}

TEST(SessionFile, TheLastAssistantMessageAfterTheLastUserMessage) {
  const SessionTail tail =
      read(header + user("a") + assistant("b", "one", "toolUse") +
           entry("c", R"({"role":"toolResult","content":[]})") + assistant("d", "done"));
  EXPECT_EQ(tail.session_id, "01a1");
  EXPECT_EQ(tail.cwd, "/srv/p");
  EXPECT_EQ(tail.entries, 4U);
  ASSERT_TRUE(tail.last_assistant.has_value());
  EXPECT_EQ(tail.last_assistant->stop_reason, StopReason::stop);
  EXPECT_EQ(tail.last_assistant->visible_characters, 4U);
  EXPECT_EQ(tail.last_assistant->total_tokens, 9U);
}

TEST(SessionFile, AnAnswerToAnEarlierPromptIsNotTheLastWord) {
  EXPECT_FALSE(read(header + user("a") + assistant("b", "one") + user("c")).last_assistant);
}

TEST(SessionFile, AnAnswerOfAnEarlierRunIsNotTheLastWord) {
  const std::string earlier = header + user("a") + assistant("b", "one");
  EXPECT_FALSE(read(earlier, earlier.size()).last_assistant);
  EXPECT_TRUE(read(earlier + user("c") + assistant("d", "two"), earlier.size()).last_assistant);
}

TEST(SessionFile, RepeatedEntriesAndHeadersCountOnce) {
  const std::string earlier = header + user("a") + assistant("b", "one");
  const SessionTail tail = read(earlier + earlier + user("c"), earlier.size());
  EXPECT_EQ(tail.headers, 2U);
  EXPECT_EQ(tail.entries, 3U);
  EXPECT_EQ(tail.repeated_entries, 2U);
  EXPECT_FALSE(tail.last_assistant) << "a repetition of an old answer is old";
}

TEST(SessionFile, BadLinesAreCountedAndSkipped) {
  const SessionTail tail =
      read(header + "this is not json\n" + user("a") + std::string(3, '\0') + "\n\n" +
           assistant("b", "one") + "{\"type\":\"message\",\"id\":\"c\",\"mess");
  EXPECT_EQ(tail.bad_lines, 3U);
  EXPECT_EQ(tail.entries, 2U);
  EXPECT_TRUE(tail.last_assistant.has_value());
}

TEST(SessionFile, ARecordGluedToATornOneIsRead) {
  const std::string torn = assistant("b", "torn away").substr(0, 150);
  const SessionTail tail = read(header + user("a") + torn + assistant("c", "whole"));
  EXPECT_EQ(tail.bad_lines, 1U);
  ASSERT_TRUE(tail.last_assistant.has_value());
  EXPECT_EQ(tail.last_assistant->visible_characters, 5U);
}

TEST(SessionFile, ALastLineWithoutNewlineCounts) {
  std::string bytes = header + user("a") + assistant("b", "one");
  bytes.pop_back();
  EXPECT_TRUE(read(bytes).last_assistant.has_value());
}

TEST(SessionFile, EntriesOfOtherTypesDoNotMatter) {
  const SessionTail tail =
      read(header + user("a") + assistant("b", "one") +
           R"({"type":"context_edit","id":"c","parentId":"b","targetId":"b","replacement":null})"
           "\n"
           R"({"type":"compaction","id":"d","parentId":"c","summary":"s","tokensBefore":3})"
           "\n");
  EXPECT_EQ(tail.entries, 4U);
  EXPECT_TRUE(tail.last_assistant.has_value());
}

TEST(SessionFile, NoFileIsNotFound) {
  const auto tail = read_session_tail("/nonexistent/session.jsonl");
  ASSERT_FALSE(tail.ok());
  EXPECT_EQ(tail.error().code, Errc::not_found);
}

TEST(SessionFile, ADirectoryCannotBeRead) {
  const auto tail = read_session_tail(std::filesystem::temp_directory_path());
  ASSERT_FALSE(tail.ok());
  EXPECT_EQ(tail.error().code, Errc::io);
}

TEST(SessionFile, AFileLargerThanOneReadIsReadWhole) {
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("pievt-session-" + std::to_string(getpid()));
  std::string bytes = header + user("a");
  for (int i = 0; i < 4000; ++i)
    bytes += assistant("id" + std::to_string(i), std::string(200, 'x'));
  std::ofstream{path, std::ios::binary} << bytes;
  const auto tail = read_session_tail(path);
  std::filesystem::remove(path);
  ASSERT_TRUE(tail.ok());
  EXPECT_EQ(tail.value().entries, 4001U);
  EXPECT_EQ(tail.value().bad_lines, 0U);
}

}  // namespace
}  // namespace pievt::pi
