// Each shell gets the idioms of its own. Names and choices in the tables are plain ASCII words (a
// test sees to it), so only help texts need quoting.
#include "tools/frame/completion_scripts.h"

#include <vector>

#include <fmt/format.h>

#include "tools/frame/globals.h"
#include "tools/frame/topics.h"
#include "tools/frame/words.h"

namespace pievt::tools {
namespace {

bool listed_flag(const Option& option) {
  return option.place == Place::flag && option.listed == Listed::yes;
}

bool listed_argument(const Option& option) {
  return option.place == Place::argument && option.listed == Listed::yes;
}

// The closed list of words that a value is one of, parted by spaces; empty when it is not a closed
// list.
std::string words_of(const Tables& tables, const Option& option) {
  if (option.kind == Kind::choice) return join(split(option.placeholder, '|'), " ");
  if (option.complete != Complete::verbs) return "";
  std::vector<std::string_view> words;
  for (const Verb& verb : tables.verbs) words.push_back(verb.name);
  for (const Topic& topic : topics()) words.push_back(topic.name);
  return join(words, " ");
}

std::string_view source_of(Complete complete) {
  if (complete == Complete::runs) return "runs";
  if (complete == Complete::jobs) return "jobs";
  if (complete == Complete::kinds) return "kinds";
  if (complete == Complete::formats) return "formats";
  return "";
}

std::string spelled(const Option& option, std::string_view between) {
  if (option.letter == '\0') return std::string(option.name);
  return fmt::format("-{}{}{}", option.letter, between, option.name);
}

std::string replaced(std::string_view text, std::string_view special, std::string_view escape) {
  std::string out;
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) out += escape;
    out += c;
  }
  return out;
}

// --- bash
constexpr std::string_view bash_head =
    R"sh(# bash completion for pievt, made by: pievt completion bash

_pievt_words() {
  COMPREPLY+=($(compgen -W "$1" -- "$cur"))
}

# What the store knows: one name a line, a description after a tab. Names are read as they are:
# compgen -W would expand what is in them.
_pievt_names() {
  local name rest
  while IFS=$'\t' read -r name rest; do
    [[ $name == "$cur"* ]] && COMPREPLY+=("$(printf %q "$name")")
  done < <(pievt "${store[@]}" completion --candidates "$1" 2>/dev/null)
}

_pievt_paths() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen "$1" -- "$cur")
}

_pievt() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb= i
  local -a store=()
  COMPREPLY=()
  # bash has cut "--output=json" into three words.
  if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
)sh";

constexpr std::string_view bash_tail = R"sh(
complete -F _pievt pievt
)sh";

std::string bash_action(const Tables& tables, const Option& option) {
  if (const std::string words = words_of(tables, option); !words.empty()) {
    return fmt::format("_pievt_words '{}'", words);
  }
  if (const auto source = source_of(option.complete); !source.empty()) {
    return fmt::format("_pievt_names {}", source);
  }
  if (option.complete == Complete::files) return "_pievt_paths -f";
  if (option.complete == Complete::directories) return "_pievt_paths -d";
  return ":";
}

// The cases "verb flag" whose next word is a value.
std::string bash_values(const Tables& tables, std::string_view verb,
                        std::span<const Option> options) {
  std::string out;
  for (const Option& option : options) {
    if (!listed_flag(option) || option.kind == Kind::flag) continue;
    std::string pattern = fmt::format("{}' {}'", verb, option.name);
    if (option.letter != '\0') pattern += fmt::format("|{}' -{}'", verb, option.letter);
    out += fmt::format("    {}) {}; return ;;\n", pattern, bash_action(tables, option));
  }
  return out;
}

std::string flag_words(std::span<const Option> options) {
  std::string out;
  for (const Option& option : options) {
    if (listed_flag(option)) out += " " + spelled(option, " ");
  }
  return out;
}

