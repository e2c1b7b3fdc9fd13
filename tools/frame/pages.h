// The help pages, made from the tables: text for a terminal of a given width.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/frame/verb.h"
#include "tools/render/terminal.h"

namespace pievt::tools {

/// The columns that prose is filled to: the terminal's, but at most 100; 80 away from a terminal.
int prose_width(const render::Terminal& terminal);

/// "pievt completion bash|zsh|fish [flags]"
std::string usage_line(const Verb& verb);

/// "-o, --output text|json|jsonl|csv"; without a letter the place for one stays free.
std::string flag_text(const Option& option);

/// "PLAN.json", "run", "bash|zsh|fish"
std::string_view argument_text(const Option& option);

/// `pievt` and `pievt help`: what it is, the daily verbs, where to read on. While the table has
/// none of the daily verbs, all verbs.
std::string overview_page(const Tables& tables, const render::Terminal& terminal);

/// `pievt help --all`: every verb under its group.
std::string all_verbs_page(const Tables& tables, const render::Terminal& terminal);

/// `pievt help VERB` and `pievt VERB --help`.
std::string verb_page(const Verb& verb, const render::Terminal& terminal);

/// `pievt help --man`: roff of section 1, everything in one page.
std::string man_page(const Tables& tables);

/// Terms on the left, their explanations filled on the right; a long term has a line of its own.
std::string definitions(const std::vector<std::pair<std::string, std::string>>& rows,
                        const render::Terminal& terminal);

}  // namespace pievt::tools
