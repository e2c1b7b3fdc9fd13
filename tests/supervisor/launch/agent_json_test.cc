// The settings of an attempt are the user's without what runs code, plus ours; and the user's text
// may be anything.
#include "supervisor/launch/agent_json.h"

#include <gmock/gmock.h>

namespace pievt::launch {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr PiVersion old_pi{0, 73, 1};
constexpr PiVersion new_pi{1, 5, 2};

std::string without_space(std::string text) {
  std::erase_if(text, [](char c) { return c == ' ' || c == '\n'; });
  return text;
}

std::string settings(std::optional<std::string_view> user, const PiVersion& version = new_pi,
                     PiMode mode = PiMode::json) {
  return without_space(generate_settings(user, version, mode).text);
}

constexpr std::string_view ours_new = R"({"enableInstallTelemetry":false,"enableAnalytics":false})";

TEST(GenerateSettings, OursAloneWhenThereIsNoFile) {
  EXPECT_EQ(settings(std::nullopt), ours_new);
  EXPECT_EQ(settings(std::nullopt, old_pi),
            R"({"enableInstallTelemetry":false,"enableAnalytics":false,)"
            R"("compaction":{"enabled":false},)"
            R"("retry":{"provider":{"maxRetries":0,"timeoutMs":300000}}})");
  EXPECT_EQ(settings(std::nullopt, old_pi, PiMode::rpc),
            R"({"enableInstallTelemetry":false,"enableAnalytics":false,)"
            R"("retry":{"provider":{"maxRetries":0,"timeoutMs":300000}}})");
}

TEST(GenerateSettings, KeepsTheUsersAndMergesOursIntoThem) {
  EXPECT_EQ(settings(R"({"theme":"dark","compaction":{"enabled":true,"reserveTokens":9},
                        "retry":{"maxRetries":5,"provider":{"timeoutMs":7,"maxRetries":2}},
                        "enableInstallTelemetry":true,"shellPath":"/bin/sandbox"})",
                     old_pi),
            R"({"theme":"dark","shellPath":"/bin/sandbox","enableInstallTelemetry":false,)"
            R"("enableAnalytics":false,"compaction":{"reserveTokens":9,"enabled":false},)"
            R"("retry":{"maxRetries":5,"provider":{"timeoutMs":7,"maxRetries":0}}})");
  EXPECT_THAT(settings(R"({"compaction":{"enabled":false},"retry":{"provider":{"maxRetries":2}}})"),
              HasSubstr(R"("compaction":{"enabled":false},"retry":{"provider":{"maxRetries":2}})"));
}

TEST(GenerateSettings, DropsWhatRunsCodeAlsoWhenItIsThereTwice) {
  const auto made = generate_settings(
      R"({"packages":["npm:evil"],"extensions":["a"],"extensions":["b"],"skills":[],"prompts":[],
          "themes":[],"npmCommand":["sh"],"selfUpdateCommand":["sh"],"externalEditor":"sh",
          "sessionDir":"/x","defaultProjectTrust":"always","__proto__":{"extensions":["c"]},
          "\u0065xtensions":["d"]})",
      new_pi, PiMode::json);
  EXPECT_EQ(without_space(made.text), ours_new);
  EXPECT_THAT(made.dropped, ElementsAre("packages", "extensions", "skills", "prompts", "themes",
                                        "npmCommand", "selfUpdateCommand", "externalEditor",
                                        "sessionDir", "defaultProjectTrust", "__proto__"));
  EXPECT_THAT(made.warnings, IsEmpty());
}

TEST(GenerateSettings, TakesTheLastOfSeveralAsJavaScriptDoes) {
  EXPECT_THAT(settings(R"({"retry":{"maxRetries":1},"retry":{"maxRetries":2,
                          "provider":{"timeoutMs":1,"timeoutMs":2,"maxRetries":4,"maxRetries":5}},
                          "compaction":{"enabled":true},"compaction":7})",
                       old_pi),
              HasSubstr(R"("compaction":{"enabled":false},"retry":{"maxRetries":2,)"
                        R"("provider":{"timeoutMs":1,"timeoutMs":2,"maxRetries":0}})"));
}

