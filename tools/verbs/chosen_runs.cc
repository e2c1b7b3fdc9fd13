#include "tools/verbs/chosen_runs.h"

#include <algorithm>

#include "pievt/query.h"
#include "supervisor/record/clock.h"
#include "tools/frame/moment.h"
#include "tools/verbs/access.h"

namespace pievt::tools {

Result<std::vector<ChosenRun>> chosen_runs(const Context& context, const Log& log) {
  std::vector<ChosenRun> chosen;
  std::vector<std::string> words = context.arguments.all("run");
  const auto since = context.arguments.text("--since");
  if (since && words.empty()) {
    const auto now = static_cast<std::int64_t>(supervisor::wall_now_ns());
    const std::int64_t when = PIEVT_TRY(parse_moment(*since, now, context.globals.zone));
    const RunList runs = PIEVT_TRY(load_runs(log));
    for (const auto& run : runs.runs) {
      if (static_cast<std::int64_t>(run->planned_ns) >= when) chosen.push_back({run->run_id, {}});
    }
    return chosen;
  }
  if (since) return Error{Errc::invalid, "name runs or say --since, not both"};
  if (words.empty()) words.emplace_back("last");
  for (const std::string& word : words) {
    const Reference reference = PIEVT_TRY(resolve(context, log, word));
    const Revision at = PIEVT_TRY(moment(context, log, reference.run));
    const bool known =
        std::ranges::any_of(chosen, [&](const ChosenRun& run) { return run.id == reference.run; });
    if (!known) chosen.push_back({reference.run, at});
  }
  return chosen;
}

}  // namespace pievt::tools
