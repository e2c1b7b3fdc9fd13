// Laws over the table of verbs: a new row is covered without a new test.
#include "tools/verbs.h"

#include <algorithm>
#include <set>
#include <utility>

#include <gmock/gmock.h>

#include "tools/frame/globals.h"
#include "tools/frame/parse.h"
#include "tools/frame/words.h"

namespace pievt::tools {
namespace {

// Shell scripts are written with these names unquoted.
bool plain_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

class EveryVerb : public testing::TestWithParam<Verb> {};

TEST_P(EveryVerb, HasARowThatReadsWell) {
  const Verb& verb = GetParam();
  EXPECT_TRUE(plain_word(verb.name));
  EXPECT_LE(verb.summary.size(), 66u) << "one line of the overview";
  EXPECT_FALSE(verb.summary.empty());
  EXPECT_FALSE(verb.summary.ends_with('.'));
  EXPECT_NE(verb.run, nullptr);
  EXPECT_EQ(find_verb(all_tables(), verb.name)->name, verb.name);
}

TEST_P(EveryVerb, HasFlagsThatFitTogetherWithTheGlobalOnes) {
  const Verb& verb = GetParam();
  std::set<std::string_view> names;
  std::set<char> letters;
  std::vector<Option> rows(verb.manual().options.begin(), verb.manual().options.end());
  // A verb's own row may stand for a global one.
  for (const Option& global : global_options()) {
    if (std::ranges::find(verb.manual().options, global.name, &Option::name) ==
        verb.manual().options.end())
      rows.push_back(global);
  }
  for (const Option& row : rows) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name << " is there twice";
    EXPECT_TRUE(row.letter == '\0' || letters.insert(row.letter).second)
        << row.letter << " is there twice";
    EXPECT_EQ(row.name.starts_with("--"), row.place == Place::flag) << row.name;
    EXPECT_TRUE(plain_word(row.name)) << row.name;
    EXPECT_FALSE(row.help.empty()) << row.name;
    EXPECT_FALSE(row.help.ends_with('.')) << row.name;
    if (row.kind == Kind::choice) {
      for (const std::string_view word : split(row.placeholder, '|'))
        EXPECT_TRUE(plain_word(word)) << word;
    }
    const bool takes_value = row.place == Place::flag && row.kind != Kind::flag;
    EXPECT_FALSE(takes_value && row.placeholder.empty()) << row.name;
  }
}

TEST_P(EveryVerb, TakesRequiredArgumentsFirstAndManyLast) {
  bool optional_before = false;
  bool many_before = false;
  for (const Option& row : GetParam().manual().options) {
    if (row.place != Place::argument) continue;
    EXPECT_FALSE(many_before) << row.name << " comes after an argument that takes all";
    EXPECT_FALSE(optional_before && row.need == Need::required)
        << row.name << " is required after an optional one";
    optional_before = optional_before || row.need == Need::optional;
    many_before = many_before || row.times == Times::many;
  }
}

// What stands between the verb and a pipe or redirection, as words; quotes are single ones.
std::vector<std::string> words_of(std::string_view command, std::string_view verb) {
  std::vector<std::string> words;
  const std::size_t begin = command.find(std::string("pievt ").append(verb));
  if (begin == std::string_view::npos) return words;
  std::string word;
  bool quoted = false;
  for (const char c : command.substr(begin + 6)) {
    if (c == '\'') {
      quoted = !quoted;
    } else if (quoted || std::string_view(" |>)").find(c) == std::string_view::npos) {
      word += c;
    } else {
      if (!word.empty()) words.push_back(std::exchange(word, {}));
      if (c != ' ') return words;
    }
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

TEST_P(EveryVerb, HasTwoExamplesThatParse) {
  const Verb& verb = GetParam();
  for (const Example& example : verb.manual().examples) {
    EXPECT_FALSE(example.purpose.empty());
    const std::vector<std::string> words = words_of(example.command, verb.name);
    ASSERT_FALSE(words.empty()) << example.command;
    const SplitLine line = split_verb(words);
    EXPECT_EQ(line.verb, verb.name);
    const auto parsed = parse(verb.manual().options, line.words);
    EXPECT_TRUE(parsed.ok()) << example.command << ": " << (parsed.ok() ? "" : parsed.error().what);
  }
}

INSTANTIATE_TEST_SUITE_P(Table, EveryVerb,
                         testing::ValuesIn(all_tables().verbs.begin(), all_tables().verbs.end()),
                         [](const auto& param) {
                           std::string name(param.param.name);
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(Verbs, TheDailyOnesAreTwelve) {
  EXPECT_EQ(all_tables().daily.size(), 12u);
}

}  // namespace
}  // namespace pievt::tools
