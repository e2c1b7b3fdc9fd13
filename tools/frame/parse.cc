// The only file that includes CLI11. It is used for flags alone: its own handling of positionals
// would split
// "[a,b]" into a list, and its messages do not know our words. What it leaves over, in order, are
// the arguments and the unknown flags. It throws; exceptions end here.
#include "tools/frame/parse.h"

#include <algorithm>
#include <iterator>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "tools/frame/globals.h"
#include "tools/frame/nearest.h"

namespace pievt::tools {
namespace {

bool looks_like_flag(std::string_view word) {
  return word.size() > 1 && word[0] == '-' && !(word[1] >= '0' && word[1] <= '9');
}

std::string spellings(const Option& option) {
  return option.letter == '\0' ? std::string(option.name)
                               : fmt::format("-{},{}", option.letter, option.name);
}

// The row that a word names on its own ("--type", "-o"); nullptr for none.
const Option* row_of(std::span<const Option> rows, std::string_view word) {
  const auto fits = [&](const Option& row) {
    if (row.place != Place::flag) return false;
    return row.name == word || (word.size() == 2 && word[0] == '-' && word[1] == row.letter);
  };
  const auto found = std::ranges::find_if(rows, fits);
  return found == rows.end() ? nullptr : &*found;
}

// The row whose value is the next word, when `word` is a flag that ends without one ("-o", "-qo",
// "--store").
const Option* awaits_value(std::span<const Option> rows, std::string_view word) {
  if (word.starts_with("--")) {
    const Option* const row = row_of(rows, word);
    return row != nullptr && row->kind != Kind::flag ? row : nullptr;
  }
  if (!looks_like_flag(word)) return nullptr;
  for (std::size_t i = 1; i < word.size(); ++i) {
    const Option* const row = row_of(rows, std::string{'-', word[i]});
    if (row == nullptr) return nullptr;
    if (row->kind != Kind::flag) return i + 1 == word.size() ? row : nullptr;
  }
  return nullptr;
}

struct Divided {
  std::vector<std::string> flags;  // before "--"
  std::vector<std::string> plain;  // after it
};

Divided divide(std::span<const std::string> words) {
  const auto mark = std::ranges::find(words, "--");
  Divided divided{{words.begin(), mark}, {}};
  if (mark != words.end()) divided.plain.assign(mark + 1, words.end());
  return divided;
}

// Mistakes that CLI11 would take for something else: an empty `--at=` makes it eat the next word,
// and so does a forgotten value.
Status check_words(std::span<const Option> rows, std::span<const std::string> words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (const std::size_t equals = word.find('='); word.starts_with("--") && equals != word.npos) {
      const Option* const row = row_of(rows, word.substr(0, equals));
      if (row == nullptr) continue;
      if (row->kind == Kind::flag) {
        return Error{Errc::invalid, fmt::format("{} takes no value", row->name)};
      }
      if (equals + 1 == word.size()) {
        return Error{Errc::invalid,
                     fmt::format("{} needs a value ({})", row->name, row->placeholder)};
      }
      continue;
    }
    const Option* const row = awaits_value(rows, word);
    if (row == nullptr) continue;
    if (i + 1 == words.size() || row_of(rows, words[i + 1]) != nullptr) {
      return Error{Errc::invalid,
                   fmt::format("{} needs a value ({})", row->name, row->placeholder)};
    }
    ++i;
  }
  return {};
}

Error unknown_flag(std::span<const Option> rows, std::string_view typed) {
  const std::string_view name = typed.substr(0, typed.find('='));
  std::vector<std::string_view> known;
  for (const Option& row : rows) {
    if (row.place == Place::flag && row.listed == Listed::yes) known.push_back(row.name);
  }
  return {Errc::invalid, fmt::format("unknown flag \"{}\"{}", name, did_you_mean(name, known))};
}

// Hands the words without a flag to the rows of arguments, in order.
Status place_arguments(std::span<const Option> rows, std::span<const std::string> words,
                       Arguments& arguments) {
  std::size_t next = 0;
  for (const Option& row : rows) {
    if (row.place != Place::argument) continue;
    if (next == words.size()) {
      if (row.need == Need::optional) continue;
      return Error{Errc::invalid, fmt::format("missing argument {}: {}", row.name, row.help)};
    }
    do {
      PIEVT_TRY(arguments.add(row.name, words[next++]));
    } while (row.times == Times::many && next < words.size());
  }
  if (next == words.size()) return {};
  return Error{Errc::invalid, fmt::format("unexpected argument \"{}\"", words[next])};
}

// The words CLI11 had no use for. Flags that it knew are in `arguments` afterwards.
Result<std::vector<std::string>> read_flags(std::span<const Option> rows,
                                            std::vector<std::string> words, Arguments& arguments) {
  try {
    CLI::App app;
    app.set_help_flag();
    app.allow_extras();
    std::vector<std::pair<const Option*, CLI::Option*>> known;
    for (const Option& row : rows) {
      if (row.place != Place::flag) continue;
      CLI::Option* const option =
          row.kind == Kind::flag ? app.add_flag(spellings(row)) : app.add_option(spellings(row));
      option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)->allow_extra_args(false);
      known.emplace_back(&row, option);
    }
    std::ranges::reverse(words);  // CLI11 takes them from the back
    app.parse(std::move(words));
    for (const auto& [row, option] : known) {
      for (const std::string& typed : option->results()) {
        PIEVT_TRY(arguments.add(row->name, typed));
      }
    }
    return app.remaining();
  } catch (const CLI::Error& error) {
    return Error{Errc::invalid, error.what()};
  }
}

}  // namespace

SplitLine split_verb(std::span<const std::string> words) {
  SplitLine line;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool is_verb = !words[i].starts_with('-');
    if (is_verb || words[i] == "--") {
      if (is_verb) line.verb = words[i];
      line.words.insert(line.words.end(),
                        words.begin() + static_cast<std::ptrdiff_t>(is_verb ? i + 1 : i),
                        words.end());
      break;
    }
    line.words.push_back(words[i]);
    if (awaits_value(global_options(), words[i]) != nullptr && i + 1 < words.size()) {
      line.words.push_back(words[++i]);
    }
  }
  return line;
}

bool asks_for_help(std::span<const std::string> words) {
  const Divided divided = divide(words);
  return std::ranges::any_of(
      divided.flags, [](const std::string& word) { return word == "--help" || word == "-h"; });
}

Result<Arguments> parse(std::span<const Option> options, std::span<const std::string> words) {
  std::vector<Option> rows(options.begin(), options.end());
  // A verb's own row stands for the global one of that name: it takes other values.
  std::ranges::copy_if(global_options(), std::back_inserter(rows), [&](const Option& global) {
    return std::ranges::find(options, global.name, &Option::name) == options.end();
  });
  Arguments arguments(rows);
  Divided divided = divide(words);
  PIEVT_TRY(check_words(rows, divided.flags));
  std::vector<std::string> left = PIEVT_TRY(read_flags(rows, std::move(divided.flags), arguments));
  const auto unknown = std::ranges::find_if(left, looks_like_flag);
  if (unknown != left.end()) return unknown_flag(rows, *unknown);
  left.insert(left.end(), divided.plain.begin(), divided.plain.end());
  PIEVT_TRY(place_arguments(rows, left, arguments));
  return arguments;
}

}  // namespace pievt::tools