// --- zsh
constexpr std::string_view zsh_head = R"sh(#compdef pievt
# zsh completion for pievt, made by: pievt completion zsh

# What the store knows: one name a line, a description after a tab.
_pievt_names() {
  local -a names
  names=(${(f)"$(pievt completion --candidates $1 2>/dev/null)"})
  names=("${(@)names//:/\\:}")
  names=("${(@)names/$'\t'/:}")
  _describe -t $1 $1 names
}

_pievt() {
  local context state state_descr line
  typeset -A opt_args
  local -a verbs globals
)sh";

constexpr std::string_view zsh_tail = R"sh(
# Autoloaded from a file, this is the body of the function itself; sourced, it registers.
if [[ ${funcstack[1]} == _pievt ]]; then
  _pievt "$@"
else
  compdef _pievt pievt
fi
)sh";

std::string zsh_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string zsh_action(const Tables& tables, const Option& option) {
  if (const std::string words = words_of(tables, option); !words.empty()) return "(" + words + ")";
  if (const auto source = source_of(option.complete); !source.empty()) {
    return fmt::format("_pievt_names {}", source);
  }
  if (option.complete == Complete::files) return "_files";
  if (option.complete == Complete::directories) return "_files -/";
  return " ";
}

std::string zsh_flag(const Tables& tables, const Option& option) {
  std::string spec = fmt::format("[{}]", replaced(option.help, "[]:\\", "\\"));
  if (option.kind != Kind::flag) {
    spec += fmt::format(":{}:{}", replaced(option.placeholder, ":\\", "\\"),
                        zsh_action(tables, option));
  }
  const std::string star = option.times == Times::many ? "'*'" : "";
  if (option.letter == '\0')
    return fmt::format("{}{}", star, zsh_quoted(std::string(option.name) + spec));
  const std::string exclusive = star.empty() ? fmt::format("'({})'", spelled(option, " ")) : star;
  return fmt::format("{}{{{}}}{}", exclusive, spelled(option, ","), zsh_quoted(spec));
}

std::string zsh_flags(const Tables& tables, std::span<const Option> options,
                      std::string_view margin) {
  std::string out;
  for (const Option& option : options) {
    if (listed_flag(option)) out += fmt::format("{}{}\n", margin, zsh_flag(tables, option));
  }
  return out;
}

std::string zsh_verb(const Tables& tables, const Verb& verb) {
  std::string out = fmt::format("        {})\n          _arguments $globals \\\n", verb.name);
  for (const Option& option : verb.manual().options) {
    std::string spec;
    if (listed_flag(option)) {
      spec = zsh_flag(tables, option);
    } else if (listed_argument(option)) {
      spec = zsh_quoted(fmt::format("{}:{}:{}", option.times == Times::many ? "*" : "", option.name,
                                    zsh_action(tables, option)));
    } else {
      continue;
    }
    out += fmt::format("            {} \\\n", spec);
  }
  return out + "            ;;\n";
}

// --- fish
std::string fish_quoted(std::string_view text) {
  return "'" + replaced(text, "'\\", "\\") + "'";
}

// What completes a value: `-x` (no files) with words, or nothing but "a value follows".
std::string fish_values(const Tables& tables, const Option& option) {
  if (const std::string words = words_of(tables, option); !words.empty()) {
    return " -x -a " + fish_quoted(words);
  }
  if (const auto source = source_of(option.complete); !source.empty()) {
    return fmt::format(" -x -a '(pievt completion --candidates {} 2>/dev/null)'", source);
  }
  if (option.complete == Complete::files) return " -r -F";
  if (option.complete == Complete::directories) return " -x -a '(__fish_complete_directories)'";
  return " -x";
}

std::string fish_flag(const Tables& tables, const Option& option, std::string_view condition) {
  std::string line = fmt::format("complete -c pievt{} -l {}", condition, option.name.substr(2));
  if (option.letter != '\0') line += fmt::format(" -s {}", option.letter);
  if (option.kind != Kind::flag) line += fish_values(tables, option);
  return line + fmt::format(" -d {}\n", fish_quoted(option.help));
}

}  // namespace

