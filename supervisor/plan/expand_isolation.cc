// Expands the commands of a contract, and where a job works.
#include <fmt/format.h>

#include "supervisor/plan/expand_one.h"
#include "supervisor/plan/text.h"

namespace pievt::plan {
namespace {

// A path that is taken from the user's repository and put at the same place of another one.
bool stays_below(std::string_view path) {
  if (path.empty() || path.starts_with('/')) return false;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == ".." || part == ".git") return false;
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  }
  return true;
}

}  // namespace

void JobExpander::add_command(One& one, const WrittenCommand& written) {
  CommandCheck command;
  const auto expand = [&](const Text& text, std::string& into) {
    if (auto expanded = one.expander.expand_text(text, "\"command\"")) {
      count(entry_bytes + expanded->size(), text.place);
      into = std::move(*expanded);
    }
  };
  if (written.shell) expand(*written.shell, command.shell);
  add_texts(one, written.argv, "run", command.argv);
  if (written.cwd) expand(*written.cwd, command.cwd);
  if (command.shell.empty() == command.argv.empty())
    problems_.add(written.place, fmt::format("a \"command\" of {} runs nothing", one.label));
  command.timeout_ms = written.timeout_ms.value_or(command.timeout_ms);
  command.expect_exit = written.expect_exit;
  add_env(one, written.env, command.env);
  one.job.spec.contract.commands.push_back(std::move(command));
}

void JobExpander::fill_isolation(One& one) {
  JobSpec& spec = one.job.spec;
  spec.isolation =
      one.written.isolation.value_or(one.defaults.isolation.value_or(Isolation::shared));
  const auto& carry = one.written.carry ? one.written.carry : one.defaults.carry;
  if (!carry) return;
  if (spec.isolation == Isolation::shared && one.written.carry && !one.written.carry->empty())
    problems_.add(one.written.carry->front().path.place,
                  fmt::format("\"carry\" of {} has no meaning without \"isolation\": "
                              "\"worktree\"",
                              one.label));
  for (const WrittenCarry& written : *carry) {
    auto paths = one.expander.expand_entry(written.path, "\"carry\"");
    if (!paths) continue;
    for (std::string& path : *paths) {
      count(entry_bytes + path.size(), written.path.place);
      if (is_full_) return;
      while (path.ends_with('/')) path.pop_back();
      if (!stays_below(path))
        problems_.add(written.path.place,
                      fmt::format("{} in \"carry\" of {} must be a path below the repository, "
                                  "without \"..\"",
                                  shown(path), one.label));
      spec.carry.push_back({std::move(path), written.how});
    }
  }
}

}  // namespace pievt::plan
