// See command.h.
#include "supervisor/launch/command.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pievt/result.h"

namespace pievt::launch {
namespace {

/// The first version with --no-approve; an older one ends at a flag it does not know.
constexpr PiVersion first_with_approval{0, 79, 0};

}  // namespace

std::vector<std::string> pi_arguments(const PiCommand& command) {
  PIEVT_ASSERT(command.session.is_absolute());
  std::vector<std::string> out{command.program, "--mode"};
  const auto add = [&out](const char* flag, const std::string& value) {
    out.emplace_back(flag);
    out.push_back(value);
  };
  if (command.mode == PiMode::json) {
    // -p takes the next argument for the prompt unless that starts with a dash.
    out.insert(out.end(), {"json", "-p"});
  } else {
    out.emplace_back("rpc");
  }
  add("--session", command.session.string());
  if (command.model) add("--model", *command.model);
  if (command.thinking) add("--thinking", *command.thinking);
  if (command.tools && command.tools->empty()) out.emplace_back("--no-tools");
  if (command.tools && !command.tools->empty())
    add("--tools", fmt::format("{}", fmt::join(*command.tools, ",")));
  out.insert(out.end(), {"--no-extensions", "--no-skills", "--no-prompt-templates", "--no-themes"});
  for (const std::string& extension : command.extensions) add("--extension", extension);
  if (command.version >= first_with_approval) out.emplace_back("--no-approve");
  return out;
}

}  // namespace pievt::launch
