// Zones against the patterns themselves: two overlap exactly when some path matches both.
#include "supervisor/lint/zones.h"

#include <random>

#include <gtest/gtest.h>

#include "supervisor/check/path_pattern.h"
#include "tests/store/seed.h"

namespace pievt::lint {
namespace {

TEST(Zones, OverlapIsAPathInCommon) {
  EXPECT_TRUE(overlap("out/", "out/a.md"));
  EXPECT_TRUE(overlap("out/**", "out/a/b"));
  EXPECT_TRUE(overlap("*.md", "a*"));
  EXPECT_TRUE(overlap("a/*/c", "a/b/*"));
  EXPECT_FALSE(overlap("out/*.md", "out/a/b.md"));
  EXPECT_FALSE(overlap("src/", "srcs/a"));
  EXPECT_FALSE(overlap("a", "b"));
  EXPECT_FALSE(overlap("*.md", "*.txt"));
}

// All short texts over a small alphabet are tried.
TEST(Zones, OverlapAgreesWithTrying) {
  std::vector<std::string> texts{""};
  for (std::size_t from = 0, length = 0; length < 5; ++length) {
    const std::size_t end = texts.size();
    for (; from < end; ++from)
      for (const char c : {'a', 'b', '/'}) texts.push_back(texts[from] + c);
  }
  for (const std::uint64_t seed : test::seeds(1)) {
    std::mt19937_64 dice(seed);
    const auto pattern = [&] {
      std::string made;
      for (std::uint64_t i = 1 + dice() % 4; i > 0; --i)
        made += std::string_view("aab/**")[dice() % 6];
      return made;
    };
    for (int i = 0; i < 400; ++i) {
      const std::string a = pattern(), b = pattern();
      bool common = false;
      for (const std::string& text : texts)
        common = common || (acceptance::matches(text, a) && acceptance::matches(text, b));
      // A common path can be longer than those that are tried; the other way round cannot be.
      if (common) {
        EXPECT_TRUE(overlap(a, b)) << a << " and " << b;
      }
      if (a.find('*') == a.npos && a.back() != '/') {
        EXPECT_EQ(overlap(a, b), acceptance::matches(a, b)) << a << " and " << b;
      }
    }
  }
}

TEST(Zones, PatternsThatMatchNothingSayWhy) {
  for (const char* pattern : {"./a", "../a", "a/../b", "a//b", "a/./b", "."})
    EXPECT_NE(cannot_match(pattern), "") << pattern;
  for (const char* pattern : {"a", "**/a", "/abs/a", "a..b", ".hidden", "out/"})
    EXPECT_EQ(cannot_match(pattern), "") << pattern;
}

}  // namespace
}  // namespace pievt::lint
