#include "supervisor/launch/session_copy.h"

#include <gtest/gtest.h>

#include "tests/supervisor/launch/testing.h"

namespace pievt::launch {
namespace {

constexpr std::string_view header = R"({"type":"session","version":3,"id":"s1","cwd":"/old"})";

TEST(SessionCopy, MovesToTheNewDirectoryAndKeepsTheRest) {
  const std::string text = std::string(header) + "\n{\"type\":\"message\",\"id\":\"a\"}\n{\"torn";
  const auto copy = session_for(text, "/new \"tree\"");
  ASSERT_TRUE(copy.ok()) << copy.error().what;
  EXPECT_EQ(*copy,
            "{\"type\":\"session\",\"version\":3,\"id\":\"s1\",\"cwd\":\"/new \\\"tree\\\"\"}\n"
            "{\"type\":\"message\",\"id\":\"a\"}\n");
}

TEST(SessionCopy, NeedsAHeader) {
  for (const std::string_view text :
       {"", "no line", "{}\n", "[1]\n", "{\"type\":\"message\"}\n", "{\"type\":1}\n"})
    EXPECT_EQ(session_for(text, "/w").error().code, Errc::invalid) << text;
}

}  // namespace
}  // namespace pievt::launch
