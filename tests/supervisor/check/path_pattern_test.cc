#include "supervisor/check/path_pattern.h"

#include <gtest/gtest.h>

namespace pievt::acceptance {
namespace {

TEST(PathPattern, MeansWhatPiJobsMeans) {
  struct Row {
    const char *path, *pattern;
    bool matches;
  };
  const Row rows[] = {
      {"out/a.md", "out/a.md", true},
      {"out/a.md", "out/**", true},
      {"out/d/a.md", "out/**", true},
      {"out", "out/**", false},
      {"out/d/a.md", "out/*", false},
      {"out/a.md", "out/*.md", true},
      {"allowed/x", "allowed/", true},
      {"allowed", "allowed/", false},
      {"allowedness/x", "allowed/", false},
      {"x.md", "**/x.md", false},
      {"d/x.md", "**/x.md", true},
      {"src/a.ts", "src/**/a.ts", false},
      {"src/d/a.ts", "src/**/a.ts", true},
      {"a\\b", "a/b", true},
      {"a/b", "a\\b", true},
      {"a/b", "./a/b", false},
      {"A", "a", false},
      {"ab", "a?", false},
      {"a[b]", "a[b]", true},
      {"a.b", "a*b", true},
      {"a{b}c", "*{b}c", true},
      {"", "*", true},
      {"aaaaaaaaaaaaaaaaaaaaaaaaaaaab", "*a*a*a*a*a*a*a*a*a*c", false},
  };
  for (const Row& row : rows)
    EXPECT_EQ(matches(row.path, row.pattern), row.matches) << row.path << " " << row.pattern;
}

}  // namespace
}  // namespace pievt::acceptance
