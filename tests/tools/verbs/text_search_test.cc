// What `pievt grep` finds in a text, and that several windows of bodies are searched as one.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/store/log/harmed_texts.h"
#include "tools/verbs/body_search.h"

namespace pievt::tools {
namespace {

std::vector<std::size_t> places(std::string_view pattern, std::string_view text) {
  const TextPattern compiled =
      TextPattern::compile(pattern, PatternKind::fixed, LetterCase::matters).value();
  std::vector<std::size_t> found;
  for (auto match = compiled.find(text); match; match = compiled.find(text, match->begin + 1)) {
    EXPECT_EQ(text.substr(match->begin, match->end - match->begin), pattern);
    found.push_back(match->begin);
  }
  return found;
}

TEST(TextPatternTest, AFixedTextIsFoundWhereverItStands) {
  std::string text;
  for (int i = 0; i < 400; ++i) text += i % 3 == 0 ? "zzz the q " : "ex.y\nzq";
  for (const std::string_view pattern :
       {"z", "zq", "zzz", "the", " q e", "y\nzqe", "no such", "qqq", "ex.y\nzqex.y\nzqzzz", "e"}) {
    std::vector<std::size_t> expected;
    for (std::size_t at = text.find(pattern); at != text.npos; at = text.find(pattern, at + 1))
      expected.push_back(at);
    EXPECT_EQ(places(pattern, text), expected) << pattern;
  }
  EXPECT_TRUE(places("longer than the text", "short").empty());
  EXPECT_TRUE(places("x", "").empty());
}

TextPattern regex(std::string_view pattern) {
  return TextPattern::compile(pattern, PatternKind::regex, LetterCase::matters).value();
}

// What a body looks like to whoever takes it for one text.
TEST(TextPatternTest, ATextAmongOthersIsNotPassedOver) {
  using namespace std::string_view_literals;
  const std::string_view among = "\x05\0\0\0tides\0\0\0\xf0\0\0\0high water"sv;
  for (const std::string_view pattern :
       {"tides", "t.d", "(ti|mo)de?", "h\\w+ w", "[a-z]{5}", "^tides", "tides$", "^high", "r$",
        "\\Atides", "tides\\Z", "(?<![a-z])water", "(?<!.)tides", "s(?!.)", "s\\W*+$",
        "\\Btides|tides\\B|s\\b"})
    EXPECT_TRUE(regex(pattern).may_match_within(among)) << pattern;
  for (const std::string_view pattern : {"tidez", "ti{2}", "[A-Z]", "low|noon", "\\d\\d", "a\\.b"})
    EXPECT_FALSE(regex(pattern).may_match_within(among)) << pattern;
}

class BodySearchTest : public HarmedTextsTest {
 protected:
  // Appends an event that refers to each of the texts.
  void refer_to(const std::vector<std::string>& texts) {
    std::vector<NewEvent> events;
    for (const std::string& text : texts) {
      schema::FinalMessageObservedT message;
      message.text = std::make_unique<schema::BlobRef>(log().put_blob(text).value());
      events.push_back({std::move(message), {.job = 1, .attempt = 1}});
    }
    const auto done = log().append("run/r", Expected::any(), std::move(events));
    ASSERT_TRUE(done.ok()) << done.error().what;
  }

  struct Found {
    std::vector<std::pair<std::uint64_t, std::string>> lines;  ///< revision and field, line
    SearchTotals totals;
  };
  Found found(const TextPattern& pattern, std::size_t helpers = BodySearch::helpers_of_machine()) {
    EventNames names(log());
    Found all;
    BodySearch search(
        log(), pattern, names, 0,
        [&](const FoundText& found) {
          EXPECT_EQ(found.run, "run/r");
          EXPECT_EQ(found.type, "FinalMessageObserved");
          for (const FoundLine& line : found.lines)
            all.lines.emplace_back(
                found.revision, found.field + ":" + std::to_string(line.number) + ": " + line.text);
        },
        helpers);
    for (auto reader = log().read_stream("run/r", {1}); reader.next();)
      search.event(reader.event());
    search.finish();
    all.totals = search.totals();
    return all;
  }
};

TEST_F(BodySearchTest, AnyNumberOfThreadsFindsTheSame) {
  open();
  std::vector<std::string> texts;
  for (int i = 0; i < 5000; ++i)
    texts.push_back("number " + std::to_string(i % 4000) + (i % 50 == 0 ? "\nneedle" : ""));
  // Enough for several windows, some of it larger than what a thread takes at once.
  for (int i = 0; i < 24; ++i)
    texts.push_back(std::string(2u << 20, static_cast<char>('a' + i)) + "\nneedle in " +
                    std::to_string(i));
  refer_to(texts);
  harm(texts[100], Harm::take_out);
  harm(texts[5001], Harm::change);
  const TextPattern needle =
      TextPattern::compile("needle", PatternKind::fixed, LetterCase::matters).value();
  const Found alone = found(needle, 0);
  std::vector<std::pair<std::uint64_t, std::string>> expected;
  std::uint64_t missing = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (texts[i] == texts[100] || texts[i] == texts[5001]) {
      ++missing;
    } else if (const std::size_t at = texts[i].find("needle"); at != texts[i].npos) {
      expected.emplace_back(i + 1, "text:2: " + texts[i].substr(at));
    }
  }
  EXPECT_EQ(alone.lines, expected);
  EXPECT_EQ(alone.totals.bodies, texts.size());
  EXPECT_EQ(alone.totals.missing, missing);
  EXPECT_EQ(alone.totals.lines, expected.size());
  for (const std::size_t helpers : {std::size_t{1}, std::size_t{2}, std::size_t{7}}) {
    const Found many = found(needle, helpers);
    EXPECT_EQ(many.lines, expected) << helpers;
    EXPECT_EQ(many.totals.missing, missing) << helpers;
    EXPECT_EQ(many.totals.lines, expected.size()) << helpers;
  }
}

TEST_F(BodySearchTest, AnAnchorStandsAtTheEdgesOfAField) {
  open();
  schema::FinalMessageObservedT message;
  message.excerpt = "tide table\nhigh water";
  std::vector<NewEvent> events;
  events.push_back({std::move(message), {.job = 1, .attempt = 1}});
  ASSERT_TRUE(log().append("run/r", Expected::any(), std::move(events)).ok());
  using Lines = std::vector<std::pair<std::uint64_t, std::string>>;
  for (const std::string_view pattern : {"^tide", "\\Atide", "(?<![a-z])tide", "^t.*e$", "table$"})
    EXPECT_EQ(found(regex(pattern)).lines, (Lines{{1, "excerpt:1: tide table"}})) << pattern;
  for (const std::string_view pattern : {"^high", "water$", "water\\Z", "r(?!.)"})
    EXPECT_EQ(found(regex(pattern)).lines, (Lines{{1, "excerpt:2: high water"}})) << pattern;
  EXPECT_TRUE(found(regex("^table|^water|tide$")).lines.empty());
}

}  // namespace
}  // namespace pievt::tools
