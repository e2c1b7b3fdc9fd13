// Which names a child gets, and that no value ever shows in a message.
#include "supervisor/launch/environment.h"

#include <algorithm>

#include <gmock/gmock.h>

#include "supervisor/launch/provider_keys.h"

namespace pievt::launch {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;

EnvironmentRequest request(std::optional<std::string> provider) {
  EnvironmentRequest out;
  out.provider = std::move(provider);
  out.agent_directory = "/a/agent";
  out.temporary_directory = "/a/tmp";
  out.attempt = "attempt-1";
  return out;
}

std::string value_of(const ChildEnvironment& environment, std::string_view name) {
  const auto found = std::ranges::find(environment.variables, name, &process::Variable::name);
  return found == environment.variables.end() ? "(absent)" : found->value;
}

TEST(SelectEnvironment, PassesTheListTheKeysOfTheProviderAndOurs) {
  const std::vector<process::Variable> parent{
      {"PATH", "/bin"},         {"HOME", "/h"},
      {"LC_ALL", "C"},          {"https_proxy", "p"},
      {"EDITOR", "vi"},         {"ANTHROPIC_API_KEY", "a"},
      {"OPENAI_API_KEY", "o"},  {"LD_PRELOAD", "x.so"},
      {"NODE_OPTIONS", "-r x"}, {"PI_CODING_AGENT_DIR", "/users"},
      {"TMPDIR", "/t"},         {"PIEVT_ATTEMPT", "outer"},
      {"PATH", "/second"},      {"SSH_AUTH_SOCK", "s"}};
  const auto made = select_environment(parent, request("anthropic"));
  ASSERT_TRUE(made.ok());
  EXPECT_THAT(made->passed,
              ElementsAre("ANTHROPIC_API_KEY", "HOME", "LC_ALL", "PATH", "PIEVT_ATTEMPT",
                          "PI_CODING_AGENT_DIR", "PI_OFFLINE", "PI_SKIP_VERSION_CHECK",
                          "PI_TELEMETRY", "TMPDIR", "https_proxy"));
  EXPECT_THAT(made->withheld, ElementsAre("EDITOR", "LD_PRELOAD", "NODE_OPTIONS", "OPENAI_API_KEY",
                                          "SSH_AUTH_SOCK"));
  EXPECT_EQ(value_of(*made, "PATH"), "/bin");
  EXPECT_EQ(value_of(*made, "PI_CODING_AGENT_DIR"), "/a/agent");
  EXPECT_EQ(value_of(*made, "TMPDIR"), "/a/tmp");
  EXPECT_EQ(value_of(*made, "PIEVT_ATTEMPT"), "attempt-1");
  EXPECT_EQ(value_of(*made, "PI_OFFLINE"), "1");
  EXPECT_EQ(value_of(*made, "PI_TELEMETRY"), "0");
  EXPECT_EQ(value_of(*made, "PI_SKIP_VERSION_CHECK"), "1");
}

TEST(SelectEnvironment, AnEmptyParentStillFindsPrograms) {
  const auto made = select_environment({}, request("anthropic"));
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(value_of(*made, "PATH"), "/usr/local/bin:/usr/bin:/bin");
  EXPECT_THAT(made->withheld, IsEmpty());
}

TEST(SelectEnvironment, KeysDependOnTheProvider) {
  const std::vector<process::Variable> parent{{"ANTHROPIC_API_KEY", "1"}, {"GEMINI_API_KEY", "2"},
                                              {"ACME_API_KEY", "3"},      {"ACME_TOKEN", "4"},
                                              {"LD_AUDIT", "5"},          {"NODE_OPTIONS", "6"}};
  EnvironmentRequest asked = request(std::nullopt);
  asked.custom = {{"acme", {"ACME_TOKEN", "LD_AUDIT", "NODE_OPTIONS"}}};
  const struct {
    std::optional<std::string> provider;
    std::vector<std::string> keys;
  } cases[] = {
      {"anthropic", {"ANTHROPIC_API_KEY"}},
      {"Google", {"GEMINI_API_KEY"}},
      {"acme", {"ACME_API_KEY", "ACME_TOKEN"}},
      {"unheard-of", {}},
      {"../strange name", {}},
      {std::nullopt, {"ACME_API_KEY", "ACME_TOKEN", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"}},
  };
  for (const auto& each : cases) {
    asked.provider = each.provider;
    const auto made = select_environment(parent, asked);
    ASSERT_TRUE(made.ok());
    std::vector<std::string> keys;
    for (const auto& entry : parent)
      if (std::ranges::find(made->passed, entry.name) != made->passed.end())
        keys.push_back(entry.name);
    std::ranges::sort(keys);
    EXPECT_EQ(keys, each.keys) << each.provider.value_or("(none)");
  }
}

TEST(SelectEnvironment, TheUserAddsAndTakesAway) {
  const std::vector<process::Variable> parent{
      {"HOME", "/h"},          {"JAVA_HOME", "/j"}, {"TZ", "UTC"},  {"PATH", "/bin"},
      {"OPENAI_API_KEY", "o"}, {"LD_PRELOAD", "x"}, {"LC_ALL", "C"}, {"ANTHROPIC_API_KEY", "a"}};
  EnvironmentRequest asked = request("anthropic");
  asked.allow = {"JAVA_HOME", "OPENAI_API_KEY", "LD_PRELOAD", "ABSENT"};
  asked.deny = {"TZ", "LC_ALL", "PATH", "PIEVT_ATTEMPT", "HOME"};
  asked.job = {{"HOME", "/job"}};
  const auto made = select_environment(parent, asked);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(value_of(*made, "JAVA_HOME"), "/j");
  EXPECT_EQ(value_of(*made, "HOME"), "/job") << "a job's own entry is stronger";
  EXPECT_EQ(value_of(*made, "PATH"), "/bin") << "nothing runs without one";
  EXPECT_EQ(value_of(*made, "PIEVT_ATTEMPT"), "attempt-1");
  EXPECT_EQ(value_of(*made, "ANTHROPIC_API_KEY"), "a");
  EXPECT_THAT(made->withheld, ElementsAre("LC_ALL", "LD_PRELOAD", "OPENAI_API_KEY", "TZ"));
}

TEST(SelectEnvironment, WhatEveryAttemptGetsHasNobodysKeys) {
  const auto made = select_environment({{"ANTHROPIC_API_KEY", "a"}, {"HOME", "/h"}}, request(""));
  ASSERT_TRUE(made.ok());
  EXPECT_THAT(made->withheld, ElementsAre("ANTHROPIC_API_KEY"));
}

TEST(SelectEnvironment, TheJobsEntriesWin) {
  EnvironmentRequest asked = request("openai");
  asked.job = {{"HOME", "/job"}, {"EMPTY", ""}, {"OPENAI_API_KEY", "job"}};
  const auto made = select_environment({{"HOME", "/h"}, {"OPENAI_API_KEY", "p"}}, asked);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(value_of(*made, "HOME"), "/job");
  EXPECT_EQ(value_of(*made, "EMPTY"), "");
  EXPECT_EQ(value_of(*made, "OPENAI_API_KEY"), "job");
}

TEST(SelectEnvironment, RefusesWhatAJobMayNotSet) {
  using namespace std::string_literals;
  const process::Variable cases[] = {
      {"LD_PRELOAD", "secret"},    {"NODE_OPTIONS", "secret"},
      {"PIEVT_ATTEMPT", "secret"}, {"TMPDIR", "secret"},
      {"PI_OFFLINE", "secret"},    {"", "secret"},
      {"A=B", "secret"},           {"A\0B"s, "secret"},
      {"A", "secret\0"s},          {"PI_CODING_AGENT_DIR", "secret"}};
  for (const auto& entry : cases) {
    EnvironmentRequest asked = request("openai");
    asked.job = {entry};
    const auto made = select_environment({}, asked);
    ASSERT_FALSE(made.ok()) << entry.name;
    EXPECT_EQ(made.error().code, Errc::invalid);
    EXPECT_THAT(made.error().what, Not(HasSubstr("secret")));
    EXPECT_THAT(made.error().what, HasSubstr("\"env\""));
  }
  EnvironmentRequest twice = request("openai");
  twice.job = {{"A", "1"}, {"A", "2"}};
  EXPECT_FALSE(select_environment({}, twice).ok());
}

TEST(ReadEnvironment, TakesEntriesThatHaveAName) {
  const char* const entries[] = {"A=1", "B=x=y", "C=", "=odd", "nothing", nullptr};
  std::string text;
  for (const auto& [name, value] : read_environment(entries)) text += name + ":" + value + " ";
  EXPECT_EQ(text, "A:1 B:x=y C: ");
  EXPECT_THAT(read_environment(nullptr), IsEmpty());
}

TEST(ProviderOfModel, IsAKnownNameBeforeTheFirstSlash) {
  const std::vector<CustomProvider> custom{{"Stub", {}}};
  const struct {
    std::string_view model;
    std::optional<std::string> provider;
  } cases[] = {{"anthropic/claude", "anthropic"},
               {"OpenRouter/meta/llama", "openrouter"},
               {"stub/text", "stub"},
               {"meta-llama/llama-3", std::nullopt},
               {"sonnet", std::nullopt},
               {"/x", std::nullopt},
               {"", std::nullopt}};
  for (const auto& each : cases)
    EXPECT_EQ(provider_of_model(each.model, custom), each.provider) << each.model;
}

TEST(KeyVariables, KnowWhatBelongsTogether) {
  EXPECT_THAT(key_variables("amazon-bedrock", {}),
              IsSupersetOf({"AWS_PROFILE", "AWS_REGION", "AWS_SECRET_ACCESS_KEY"}));
  EXPECT_THAT(key_variables("moonshotai-cn", {}), Contains("MOONSHOT_API_KEY"));
  EXPECT_THAT(key_variables("my-own.host", {}), ElementsAre("MY_OWN_HOST_API_KEY"));
  for (const ProviderKeys& each : known_providers())
    EXPECT_TRUE(std::ranges::is_sorted(each.variables)) << each.provider;
}

}  // namespace
}  // namespace pievt::launch
