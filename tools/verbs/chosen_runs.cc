#include "tools/verbs/chosen_runs.h"

#include <algorithm>

#include <fmt/format.h>

#include "pievt/query.h"
#include "supervisor/record/clock.h"
#include "tools/frame/moment.h"
#include "tools/verbs/access.h"

namespace pievt::tools {

namespace {

// What is chosen already is not counted twice.
bool within(const ChosenRun& run, const Reference& asked) {
  return run.id == asked.run && (!run.job || run.job == asked.job) &&
         (!run.attempt || run.attempt == asked.attempt);
}

}  // namespace

Result<std::vector<ChosenRun>> chosen_runs(const Context& context, const Log& log, Jobs jobs) {
  std::vector<ChosenRun> chosen;
  std::vector<std::string> words = context.arguments.all("run");
  const auto since = context.arguments.text("--since");
  if (since && words.empty()) {
    const auto now = static_cast<std::int64_t>(supervisor::wall_now_ns());
    const std::int64_t when = PIEVT_TRY(parse_moment(*since, now, context.globals.zone));
    const RunList runs = PIEVT_TRY(load_runs(log));
    for (const auto& run : runs.runs) {
      if (static_cast<std::int64_t>(run->planned_ns) >= when)
        chosen.push_back({run->run_id, {}, {}, {}});
    }
    return chosen;
  }
  if (since) return Error{Errc::invalid, "name runs or say --since, not both"};
  if (words.empty()) words.emplace_back("last");
  for (const std::string& word : words) {
    if (jobs == Jobs::refused)
      PIEVT_TRY(whole_run(context, log, word,
                          fmt::format("pievt why {0} and pievt log {0} tell of a job", word)));
    const Reference reference = PIEVT_TRY(resolve(context, log, word));
    const Revision at = PIEVT_TRY(moment(context, log, reference.run));
    if (std::ranges::any_of(chosen, [&](const auto& run) { return within(run, reference); }))
      continue;
    chosen.push_back({reference.run, at, reference.job, reference.attempt});
  }
  return chosen;
}

}  // namespace pievt::tools
