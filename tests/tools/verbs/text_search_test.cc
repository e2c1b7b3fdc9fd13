// What `pievt grep` finds in a text, and that several windows of bodies are searched as one.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/store/log/temp_store.h"
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

class BodySearchTest : public StoreTest {
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
};

TEST_F(BodySearchTest, FoundLinesComeInTheOrderOfTheEvents) {
  open();
  std::vector<std::string> texts;
  for (int i = 0; i < 5000; ++i)
    texts.push_back("number " + std::to_string(i % 4000) + (i % 50 == 0 ? "\nneedle" : ""));
  refer_to(texts);
  const TextPattern needle =
      TextPattern::compile("needle", PatternKind::fixed, LetterCase::matters).value();
  EventNames names(log());
  std::vector<std::uint64_t> revisions;
  BodySearch search(log(), needle, names, 0, [&](const FoundText& found) {
    EXPECT_EQ(found.field, "text");
    EXPECT_EQ(found.run, "run/r");
    ASSERT_EQ(found.lines.size(), 1u);
    EXPECT_EQ(found.lines[0].number, 2u);
    revisions.push_back(found.revision);
  });
  for (auto reader = log().read_stream("run/r", {1}); reader.next();) search.event(reader.event());
  search.finish();
  ASSERT_EQ(revisions.size(), 100u);
  for (std::size_t i = 0; i < revisions.size(); ++i) EXPECT_EQ(revisions[i], 50 * i + 1);
  EXPECT_EQ(search.totals().bodies, 5000u);
  EXPECT_EQ(search.totals().missing, 0u);
}

}  // namespace
}  // namespace pievt::tools
