// Durations, ids, patterns, near names, and how text is shown.
#include <array>
#include <random>

#include <gtest/gtest.h>

#include "supervisor/plan/duration.h"
#include "supervisor/plan/glob.h"
#include "supervisor/plan/ids.h"
#include "supervisor/plan/text.h"

namespace pievt::plan {
namespace {

TEST(Duration, UnitsAddUp) {
  const std::pair<const char*, std::uint64_t> rows[] = {
      {"90s", 90'000}, {"20m", 1'200'000},  {"1h30m", 5'400'000},
      {"500ms", 500},  {"2d", 172'800'000}, {"1d2h3m4s5ms", 93'784'005},
      {"0s", 0},       {"01m", 60'000},     {"1m500ms", 60'500},
  };
  for (const auto& [text, ms] : rows) {
    const auto parsed = parse_duration_ms(text);
    ASSERT_TRUE(parsed.ok()) << text;
    EXPECT_EQ(*parsed, ms) << text;
  }
}

TEST(Duration, EverythingElseIsRefusedWithAnExample) {
  for (const char* text : {"", "20", "m", "20 m", "20min", "1.5h", "-1s", "30m1h", "1s1s", "1M",
                           "+1s", "99999999999999999999s", "1000000001d", "1s ", "s1"}) {
    const auto parsed = parse_duration_ms(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_NE(parsed.error().what.find("\"1h30m\""), std::string::npos) << text;
  }
}

TEST(Ids, OnlyOneHarmlessPathComponent) {
  for (const char* id : {"a", "0", "ch.01_x-y", "a..b", "A-"}) EXPECT_TRUE(is_safe_id(id)) << id;
  for (const char* id : {"", ".", "..", ".a", "-a", "_a", "a/b", "a b", "ä", "a\n", "a\\b", "a:b"})
    EXPECT_FALSE(is_safe_id(id)) << id;
  EXPECT_TRUE(is_safe_id(std::string(100, 'a')));
  EXPECT_FALSE(is_safe_id(std::string(101, 'a')));
}

TEST(Ids, AreMadeSafe) {
  EXPECT_EQ(made_safe("01 intro"), "01-intro");
  EXPECT_EQ(made_safe("../x"), "x");
  EXPECT_EQ(made_safe("Über uns!"), "ber-uns");
  EXPECT_EQ(made_safe("日本"), "file");
  EXPECT_EQ(made_safe(""), "file");
  EXPECT_EQ(made_safe(std::string(300, 'a')).size(), 100u);
  for (int c = 0; c < 256; ++c)
    EXPECT_TRUE(is_safe_id(made_safe(std::string(3, static_cast<char>(c)))));
}

TEST(Ids, AreGeneratedAsInPiJobs) {
  EXPECT_EQ(generated_id(1), "t001");
  EXPECT_EQ(generated_id(10'000), "t10000");
}

TEST(Glob, StarsStopAtSlashesUnlessThereAreTwo) {
  EXPECT_TRUE(glob_matches("lint-*", "lint-a"));
  EXPECT_TRUE(glob_matches("lint-*", "lint-"));
  EXPECT_FALSE(glob_matches("lint-*", "lint"));
  EXPECT_FALSE(glob_matches("*.md", "a/b.md"));
  EXPECT_TRUE(glob_matches("**.md", "a/b.md"));
  EXPECT_TRUE(glob_matches("a/**/c", "a/b/b/c"));
  EXPECT_TRUE(glob_matches("a?c", "abc"));
  EXPECT_FALSE(glob_matches("a?c", "a/c"));
  EXPECT_TRUE(glob_matches("[x]{y}", "[x]{y}"));
  EXPECT_TRUE(glob_matches("", ""));
  EXPECT_FALSE(glob_matches("", "a"));
  EXPECT_TRUE(glob_matches("***", "a/b"));
}

/// What the words of glob.h say, tried in every way.
bool matches_by_definition(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') {
    const bool two = pattern.starts_with("**");
    const std::string_view rest = pattern.substr(two ? 2 : 1);
    for (std::size_t taken = 0; taken <= text.size(); ++taken) {
      if (matches_by_definition(rest, text.substr(taken))) return true;
      if (taken < text.size() && text[taken] == '/' && !two) return false;
    }
    return false;
  }
  if (text.empty() || !(pattern[0] == text[0] || (pattern[0] == '?' && text[0] != '/')))
    return false;
  return matches_by_definition(pattern.substr(1), text.substr(1));
}

TEST(Glob, IsWhatItsDefinitionSays) {
  std::mt19937 random(3);
  const auto word = [&](std::string_view letters, std::size_t most) {
    std::string out;
    for (std::size_t n = random() % (most + 1); n > 0; --n)
      out += letters[random() % letters.size()];
    return out;
  };
  int matches = 0;
  for (int round = 0; round < 200'000; ++round) {
    const std::string pattern = word("ab/**?", 7);
    const std::string text = word("ab/", 7);
    const bool expected = matches_by_definition(pattern, text);
    ASSERT_EQ(glob_matches(pattern, text), expected) << pattern << " against " << text;
    matches += expected ? 1 : 0;
  }
  EXPECT_GT(matches, 10'000);
}

TEST(Glob, NoPatternTakesForEver) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  EXPECT_FALSE(glob_matches(pattern + "b", std::string(2'000, 'a')));
}

TEST(Nearest, FindsSlipsAndNothingFarther) {
  constexpr std::array<std::string_view, 4> names = {"prompt", "promptFile", "timeoutMs", "id"};
  EXPECT_EQ(nearest("promtp", names), "prompt");
  EXPECT_EQ(nearest("Prompt_File", names), "promptFile");
  EXPECT_EQ(nearest("timeout-ms", names), "timeoutMs");
  EXPECT_EQ(nearest("ID", names), "id");
  EXPECT_EQ(nearest("xy", names), "");
  EXPECT_EQ(nearest("", names), "");
  EXPECT_EQ(nearest("something", names), "");
  EXPECT_EQ(nearest(std::string(10'000, 'p'), names), "");
}

TEST(Text, ShownIsShortAndHarmless) {
  EXPECT_EQ(shown("a\"b\\c\n\x1b[31m"), "\"a\\\"b\\\\c\\n\\u001b[31m\"");
  EXPECT_EQ(shown("\xff"), "\"\\xff\"");
  const std::string cut = shown(std::string(61, 'x').append("ä"));
  EXPECT_LT(cut.size(), 80u);
  EXPECT_EQ(invalid_utf8_at(cut), std::string::npos);
}

TEST(Text, Utf8IsStrict) {
  EXPECT_EQ(invalid_utf8_at("aä€😀"), std::string::npos);
  EXPECT_EQ(invalid_utf8_at("a\xC0\x80"), 1u) << "overlong";
  EXPECT_EQ(invalid_utf8_at("\xE0\x80\x80"), 0u) << "overlong";
  EXPECT_EQ(invalid_utf8_at("\xED\xA0\x80"), 0u) << "surrogate";
  EXPECT_EQ(invalid_utf8_at("\xF4\x90\x80\x80"), 0u) << "past the last character";
  EXPECT_EQ(invalid_utf8_at("ab\xE2\x82"), 2u) << "cut";
}

TEST(Text, TrimsWhatJavaScriptTrims) {
  EXPECT_EQ(trimmed(" \t\xC2\xA0 a b\xE3\x80\x80\xEF\xBB\xBF\n"), "a b");
  EXPECT_TRUE(is_blank(" \xE2\x80\xA8"));
  EXPECT_FALSE(is_blank("\xE2\x80\x8B")) << "a zero width space is no white space";
}

}  // namespace
}  // namespace pievt::plan
