// The flags of each version, exactly; that the real ones take them is seen in real_pi_test.cc.
#include "supervisor/launch/command.h"

#include <gmock/gmock.h>

namespace pievt::launch {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

PiCommand command(const PiVersion& version) {
  PiCommand out;
  out.program = "/opt/pi";
  out.version = version;
  out.session = "/store/session.jsonl";
  return out;
}

TEST(PiArguments, OfAPlainJob) {
  EXPECT_THAT(
      pi_arguments(command({0, 73, 1})),
      ElementsAre("/opt/pi", "--mode", "json", "-p", "--session", "/store/session.jsonl",
                  "--no-extensions", "--no-skills", "--no-prompt-templates", "--no-themes"));
}

TEST(PiArguments, ProjectSettingsAreRefusedFromTheFirstVersionThatCan) {
  EXPECT_EQ(pi_arguments(command({0, 78, 9})).back(), "--no-themes");
  EXPECT_EQ(pi_arguments(command({0, 79, 0})).back(), "--no-approve");
  EXPECT_EQ(pi_arguments(command({1, 5, 2})).back(), "--no-approve");
}

TEST(PiArguments, OfAJobWithAllChoices) {
  PiCommand full = command({1, 5, 2});
  full.mode = PiMode::rpc;
  full.model = "stub/text";
  full.thinking = "off";
  full.tools = {"read", "bash"};
  EXPECT_THAT(
      pi_arguments(full),
      ElementsAreArray({"/opt/pi", "--mode", "rpc", "--session", "/store/session.jsonl", "--model",
                        "stub/text", "--thinking", "off", "--tools", "read,bash", "--no-extensions",
                        "--no-skills", "--no-prompt-templates", "--no-themes", "--no-approve"}));
}

TEST(PiArguments, OnlyTheNamedExtensionsInTheirOrder) {
  PiCommand two = command({0, 73, 1});
  two.extensions = {"/b.ts", "npm:a"};
  const auto arguments = pi_arguments(two);
  ASSERT_EQ(arguments.size(), 14u);
  EXPECT_THAT(std::vector(arguments.end() - 4, arguments.end()),
              ElementsAre("--extension", "/b.ts", "--extension", "npm:a"));
}

TEST(PiArguments, NoToolsAtAllIsNotTheSameAsPisChoice) {
  PiCommand none = command({0, 73, 1});
  none.tools.emplace();
  EXPECT_EQ(pi_arguments(none)[6], "--no-tools");
}

}  // namespace
}  // namespace pievt::launch
