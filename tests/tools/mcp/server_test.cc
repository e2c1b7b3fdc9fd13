// What an MCP client hears, without a process: calls are seen through an interface. And damage:
// whatever bytes come, the server answers or is silent, and forgets no call.
#include "tools/mcp/server.h"

#include <map>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "supervisor/plan/json_tree.h"

namespace pievt::tools::mcp {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class McpServer : public testing::Test, protected Calls {
 protected:
  Status start(CallNumber number, const std::string& tool, const std::string& arguments) override {
    if (refuse_) return Error{Errc::busy, "no room"};
    started_[number] = tool + " " + arguments;
    return {};
  }
  void cancel(CallNumber number) override { cancelled_.push_back(number); }

  void client(const std::string& line) { server_.client_line(line, now_); }
  void call_tool(const std::string& id, const std::string& rest) {
    client(fmt::format(
        R"({{"jsonrpc":"2.0","id":{},"method":"tools/call","params":{{"name":"job"{}}}}})", id,
        rest));
  }
  void call_says(CallNumber number, const std::string& line) {
    server_.call_line(number, line, now_);
  }
  std::string last() const { return sent_.empty() ? "" : sent_.back(); }

  Server::Clock::time_point now_{};
  std::vector<std::string> sent_;
  std::map<CallNumber, std::string> started_;
  std::vector<CallNumber> cancelled_;
  bool refuse_ = false;
  Server server_{*this, [this](const std::string& line) { sent_.push_back(line); }};
};

TEST_F(McpServer, IntroducesItselfInTheVersionThatWasAsked) {
  client(R"({"jsonrpc":"2.0","id":0,"method":"initialize",)"
         R"("params":{"protocolVersion":"2025-03-26"}})");
  EXPECT_THAT(last(), HasSubstr(R"("id":0,"result":{"protocolVersion":"2025-03-26")"));
  client(R"({"jsonrpc":"2.0","id":"a","method":"initialize","params":{"protocolVersion":"1"}})");
  EXPECT_THAT(last(), HasSubstr(R"("id":"a","result":{"protocolVersion":"2025-11-25")"));
  client(R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
  EXPECT_EQ(sent_.size(), 2u) << "a notification has no answer";
}

TEST_F(McpServer, ListsTheToolsButThatOfWorkers) {
  client(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})");
  EXPECT_THAT(last(), HasSubstr(R"("name":"jobs_plan")"));
  EXPECT_THAT(last(), HasSubstr(R"("readOnlyHint":true)"));
  EXPECT_THAT(last(), Not(HasSubstr("job_report")));
}

TEST_F(McpServer, AnswersACallWithItsResult) {
  call_tool("7", R"(,"arguments":{"name":"n","prompt":"p"})");
  EXPECT_EQ(started_[1], R"(job {"name":"n","prompt":"p"})");
  call_says(1, R"({"type":"progress","text":"half"})");
  EXPECT_THAT(sent_, IsEmpty()) << "nobody asked for progress";
  call_says(1, R"({"type":"result","is_error":true,"text":"no","details":{"run":"r"}})");
  EXPECT_EQ(last(), R"({"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"no"}],)"
                    R"("structuredContent":{"run":"r"},"isError":true}})");
  EXPECT_EQ(server_.open_calls(), 0u);
  call_says(1, R"({"type":"result","is_error":false,"text":"again","details":null})");
  EXPECT_EQ(sent_.size(), 1u);
}

TEST_F(McpServer, TellsProgressAndThatACallIsAlive) {
  call_tool("7", R"(,"_meta":{"progressToken":"tok"})");
  call_says(1, R"({"type":"progress","text":"half"})");
  EXPECT_EQ(last(),
            R"({"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"tok",)"
            R"("progress":1,"message":"half"}})");
  EXPECT_EQ(server_.next_tick(now_), now_ + Server::silence_max);
  now_ += Server::silence_max;
  server_.tick(now_);
  EXPECT_THAT(last(), HasSubstr(R"("progress":2)"));
  server_.tick(now_);
  EXPECT_EQ(sent_.size(), 2u);
}

TEST_F(McpServer, ACancelledCallIsToldToEndAndHasNoAnswer) {
  call_tool("7", "");
  call_tool("\"7\"", "");
  client(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}})");
  client(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}})");
  client(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}})");
  EXPECT_THAT(cancelled_, ElementsAre(1));
  call_says(1, R"({"type":"result","is_error":true,"text":"aborted","details":null})");
  EXPECT_THAT(sent_, IsEmpty());
  EXPECT_EQ(server_.open_calls(), 1u) << "a text is not a number";
}

TEST_F(McpServer, WhatCannotBeDoneIsSaid) {
  client(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"jbo"}})");
  EXPECT_THAT(last(), HasSubstr("-32602"));
  client(R"({"jsonrpc":"2.0","id":1,"method":"resources/list"})");
  EXPECT_THAT(last(), HasSubstr("-32601"));
  client("{nonsense");
  EXPECT_THAT(last(), HasSubstr(R"("id":null,"error":{"code":-32700)"));
  client("[]");
  EXPECT_THAT(last(), HasSubstr("-32600"));
  client(R"({"id":4,"method":"ping"})");
  EXPECT_THAT(last(), HasSubstr(R"("id":4,"error":{"code":-32600)"));
  client(R"({"jsonrpc":"2.0","id":[1],"method":"ping"})");
  EXPECT_THAT(last(), HasSubstr("-32600"));
  client(R"({"jsonrpc":"2.0","id":5,"method":"ping"})");
  EXPECT_EQ(last(), R"({"jsonrpc":"2.0","id":5,"result":{}})");
}

TEST_F(McpServer, ACallThatCannotStartOrEndsEarlyIsAResult) {
  refuse_ = true;
  call_tool("1", "");
  EXPECT_THAT(last(), HasSubstr(R"("text":"no room"}],"isError":true)"));
  refuse_ = false;
  call_tool("2", "");
  server_.call_ended(2, "it was ended by signal 11");
  EXPECT_THAT(last(), HasSubstr("signal 11"));
  EXPECT_EQ(server_.open_calls(), 0u);
}

// Every line that the server sends is one JSON-RPC message, whatever it is sent.
TEST_F(McpServer, DamagedMessagesBreakNothing) {
  const std::string whole =
      R"({"jsonrpc":"2.0","id":12,"method":"tools/call","params":{"name":"job",)"
      R"("arguments":{"name":"n","prompt":"ü\u0041"},"_meta":{"progressToken":3}}})";
  std::uint64_t seed = 7;
  const auto dice = [&](std::size_t sides) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::size_t>(seed >> 33) % sides;
  };
  for (int round = 0; round < 5'000; ++round) {
    std::string line = whole.substr(0, dice(4) == 0 ? dice(whole.size()) : whole.size());
    for (std::size_t flips = dice(4); flips > 0 && !line.empty(); --flips)
      line[dice(line.size())] = static_cast<char>(dice(256));
    std::erase(line, '\n');
    client(line);
    call_says(dice(50), line);
  }
  for (const std::string& line : sent_) {
    plan::Problems problems;
    const plan::Source source("sent", line);
    const auto tree = plan::JsonTree::parse(source, problems);
    ASSERT_TRUE(tree) << line;
    ASSERT_EQ(tree->root().find("jsonrpc")->string(), "2.0");
    ASSERT_EQ(line.find('\n'), std::string::npos);
  }
  EXPECT_GT(sent_.size(), 1'000u);
  EXPECT_GT(started_.size(), 100u);
}

}  // namespace
}  // namespace pievt::tools::mcp
