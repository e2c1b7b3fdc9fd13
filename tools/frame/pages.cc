// A page is a sequence of sections; a section is a heading and filled prose or a list of
// definitions.
#include "tools/frame/pages.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "tools/frame/globals.h"
#include "tools/frame/versions.h"
#include "tools/frame/words.h"
#include "tools/render/width.h"

namespace pievt::tools {
namespace {

using render::Style;
using render::Terminal;
using Rows = std::vector<std::pair<std::string, std::string>>;

constexpr int prose_width_max = 100;
constexpr int term_width_max = 26;
constexpr int indent = 2;

std::string heading(std::string_view text, const Terminal& terminal) {
  return "\n" + styled(terminal, Style::bold, text) + "\n";
}

std::string summaries(std::span<const Verb* const> verbs, const Terminal& terminal) {
  Rows rows;
  for (const Verb* verb : verbs) rows.emplace_back(verb->name, verb->summary);
  return definitions(rows, terminal);
}

std::vector<const Verb*> daily_verbs(const Tables& tables) {
  std::vector<const Verb*> verbs;
  for (const std::string_view name : tables.daily) {
    if (const Verb* verb = find_verb(tables, name)) verbs.push_back(verb);
  }
  return verbs;
}

Rows argument_rows(std::span<const Option> options) {
  Rows rows;
  for (const Option& option : options) {
    if (option.place != Place::argument || option.listed == Listed::no) continue;
    rows.emplace_back(argument_text(option), option.help);
  }
  return rows;
}

Rows flag_rows(std::span<const Option> options) {
  Rows rows;
  for (const Option& option : options) {
    if (option.place != Place::flag || option.listed == Listed::no) continue;
    std::string help(option.help);
    if (option.times == Times::many) help += " (may be repeated)";
    rows.emplace_back(flag_text(option), std::move(help));
  }
  return rows;
}

std::string list_section(std::string_view title, const Rows& rows, const Terminal& terminal) {
  return rows.empty() ? "" : heading(title, terminal) + definitions(rows, terminal);
}

}  // namespace

int prose_width(const Terminal& terminal) {
  return terminal.is_tty ? std::min(terminal.width, prose_width_max) : 80;
}

std::string_view argument_text(const Option& option) {
  return option.placeholder.empty() ? option.name : option.placeholder;
}

std::string flag_text(const Option& option) {
  std::string text = option.letter == '\0' ? "    " : fmt::format("-{}, ", option.letter);
  text += option.name;
  if (option.kind != Kind::flag) text += fmt::format(" {}", option.placeholder);
  return text;
}

std::string usage_line(const Verb& verb) {
  std::string line = fmt::format("pievt {}", verb.name);
  for (const Option& option : verb.manual().options) {
    if (option.place != Place::argument || option.listed == Listed::no) continue;
    const std::string_view dots = option.times == Times::many ? "..." : "";
    const std::string shown = fmt::format("{}{}", argument_text(option), dots);
    line += option.need == Need::required ? " " + shown : fmt::format(" [{}]", shown);
  }
  return line + " [flags]";
}

std::string definitions(const Rows& rows, const Terminal& terminal) {
  int term_width = 0;
  for (const auto& [term, text] : rows) {
    const int width = render::display_width(term);
    if (width <= term_width_max) term_width = std::max(term_width, width);
  }
  const int text_indent = indent + term_width + 2;
  std::string out;
  for (const auto& [term, text] : rows) {
    std::string filled = wrap(text, prose_width(terminal), text_indent);
    const std::string margin(indent, ' ');
    if (render::display_width(term) > term_width) {
      out += margin + term + "\n" + filled;
      continue;
    }
    // The first line of the explanation has room for the term in its indentation.
    filled.erase(0, static_cast<std::size_t>(text_indent));
    out += margin + render::fill_to_width(term, term_width + 2, render::Align::left) + filled;
  }
  return out;
}

std::string overview_page(const Tables& tables, const Terminal& terminal) {
  std::string page =
      wrap(fmt::format("pievt {} runs batches of pi agents and keeps a record of them that can be "
                       "replayed, explained and verified.",
                       program_version()),
           prose_width(terminal), 0);
  page += "\nUsage: pievt VERB [run] [flags]\n";
  const std::vector<const Verb*> daily = daily_verbs(tables);
  if (daily.empty()) {
    page += all_verbs_page(tables, terminal);
  } else {
    page += heading("Every day", terminal) + summaries(daily, terminal);
  }
  page += heading("More", terminal);
  page += definitions({{"pievt help VERB", "what a verb does, its flags, two examples"},
                       {"pievt help --all", "every verb"},
                       {"pievt help TOPIC", "exit-codes, formats, environment, faq"}},
                      terminal);
  return page;
}

std::string all_verbs_page(const Tables& tables, const Terminal& terminal) {
  static constexpr std::array groups = {Group::run,  Group::read,  Group::audit,   Group::trust,
                                        Group::move, Group::serve, Group::measure, Group::about};
  std::string page;
  for (const Group group : groups) {
    std::vector<const Verb*> verbs;
    for (const Verb& verb : tables.verbs) {
      if (verb.group == group) verbs.push_back(&verb);
    }
    if (!verbs.empty()) page += heading(title_of(group), terminal) + summaries(verbs, terminal);
  }
  return page;
}

std::string verb_page(const Verb& verb, const Terminal& terminal) {
  const Manual& manual = verb.manual();
  const int width = prose_width(terminal);
  std::string page = wrap(fmt::format("pievt {}: {}", verb.name, verb.summary), width, 0);
  page += "\n" + wrap("Usage: " + usage_line(verb), width, 0);
  if (!manual.details.empty()) page += "\n" + wrap(manual.details, width, 0);
  page += list_section("Arguments", argument_rows(manual.options), terminal);
  page += list_section("Flags", flag_rows(manual.options), terminal);
  // What a verb says of a flag of its own goes before what is said of every verb.
  std::vector<Option> global;
  for (const Option& option : global_options())
    if (std::ranges::find(manual.options, option.name, &Option::name) == manual.options.end())
      global.push_back(option);
  page += list_section("Flags of every verb", flag_rows(global), terminal);
  page += heading("Examples", terminal);
  for (const Example& example : manual.examples) {
    page += fmt::format("  $ {}\n", example.command);
    page += wrap(example.purpose, width, 6);
  }
  return page;
}

}  // namespace pievt::tools