// Of 15 digits and more the last may be another one. RapidJSON's full precision would keep it, but
// shifts by 64 bits on the second of these and makes 0 of it.
TEST(GenerateSettings, KeepsNumbers) {
  EXPECT_THAT(settings(R"({"a":123456789.12345,"b":0.000003,"c":-7,"d":0.7})", old_pi),
              HasSubstr(R"("a":123456789.12345,"b":0.000003,"c":-7,"d":0.7)"));
  EXPECT_THAT(settings(R"({"a":18446744073709551615.5})", old_pi),
              HasSubstr(R"("a":1844674407370955)"));
}

TEST(GenerateSettings, OfABrokenFileNothingIsTaken) {
  const std::string deep(100'000, '[');
  const std::string cases[] = {"",         "{",
                               "[]",       "null",
                               "\"x\"",    "{\"a\":",
                               "{} {}",    "{\"a\":\xff}",
                               deep,       "{\"a\":" + deep,
                               "// c\n{}", std::string(2u << 20, ' ')};
  for (const std::string& text : cases) {
    const auto made = generate_settings(text, new_pi, PiMode::json);
    EXPECT_EQ(without_space(made.text), ours_new) << text.substr(0, 20);
    ASSERT_THAT(made.warnings, SizeIs(1)) << text.substr(0, 20);
    EXPECT_THAT(made.warnings.front(), HasSubstr("pi's defaults are used"));
  }
  EXPECT_THAT(generate_settings(R"({"a":"[[[{\"[{"})", new_pi, PiMode::json).warnings, IsEmpty());
}

TEST(GenerateSettings, EveryPrefixOfATextGivesSettings) {
  constexpr std::string_view text = R"({"a":"\u00e4[","compaction":{"enabled":true},"b":[1.5e3]})";
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_THAT(generate_settings(text.substr(0, size), old_pi, PiMode::json).warnings, SizeIs(1));
  EXPECT_THAT(generate_settings(text, old_pi, PiMode::json).warnings, IsEmpty());
}

TEST(DefaultProvider, IsReadFromSettings) {
  EXPECT_EQ(default_provider(R"({"defaultProvider":"x","defaultProvider":"openai"})"), "openai");
  for (const std::string_view text :
       {"", "{}", R"({"defaultProvider":3})", "[]", R"({"defaultProvider":""})"})
    EXPECT_EQ(default_provider(text), std::nullopt) << text;
}

TEST(CustomProviders, NameTheirVariablesInEitherSpelling) {
  const auto found = custom_providers(R"({"providers":{
      "stub":{"apiKey":"stub-key"},
      "acme":{"apiKey":"ACME_KEY","headers":{"X-A":"Bearer ${ACME_TOKEN}","X-B":"$a_b/$$NOT/$!NO",
              "X-C":"${open","X-D":"$","X-E":7},
              "models":[{"id":"m","headers":{"Y":"$PER_MODEL"}},3],
              "modelOverrides":{"z":{"headers":{"Q":"$OVERRIDE"}}}},
      "shell":{"apiKey":"!echo $SECRET"},
      "odd":[]}})");
  EXPECT_THAT(
      found,
      ElementsAre(
          CustomProvider{"acme", {"ACME_KEY", "ACME_TOKEN", "OVERRIDE", "PER_MODEL", "a_b"}},
          CustomProvider{"odd", {}}, CustomProvider{"shell", {}}, CustomProvider{"stub", {}}));
}

TEST(CustomProviders, AreNoneInATextThatIsNotTheirs) {
  for (const std::string_view text : {"", "{}", "[]", R"({"providers":[]})", "{\"providers\":"})
    EXPECT_THAT(custom_providers(text), IsEmpty()) << text;
}

}  // namespace
}  // namespace pievt::launch
