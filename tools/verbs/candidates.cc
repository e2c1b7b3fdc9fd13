#include "tools/verbs/candidates.h"

#include <ranges>

#include <fmt/format.h>

#include "pievt/query.h"
#include "tools/render/sanitise.h"
#include "tools/verbs/access.h"

namespace pievt::tools {

Result<std::vector<std::string>> run_candidates(Context& context) {
  std::vector<std::string> words;
  const Result<Log> log = open_to_read(context);
  if (!log.ok()) return words;
  const Result<RunList> list = load_runs(*log);
  if (!list.ok() || list->runs.empty()) return words;
  words.push_back("last\tthe last run");
  for (const auto& run : list->runs | std::views::reverse) {
    words.push_back(
        fmt::format("{}\t{}", render::one_line(run->run_id), render::one_line(run->name)));
  }
  return words;
}

Result<std::vector<std::string>> job_candidates(Context& context) {
  std::vector<std::string> words;
  const Result<Log> log = open_to_read(context);
  if (!log.ok()) return words;
  const Result<RunList> list = load_runs(*log);
  if (!list.ok() || list->runs.empty()) return words;
  const Result<RunState> run = load_run(*log, list->runs.back()->run_id);
  if (!run.ok()) return words;
  for (const auto& job : run->jobs) {
    const char* status = job->phase == state::JobPhase::finished
                             ? schema::EnumNameJobStatus(job->status)
                             : state::EnumNameJobPhase(job->phase);
    words.push_back(fmt::format("last/{}\t{}", render::one_line(job->id), status));
  }
  return words;
}

}  // namespace pievt::tools
