// `pievt completion SHELL`: a script that completes verbs, flags, choices and, by asking this
// program again, the names of runs and jobs.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "tools/frame/completion_scripts.h"
#include "tools/frame/context.h"

namespace pievt::tools::verbs {
namespace {

constexpr std::array options_of_completion = {
    argument_choice("shell", "bash|zsh|fish", "whose script"),
    value("--candidates", "SOURCE", "names that complete an argument: runs, jobs").unlisted(),
};

constexpr Manual manual_of_completion = {
    .details =
        "Prints the script; where a shell looks for it differs:\n\n"
        "  bash   ~/.local/share/bash-completion/completions/pievt\n"
        "  zsh    a file _pievt in a directory of $fpath\n"
        "  fish   ~/.config/fish/completions/pievt.fish",
    .options = options_of_completion,
    .examples = {{{"source <(pievt completion bash)", "completion in this bash session"},
                  {"pievt completion fish > ~/.config/fish/completions/pievt.fish",
                   "completion in fish, from now on"}}},
    .outputs = Outputs::text_only,
};

Result<Exit> write_candidates(Context& context, std::string_view name) {
  const auto rows = context.tables.candidates;
  const auto source = std::ranges::lower_bound(rows, name, {}, &CandidateSource::name);
  if (source == rows.end() || source->name != name) {
    return Error{Errc::invalid, fmt::format("nothing can be completed from \"{}\"", name)};
  }
  if (source->list == nullptr) return Exit::ok;
  for (const std::string& word : PIEVT_TRY(source->list(context))) context.out.line(word);
  return Exit::ok;
}

}  // namespace

const Manual& completion_manual() {
  return manual_of_completion;
}

Result<Exit> completion(Context& context) {
  if (const auto source = context.arguments.text("--candidates")) {
    return write_candidates(context, *source);
  }
  const auto shell = context.arguments.text("shell");
  if (!shell) return Error{Errc::invalid, "name a shell: pievt completion bash, zsh or fish"};
  const Tables& tables = context.tables;
  context.out.write(*shell == "bash"  ? bash_completion(tables)
                    : *shell == "zsh" ? zsh_completion(tables)
                                      : fish_completion(tables));
  return Exit::ok;
}

}  // namespace pievt::tools::verbs