std::string bash_completion(const Tables& tables) {
  std::string out(bash_head);
  std::string skips;
  for (const Option& option : global_options()) {
    if (option.kind == Kind::flag || option.name == "--store") continue;
    skips += (skips.empty() ? "" : "|") + spelled(option, "|");
  }
  out += "      --store) store=(--store \"${COMP_WORDS[i+1]}\"); ((i++)) ;;\n";
  out += fmt::format("      {}) ((i++)) ;;\n      -*) ;;\n", skips);
  out += "      *) [[ $verb ]] || verb=${COMP_WORDS[i]} ;;\n    esac\n  done\n";

  out += "  case \"$verb $prev\" in\n";
  for (const Verb& verb : tables.verbs)
    out += bash_values(tables, verb.name, verb.manual().options);
  out += bash_values(tables, "*", global_options()) + "  esac\n";

  out += fmt::format("  if [[ $cur == -* ]]; then\n    _pievt_words '{}'\n    case $verb in\n",
                     flag_words(global_options()).substr(1));
  for (const Verb& verb : tables.verbs) {
    const std::string flags = flag_words(verb.manual().options);
    if (!flags.empty())
      out += fmt::format("      {}) _pievt_words '{}' ;;\n", verb.name, flags.substr(1));
  }
  out += "    esac\n    return\n  fi\n  case $verb in\n    '') _pievt_words '";
  for (const Verb& verb : tables.verbs)
    out += fmt::format("{}{}", &verb == tables.verbs.data() ? "" : " ", verb.name);
  out += "' ;;\n";
  for (const Verb& verb : tables.verbs) {
    std::string actions;
    for (const Option& option : verb.manual().options) {
      if (listed_argument(option)) actions += " " + bash_action(tables, option) + ";";
    }
    if (!actions.empty()) out += fmt::format("    {}){};\n", verb.name, actions);
  }
  return out + "  esac\n}\n" + std::string(bash_tail);
}

std::string zsh_completion(const Tables& tables) {
  std::string out(zsh_head);
  out += "  verbs=(\n";
  for (const Verb& verb : tables.verbs) {
    out += fmt::format("    {}\n", zsh_quoted(fmt::format("{}:{}", verb.name, verb.summary)));
  }
  out += "  )\n  globals=(\n" + zsh_flags(tables, global_options(), "    ") + "  )\n";
  out +=
      "  _arguments -C $globals '1: :->verb' '*:: :->rest'\n  case $state in\n"
      "    verb) _describe -t verbs verb verbs ;;\n    rest)\n      case $words[1] in\n";
  for (const Verb& verb : tables.verbs) out += zsh_verb(tables, verb);
  return out + "      esac\n      ;;\n  esac\n}\n" + std::string(zsh_tail);
}

std::string fish_completion(const Tables& tables) {
  std::string out =
      "# fish completion for pievt, made by: pievt completion fish\n\ncomplete -c pievt -f\n";
  for (const Verb& verb : tables.verbs) {
    out += fmt::format("complete -c pievt -n __fish_use_subcommand -a {} -d {}\n", verb.name,
                       fish_quoted(verb.summary));
  }
  for (const Option& option : global_options()) {
    if (listed_flag(option)) out += fish_flag(tables, option, "");
  }
  for (const Verb& verb : tables.verbs) {
    const std::string condition = fmt::format(
        " -n {}", fish_quoted(fmt::format("__fish_seen_subcommand_from {}", verb.name)));
    for (const Option& option : verb.manual().options) {
      if (listed_flag(option)) out += fish_flag(tables, option, condition);
      if (listed_argument(option)) {
        out += fmt::format("complete -c pievt{}{}\n", condition, fish_values(tables, option));
      }
    }
  }
  return out;
}

}  // namespace pievt::tools
