#include "tools/frame/parse.h"

#include <array>

#include <gmock/gmock.h>

namespace pievt::tools {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Words = std::vector<std::string>;

constexpr std::array known_options = {
    argument("run", "which run").required(),
    argument("job", "which jobs").repeatable(),
    flag("--follow", "go on").with_letter('f'),
    value("--type", "TYPE", "only this type").repeatable(),
    value("--name", "NAME", "a name").with_letter('n'),
    number("--limit", "N", "at most"),
    duration("--timeout", "give up"),
    choice("--sort", "time|cost", "order"),
};

Result<Arguments> read(const Words& words) {
  return parse(known_options, words);
}

std::string refusal(const Words& words) {
  const auto parsed = read(words);
  EXPECT_FALSE(parsed.ok());
  if (parsed.ok()) return "";
  EXPECT_EQ(parsed.error().code, Errc::invalid);
  return parsed.error().what;
}

TEST(Parse, FlagsAndArgumentsInAnyOrder) {
  const auto parsed = read(
      {"last", "--type", "A", "-f", "j1", "--type=B", "--limit", "5", "j2", "--timeout", "1m"});
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->text("run"), "last");
  EXPECT_THAT(parsed->all("job"), ElementsAre("j1", "j2"));
  EXPECT_THAT(parsed->all("--type"), ElementsAre("A", "B"));
  EXPECT_TRUE(parsed->has("--follow"));
  EXPECT_EQ(parsed->number("--limit"), 5u);
  EXPECT_EQ(parsed->duration_ns("--timeout"), 60'000'000'000);
  EXPECT_FALSE(parsed->has("--sort"));
  EXPECT_EQ(parsed->text("--name"), std::nullopt);
  EXPECT_EQ(parsed->text_or("--name", "nobody"), "nobody");
}

TEST(Parse, LettersClusterAndTakeGluedValues) {
  const auto parsed = read({"-qfnbob", "last", "-ojson"});
  ASSERT_TRUE(parsed.ok());
  EXPECT_TRUE(parsed->has("--quiet"));
  EXPECT_TRUE(parsed->has("--follow"));
  EXPECT_EQ(parsed->text("--name"), "bob");
  EXPECT_EQ(parsed->text("--output"), "json");
}

TEST(Parse, ValuesAreTakenAsTheyAre) {
  const auto parsed = read(
      {"[a,b]", "", "--name", "[x,y]", "--type", "-5", "--type", "a=b c", "--", "--follow", "-x"});
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->text("run"), "[a,b]");
  EXPECT_THAT(parsed->all("job"), ElementsAre("", "--follow", "-x"));
  EXPECT_EQ(parsed->text("--name"), "[x,y]");
  EXPECT_THAT(parsed->all("--type"), ElementsAre("-5", "a=b c"));
  EXPECT_FALSE(parsed->has("--follow"));
}

TEST(Parse, AFlagTwiceIsTheSameFlag) {
  EXPECT_THAT(read({"r", "-f", "--follow"})->all("--follow").size(), 1u);
}

TEST(Parse, RefusesWithAReason) {
  EXPECT_EQ(refusal({}), "missing argument run: which run");
  EXPECT_EQ(refusal({"r", "--folow"}), "unknown flag \"--folow\" (did you mean \"--follow\"?)");
  EXPECT_EQ(refusal({"r", "-z"}), "unknown flag \"-z\"");
  EXPECT_EQ(refusal({"r", "--name=a", "-n", "b"}), "--name is given twice: \"a\" and \"b\"");
  EXPECT_EQ(refusal({"r", "--limit", "many"}), "--limit takes a whole number, not \"many\"");
  EXPECT_EQ(refusal({"r", "--limit", "-1"}), "--limit takes a whole number, not \"-1\"");
  EXPECT_EQ(refusal({"r", "--limit", "99999999999999999999"}),
            "--limit takes a whole number, not \"99999999999999999999\"");
  EXPECT_EQ(refusal({"r", "--sort", "tiem"}),
            "--sort is one of time, cost, not \"tiem\" (did you mean \"time\"?)");
  EXPECT_THAT(refusal({"r", "--timeout", "soon"}),
              HasSubstr("--timeout: \"soon\" is not a duration"));
  EXPECT_EQ(refusal({"r", "--follow=yes"}), "--follow takes no value");
  EXPECT_EQ(refusal({"r", "--name"}), "--name needs a value (NAME)");
  EXPECT_EQ(refusal({"r", "-fn"}), "--name needs a value (NAME)");
  EXPECT_EQ(refusal({"r", "--name="}), "--name needs a value (NAME)");
  EXPECT_EQ(refusal({"r", "--name", "--follow"}), "--name needs a value (NAME)");
}

TEST(Parse, ASurplusArgumentIsRefused) {
  const Words words = {"one"};
  EXPECT_EQ(parse({}, words).error().what, "unexpected argument \"one\"");
}

TEST(Parse, NoLineOfOddWordsCrashes) {
  const std::array<std::string, 14> odd = {
      "",  "-",  "--",     "---", "--=",  "-=",          "=",
      "%", "++", "--name", "-n",  "\xff", "--\xff=\x01", "-f="};
  for (const auto& a : odd) {
    for (const auto& b : odd) {
      for (const auto& c : odd) {
        const auto parsed = read({a, b, c});
        EXPECT_TRUE(parsed.ok() || !parsed.error().what.empty());
      }
    }
  }
}

TEST(SplitVerb, IsTheFirstWordThatIsNoFlagAndNoValue) {
  const auto verb = [](const Words& words) { return split_verb(words).verb; };
  EXPECT_EQ(verb({"show", "last"}), "show");
  EXPECT_EQ(verb({"--store", "show", "log"}), "log");
  EXPECT_EQ(verb({"--store=x", "-q", "log"}), "log");
  EXPECT_EQ(verb({"-qo", "json", "log"}), "log");
  EXPECT_EQ(verb({"-ojson", "log"}), "log");
  EXPECT_EQ(verb({"--utc"}), "");
  EXPECT_EQ(verb({"--", "show"}), "");
  EXPECT_EQ(verb({}), "");
  EXPECT_THAT(split_verb(Words{"-q", "log", "-f", "x"}).words, ElementsAre("-q", "-f", "x"));
  EXPECT_THAT(split_verb(Words{"log"}).words, IsEmpty());
}

TEST(AsksForHelp, OnlyBeforeTheMark) {
  EXPECT_TRUE(asks_for_help(Words{"--nonsense", "--help"}));
  EXPECT_TRUE(asks_for_help(Words{"-h"}));
  EXPECT_FALSE(asks_for_help(Words{"--", "--help"}));
}

}  // namespace
}  // namespace pievt::tools
