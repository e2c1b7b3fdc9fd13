// The laws of an edit script, asked of all small sequences: it leads from a to b, and what it calls
// the same is the same.
#include "tools/verbs/sequence_diff.h"

#include <gtest/gtest.h>

namespace pievt::tools {
namespace {

using Keys = std::vector<std::uint64_t>;

void expect_laws(const Keys& a, const Keys& b) {
  std::size_t at_a = 0, at_b = 0, same = 0;
  const auto edits = align(a, b);
  for (std::size_t i = 0; i < edits.size(); ++i) {
    const Edit& edit = edits[i];
    ASSERT_GT(edit.count, 0u);
    ASSERT_EQ(edit.a, at_a);
    ASSERT_EQ(edit.b, at_b);
    if (i > 0) {
      ASSERT_NE(edit.kind, edits[i - 1].kind);
    }
    if (edit.kind == Edit::Kind::same) {
      for (std::size_t j = 0; j < edit.count; ++j) ASSERT_EQ(a[edit.a + j], b[edit.b + j]);
      same += edit.count;
    }
    if (edit.kind != Edit::Kind::added) at_a += edit.count;
    if (edit.kind != Edit::Kind::removed) at_b += edit.count;
  }
  ASSERT_EQ(at_a, a.size());
  ASSERT_EQ(at_b, b.size());
  if (a == b) {
    ASSERT_EQ(same, a.size());
  }
}

Keys digits(std::uint64_t number, std::size_t size, std::uint64_t base) {
  Keys keys;
  for (std::size_t i = 0; i < size; ++i, number /= base) keys.push_back(number % base);
  return keys;
}

TEST(Align, LeadsFromAToBForAllSmallSequences) {
  constexpr std::size_t size_max = 5;
  for (std::size_t size_a = 0; size_a <= size_max; ++size_a)
    for (std::size_t size_b = 0; size_b <= size_max; ++size_b)
      for (std::uint64_t a = 0; a < (1u << size_a); ++a)
        for (std::uint64_t b = 0; b < (1u << size_b); ++b)
          ASSERT_NO_FATAL_FAILURE(expect_laws(digits(a, size_a, 2), digits(b, size_b, 2)));
}

TEST(Align, FindsOneInsertionAmongMany) {
  Keys a;
  for (std::uint64_t i = 0; i < 100'000; ++i) a.push_back(i % 7);
  Keys b = a;
  b.insert(b.begin() + 50'000, 99);
  ASSERT_NO_FATAL_FAILURE(expect_laws(a, b));
  const auto edits = align(a, b);
  ASSERT_EQ(edits.size(), 3u);
  EXPECT_EQ(edits[1].kind, Edit::Kind::added);
  EXPECT_EQ(edits[1].count, 1u);
}

TEST(Align, GivesUpOnWhatHasNothingInCommon) {
  Keys a, b;
  for (std::uint64_t i = 0; i < 200'000; ++i) {
    a.push_back(i % 3);
    b.push_back(10 + i % 3);
  }
  const auto edits = align(a, b);
  ASSERT_EQ(edits.size(), 2u);
  EXPECT_EQ(edits[0].kind, Edit::Kind::removed);
}

TEST(Align, IsAShortestScriptWhereItIsCheap) {
  const Keys a = {1, 2, 3, 1, 2, 2, 1}, b = {3, 2, 1, 2, 1, 3};
  std::size_t changes = 0;
  for (const Edit& edit : align(a, b)) changes += edit.kind == Edit::Kind::same ? 0 : edit.count;
  EXPECT_EQ(changes, 5u);  // as in Myers' paper
}

TEST(TextDifference, IsUnified) {
  const auto lines = text_difference("a\nb\nc\nd\ne\nf\ng\n", "a\nb\nc\nd\nX\nf\ng\n", 1);
  const std::vector<std::string> expected = {"@@ -4 +4 @@", " d", "-e", "+X", " f"};
  EXPECT_EQ(lines, expected);
  EXPECT_TRUE(text_difference("same\n", "same\n").empty());
  EXPECT_FALSE(text_difference("same\n", "same").empty());
}

}  // namespace
}  // namespace pievt::tools
