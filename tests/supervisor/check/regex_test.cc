// What a pattern means: JavaScript's answer for each row, as Node gives it for RegExp(pattern,
// "m").
#include "supervisor/check/regex.h"

#include <gmock/gmock.h>

#include "supervisor/check/js_pattern.h"

namespace pievt::acceptance {
namespace {

using std::chrono::steady_clock;
using ::testing::HasSubstr;

constexpr std::string_view none = "(none)";

std::string answer(std::string_view pattern, std::string_view text) {
  const auto regex = Regex::compile(pattern);
  if (!regex.ok()) return "invalid";
  const Search search = regex->search(text, steady_clock::now() + std::chrono::seconds(5));
  if (search.found == Found::undecided) return search.reason;
  if (search.found == Found::no) return std::string(none);
  return std::string(text.substr(search.begin, search.end - search.begin));
}

TEST(Regex, MeansWhatJavaScriptMeans) {
  struct Row {
    std::string_view pattern, text, found;
  };
  const Row rows[] = {
      {"b+", "abbc", "bb"},
      {"^b$", "a\nb\nc", "b"},
      {"^b$", "a\r\nb\r\nc", "b"},
      {"^b$", "a\u2028b\u2029c", "b"},
      {"^b", "a\vb", none},
      {"^b", "a\u0085b", none},
      {"a.c", "a\vc", "a\vc"},
      {"a.c", "a\nc", none},
      {"a.c", "a\rc", none},
      {"a.c", "a\u2028c", none},
      {"(?s)a.c", "a\nc", "a\nc"},
      {"(?i)later", "LATER", "LATER"},
      {"(?IM)todo", "ToDo", "ToDo"},
      {"\\s", "a\u00a0b", "\u00a0"},
      {"[\\s]", "\ufeff", "\ufeff"},
      {"[\\S]+", "\u3000ab\u2003", "ab"},
      {"\\S+", " \u1680x ", "x"},
      {"\\d+", "\u0663 12", "12"},
      {"\\w+", "\u00e9t\u00e9", "t"},
      {"\\v", "\n", none},
      {"\\v", "\v", "\v"},
      {"\\A", "xA", "A"},
      {"\\h\\R\\Q\\e\\a", "hRQea", "hRQea"},
      {"[\\b]", "a\bc", "\b"},
      {"\\cJ", "a\nb", "\n"},
      {"\\x41\\u0042\\x", "xABx", "ABx"},
      {"\\ud83d\\ude00", "a\U0001f600", "\U0001f600"},
      {"(?u)\\u{1f600}", "\U0001f600", "\U0001f600"},
      {"\\u{2}", "uu", "uu"},
      {"\\p{2}", "pp", "pp"},
      {"(?u)\\p{Lu}", "aB", "B"},
      {"[]", "a", none},
      {"[^]", "\n", "\n"},
      {"[[:alpha:]+", "x:[:p", ":[:p"},
      {"a{,2}", "a{,2}", "a{,2}"},
      {"a{2,}?", "aaa", "aa"},
      {"{", "x{", "{"},
      {"]", "x]", "]"},
      {"a]", "xa]", "a]"},
      {"(a)|b\\1c", "bc", "bc"},
      {"(?<n>.)\\k<n>", "xabb", "bb"},
      {"\\k", "k", "k"},
      {"(?<=\\$)\\d+", "a 1 $22", "22"},
      {"(?<!a)b", "ab b", "b"},
      {"x(?=y)", "xz xy", "x"},
      {"\\0", std::string_view("a\0b", 3), std::string_view("\0", 1)},
      {"a#b c", "a#b c", "a#b c"},
      {"\\/", "a/b", "/"},
      // What JavaScript refuses, or we do.
      {"[", "", "invalid"},
      {"(", "", "invalid"},
      {")", "", "invalid"},
      {"a++", "aa", "invalid"},
      {"a**", "aa", "invalid"},
      {"*a", "a", "invalid"},
      {"^*", "a", "invalid"},
      {"(?>a)", "a", "invalid"},
      {"(?#a)", "a", "invalid"},
      {"(*FAIL)", "a", "invalid"},
      {"(?P<n>a)", "a", "invalid"},
      {"(?|a)", "a", "invalid"},
      {"(?R)", "a", "invalid"},
      {"\\", "a", "invalid"},
      {"[b-a]", "a", "invalid"},
      {"a{3,2}", "aaa", "invalid"},
      {"\\1", "a", "invalid"},
      {"\\ud83d", "a", "invalid"},
      {"(a{1000}){1000}{1000}", "a", "invalid"},
  };
  for (const Row& row : rows) EXPECT_EQ(answer(row.pattern, row.text), row.found) << row.pattern;
}

TEST(Regex, BytesThatAreNotTextMatchNothing) {
  EXPECT_EQ(answer("a.b",
                   "a\xff"
                   "b"),
            none);
  EXPECT_EQ(answer("b",
                   "a\xff"
                   "b"),
            "b");
}

TEST(Regex, APatternThatRunsAwayIsUndecidedAndSoon) {
  const std::string as(40, 'a'), many(1 << 20, 'a');
  struct Row {
    std::string_view pattern;
    std::string_view text;
  };
  const Row rows[] = {{"^(a+)+$", as},       {"(a|a)*b", as},          {"(.*)*x", many},
                      {"a*a*a*a*a*b", many}, {"(?:a?){60}a{60}b", as}, {"[^x]*y", many}};
  for (const Row& row : rows) {
    const std::string text = std::string(row.text) + "!";
    const auto regex = Regex::compile(row.pattern);
    ASSERT_TRUE(regex.ok()) << row.pattern;
    const auto begin = steady_clock::now();
    const Search search = regex->search(text, begin + std::chrono::hours(1));
    // Half a minute would be a hang; the bound itself is a quarter of a second.
    EXPECT_LT(steady_clock::now() - begin, std::chrono::seconds(10)) << row.pattern;
    EXPECT_NE(search.found, Found::yes) << row.pattern;
    if (search.found == Found::undecided) {
      EXPECT_THAT(search.reason, HasSubstr("undecided"));
    }
  }
  EXPECT_THAT(answer("^(a+)+$", as + "!"), HasSubstr("it took"));
}

TEST(Regex, ADeadlineThatHasPassedDecidesNothing) {
  const auto regex = Regex::compile("(a|b)+c");
  ASSERT_TRUE(regex.ok());
  const Search search = regex->search("ababababc", steady_clock::now() - std::chrono::seconds(1));
  EXPECT_EQ(search.found, Found::undecided);
}

TEST(JsPattern, SaysWhereItStopsBeingOne) {
  const auto bad = translate("abc++");
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().what, "nothing to repeat at byte 4");
}

}  // namespace
}  // namespace pievt::acceptance
