// docs/plan.md is about this program: its tables are the ones the keys are read by, and its
// examples are plans.
#include <string>

#include <gtest/gtest.h>

#include "supervisor/plan/disk_files.h"
#include "supervisor/plan/keys.h"
#include "tests/supervisor/plan/support.h"

namespace pievt::plan {
namespace {

std::string document() {
  DiskFiles files(PIEVT_SOURCE_DIR "/docs");
  auto text = files.read("plan.md", std::size_t{1} << 20);
  EXPECT_TRUE(text.ok()) << "docs/plan.md";
  return text.ok() ? std::move(text).value() : std::string();
}

TEST(Docs, KeysAreTheOnesThatAreRead) {
  const std::string text = document();
  const std::string begin = "<!-- keys: begin -->\n";
  const std::string end = "<!-- keys: end -->\n";
  const std::size_t from = text.find(begin);
  ASSERT_NE(from, std::string::npos);
  const std::size_t to = text.find(end, from);
  ASSERT_NE(to, std::string::npos);
  EXPECT_EQ(text.substr(from + begin.size(), to - from - begin.size()), keys_as_markdown());
}

TEST(Docs, ExamplesArePlans) {
  const std::string text = document();
  const std::string fence = "```jsonc\n";
  std::size_t examples = 0;
  for (std::size_t at = text.find(fence); at != std::string::npos; at = text.find(fence, at + 1)) {
    const std::size_t from = at + fence.size();
    const std::string example = text.substr(from, text.find("```", from) - from);
    SCOPED_TRACE(example);
    const Plan plan = accepted(example, {{"chapters/01-intro.md", "One"},
                                         {"chapters/02-end.md", "Two"},
                                         {"prompts/edit.md", "Edit {{path}}."},
                                         {"rules.md", "Rules"},
                                         {"rows.csv", "id,file,tone\na,x.cc,calm\n"}});
    EXPECT_FALSE(plan.jobs.empty());
    ++examples;
  }
  EXPECT_GE(examples, 4u);
}

TEST(Docs, EveryKeyThatIsReadIsExplained) {
  for (const KeyName& key : all_keys()) {
    EXPECT_EQ(key.support == Support::now, !key.meaning.empty()) << key.name;
    EXPECT_FALSE(key.meaning.ends_with('.')) << key.name;
    EXPECT_NE(key.where, 0) << key.name;
  }
}

}  // namespace
}  // namespace pievt::plan
