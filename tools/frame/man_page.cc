// The man page, in the man(7) macros: the same tables as the help pages, so the two cannot differ.
#include <fmt/format.h>

#include "tools/frame/exit.h"
#include "tools/frame/globals.h"
#include "tools/frame/pages.h"
#include "tools/frame/topics.h"
#include "tools/frame/versions.h"
#include "tools/frame/words.h"

namespace pievt::tools {
namespace {

// Text that roff must not interpret: backslashes, hyphens that are to be copied, and leading dots
// and quotes.
std::string roff(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool line_begins = i == 0 || text[i - 1] == '\n';
    if (line_begins && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
  }
  return out;
}

// Prose as help pages have it: an empty line parts paragraphs, an indented line stands as it is.
std::string prose(std::string_view text) {
  std::string out;
  for (const std::string_view line : split(text, '\n')) {
    if (line.empty()) {
      out += ".PP\n";
    } else if (line.front() == ' ') {
      out += fmt::format(".nf\n{}\n.fi\n", roff(line));
    } else {
      out += roff(line) + "\n";
    }
  }
  return out;
}

std::string item(std::string_view term, std::string_view text) {
  return fmt::format(".TP\n.B \"{}\"\n{}\n", roff(term), roff(text));
}

std::string option_items(std::span<const Option> options) {
  std::string out;
  for (const Option& option : options) {
    if (option.listed == Listed::no) continue;
    std::string term(argument_text(option));
    if (option.place == Place::flag) {
      term = flag_text(option);
      term.erase(0, term.find_first_not_of(' '));
    }
    out += item(term, option.help);
  }
  return out;
}

std::string verb_section(const Verb& verb) {
  const Manual& manual = verb.manual();
  std::string out = fmt::format(".SS \"{}\"\n{}.\n", roff(usage_line(verb)), roff(verb.summary));
  if (!manual.details.empty()) out += ".PP\n" + prose(manual.details);
  out += option_items(manual.options);
  for (const Example& example : manual.examples) {
    out += fmt::format(".PP\n{}:\n.PP\n.nf\n.RS 4\n{}\n.RE\n.fi\n", roff(example.purpose),
                       roff(example.command));
  }
  return out;
}

}  // namespace

std::string man_page(const Tables& tables) {
  std::string out =
      fmt::format(".TH PIEVT 1 \"\" \"pievt {}\" \"User Commands\"\n", program_version());
  out +=
      ".SH NAME\npievt \\- run batches of pi agents and keep a record that can be replayed and "
      "verified\n";
  out += ".SH SYNOPSIS\n.B pievt\nVERB [run] [flags]\n.SH VERBS\n";
  for (const Verb& verb : tables.verbs) out += verb_section(verb);
  out += ".SH \"FLAGS OF EVERY VERB\"\n" + option_items(global_options());
  for (const Topic& topic : topics()) {
    if (topic.name == "exit-codes") continue;
    out += fmt::format(".SH \"{}\"\n{}", topic.title, prose(topic.text));
  }
  out += ".SH \"EXIT STATUS\"\n";
  for (const ExitRow& row : exit_rows()) {
    out += item(fmt::format("{}", static_cast<int>(row.code)), row.meaning);
  }
  return out;
}

}  // namespace pievt::tools
