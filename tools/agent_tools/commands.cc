// See commands.h.
#include "tools/agent_tools/commands.h"

#include <fmt/format.h>

#include "supervisor/plan/text.h"

namespace pievt::tools {
namespace {

Error usage(std::string_view name, std::string_view how) {
  return {Errc::invalid, fmt::format("/{} takes {}", name, how)};
}

}  // namespace

Result<std::vector<std::string>> command_words(std::string_view name,
                                               std::span<const std::string> arguments) {
  for (const std::string& argument : arguments)
    if (argument.starts_with('-') && argument != "--yes")
      return usage(name, fmt::format("no flag {}", plan::shown(argument)));
  if (name == "jobs-ui") {
    if (arguments.empty()) return std::vector<std::string>{"runs", "--limit", "20"};
    if (arguments.size() == 1) return std::vector<std::string>{"show", arguments[0]};
    // As pi-jobs has it: RUN job JOB, RUN attempt JOB N.
    if (arguments.size() == 3 && arguments[1] == "job")
      return std::vector<std::string>{"show", arguments[0] + "/" + arguments[2]};
    if (arguments.size() == 4 && arguments[1] == "attempt")
      return std::vector<std::string>{
          "show", fmt::format("{}/{}/{}", arguments[0], arguments[2], arguments[3])};
    return usage(name, "nothing, RUN, RUN/JOB, RUN job JOB, or RUN attempt JOB N");
  }
  if (name == "jobs-settings") {
    if (!arguments.empty()) return usage(name, "nothing; edit .pievt/config.json");
    return std::vector<std::string>{"config"};
  }
  if (name == "jobs-clean") {
    if (arguments.empty()) return std::vector<std::string>{"gc", "--dry-run"};
    if (arguments.size() == 1 && arguments[0] == "--yes") return std::vector<std::string>{"gc"};
    return usage(name, "nothing, or --yes to delete what it lists");
  }
  return Error{Errc::not_found,
               fmt::format("there is no command {}; there are jobs-ui, jobs-settings, jobs-start "
                           "and jobs-clean",
                           plan::shown(name))};
}

std::string start_text(const settings::Settings& settings, std::string_view request) {
  std::string out =
      "Split the work below into jobs for supervised workers. Use job for one piece of work that "
      "needs a context of its own, jobs for up to four different ones, and jobs_plan (a small "
      "matrix and a promptTemplate) for the same task over many things. Give each worker "
      "everything it needs to know: it sees only its prompt and the files. Say in acceptance which "
      "files must be there afterwards, and where it may write. Never make one job that coordinates "
      "others.";
  if (settings.guidance.waves)
    out += fmt::format(
        " Split a large batch into waves of {} to {} jobs, unless I ask for all at "
        "once.",
        settings.guidance.wave_min, settings.guidance.wave_max);
  if (settings.guidance.sync_first)
    out += " Wait for the jobs to end before you go on, unless I ask you to detach them.";
  if (!plan::is_blank(request)) out += fmt::format("\n\nUser request:\n{}", request);
  return out;
}

}  // namespace pievt::tools
