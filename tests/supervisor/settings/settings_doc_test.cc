// docs/settings.md and docs/schemas/config.schema.json are made from the tables the keys are read
// by: `pievt config --schema` and `pievt config --reference` print them anew.
#include <gtest/gtest.h>

#include "supervisor/plan/disk_files.h"
#include "supervisor/plan/json_tree.h"
#include "supervisor/settings/config_keys.h"
#include "supervisor/settings/read_settings.h"
#include "supervisor/settings/settings_json.h"

namespace pievt::settings {
namespace {

std::string document(const std::string& path) {
  plan::DiskFiles files(PIEVT_SOURCE_DIR "/docs");
  auto text = files.read(path, std::size_t{1} << 20);
  EXPECT_TRUE(text.ok()) << path;
  return text.ok() ? std::move(text).value() : std::string();
}

TEST(SettingsDoc, SchemaIsOfTheKeysThatAreRead) {
  EXPECT_EQ(document("schemas/config.schema.json"), settings_schema());
}

TEST(SettingsDoc, ReferenceIsOfTheKeysThatAreRead) {
  const std::string text = document("settings.md");
  const std::string begin = "<!-- keys: begin -->\n";
  const std::size_t from = text.find(begin);
  ASSERT_NE(from, std::string::npos);
  const std::size_t to = text.find("<!-- keys: end -->\n", from);
  EXPECT_EQ(text.substr(from + begin.size(), to - from - begin.size()), settings_markdown());
}

TEST(SettingsDoc, SchemaNamesEveryKeyAndItsShape) {
  plan::Problems problems;
  const plan::Source source("schema", settings_schema());
  const auto tree = plan::JsonTree::parse(source, problems);
  ASSERT_TRUE(tree) << problems.error().what;
  const auto properties = *tree->root().find("properties");
  EXPECT_EQ(properties.size(), config_objects().front().keys.size());
  const auto workers = *properties.find("workers")->find("properties");
  EXPECT_EQ(workers.find("extensions")->find("type")->string(), "array");
  EXPECT_EQ(settings_schema().find("\"?\""), std::string::npos) << "a key without a shape";
}

TEST(SettingsDoc, ExamplesAreSettings) {
  const std::string text = document("settings.md");
  const std::string fence = "```jsonc\n";
  std::size_t examples = 0;
  for (std::size_t at = text.find(fence); at != std::string::npos; at = text.find(fence, at + 1)) {
    const std::size_t from = at + fence.size();
    const auto settings =
        parse_settings("example", text.substr(from, text.find("```", from) - from), "/project");
    EXPECT_TRUE(settings.ok()) << (settings.ok() ? "" : settings.error().what);
    ++examples;
  }
  EXPECT_GE(examples, 1u);
}

}  // namespace
}  // namespace pievt::settings
