#include "tools/frame/globals.h"

#include <gmock/gmock.h>

#include "tools/frame/parse.h"

namespace pievt::tools {
namespace {

using testing::ElementsAre;

const char* nothing(const char*) {
  return nullptr;
}
const char* store_variable(const char* name) {
  return std::string_view(name) == "PIEVT_STORE" ? "/from/environment" : nullptr;
}

Result<Globals> globals(std::vector<std::string> words, render::Environment environment = nothing) {
  auto arguments = PIEVT_TRY(parse({}, words));
  return globals_from(arguments, environment);
}

TEST(Globals, DefaultsAreForPeople) {
  const auto read = globals({});
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->output, OutputFormat::text);
  EXPECT_EQ(read->color, render::ColorChoice::automatic);
  EXPECT_EQ(read->paging, Paging::allowed);
  EXPECT_EQ(read->asking, Asking::allowed);
  EXPECT_EQ(read->loudness, Loudness::normal);
  EXPECT_EQ(read->zone, render::Zone::local);
  EXPECT_EQ(read->store, std::nullopt);
  EXPECT_EQ(read->at, std::nullopt);
  EXPECT_THAT(read->fields, testing::IsEmpty());
}

TEST(Globals, EveryFlagIsRead) {
  const auto read = globals({"--store", "/s", "--at", "@9", "-ocsv", "--fields", "id,cost",
                             "--color=never", "--no-pager", "--no-input", "-v", "--utc"});
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->store, "/s");
  EXPECT_EQ(read->at, "@9");
  EXPECT_EQ(read->output, OutputFormat::csv);
  EXPECT_THAT(read->fields, ElementsAre("id", "cost"));
  EXPECT_EQ(read->color, render::ColorChoice::never);
  EXPECT_EQ(read->paging, Paging::never);
  EXPECT_EQ(read->asking, Asking::never);
  EXPECT_EQ(read->loudness, Loudness::verbose);
  EXPECT_EQ(read->zone, render::Zone::utc);
}

TEST(Globals, TheFlagWinsOverTheEnvironment) {
  EXPECT_EQ(globals({}, store_variable)->store, "/from/environment");
  EXPECT_EQ(globals({"--store=/s"}, store_variable)->store, "/s");
}

TEST(Globals, JsonIsShortForOutputJson) {
  EXPECT_EQ(globals({"--json"})->output, OutputFormat::json);
  EXPECT_EQ(globals({"--json", "-o", "json"})->output, OutputFormat::json);
  EXPECT_EQ(globals({"--json", "-o", "text"}).error().what,
            "--json and --output text contradict each other");
}

TEST(Globals, FieldsHaveNames) {
  for (const char* bad : {",", "a,", ",a", "a,,b"})
    EXPECT_FALSE(globals({"--fields", bad}).ok()) << bad;
}

TEST(AsksForJson, SeesItInLinesThatDoNotParse) {
  const auto asks = [](std::vector<std::string> words) { return asks_for_json(words); };
  EXPECT_TRUE(asks({"nonsense", "--json"}));
  EXPECT_TRUE(asks({"--what", "-o", "jsonl"}));
  EXPECT_TRUE(asks({"-ojson"}));
  EXPECT_TRUE(asks({"--output=json"}));
  EXPECT_FALSE(asks({"--output", "csv"}));
  EXPECT_FALSE(asks({"--output"}));
  EXPECT_FALSE(asks({"grep", "--", "--json"}));
}

}  // namespace
}  // namespace pievt::tools
