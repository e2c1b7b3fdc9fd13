#include "tools/verbs/candidates.h"

#include <ranges>
#include <set>

#include <fmt/format.h>

#include "pievt/query.h"
#include "tools/exporters/exporter.h"
#include "tools/render/sanitise.h"
#include "tools/verbs/access.h"

namespace pievt::tools {

namespace {

// A shell waits for the answer: so many runs are opened for their jobs, and so many words offered.
constexpr std::size_t runs_opened = 10, words_max = 2'000;

void add_runs(const RunList& list, std::vector<std::string>& words) {
  words.push_back("last\tthe last run");
  std::set<std::string_view> names;
  for (const auto& run : list.runs | std::views::reverse) {
    words.push_back(
        fmt::format("{}\t{}", render::one_line(run->run_id), render::one_line(run->name)));
    const bool typed_plainly = run->name.find_first_of(" \t\n\"'\\$`/") == std::string::npos;
    if (!run->name.empty() && typed_plainly && names.insert(run->name).second)
      words.push_back(fmt::format("{}\tthe latest run of this plan", render::one_line(run->name)));
  }
}

void add_jobs(const RunState& run, std::string_view called, std::vector<std::string>& words) {
  for (const auto& job : run.jobs) {
    if (words.size() >= words_max) return;
    const char* status = job->phase == state::JobPhase::finished
                             ? schema::EnumNameJobStatus(job->status)
                             : state::EnumNameJobPhase(job->phase);
    words.push_back(fmt::format("{}/{}\t{}", called, render::one_line(job->id), status));
  }
}

}  // namespace

Result<std::vector<std::string>> run_candidates(Context& context) {
  std::vector<std::string> words;
  const Result<Log> log = open_to_read(context);
  if (!log.ok()) return words;
  const Result<RunList> list = load_runs(*log);
  if (!list.ok() || list->runs.empty()) return words;
  add_runs(*list, words);
  return words;
}

Result<std::vector<std::string>> job_candidates(Context& context) {
  std::vector<std::string> words;
  const Result<Log> log = open_to_read(context);
  if (!log.ok()) return words;
  const Result<RunList> list = load_runs(*log);
  if (!list.ok() || list->runs.empty()) return words;
  std::size_t opened = 0;
  for (const auto& each : list->runs | std::views::reverse) {
    if (opened++ == runs_opened) break;
    const Result<RunState> run = load_run(*log, each->run_id);
    if (!run.ok()) continue;
    if (opened == 1) add_jobs(*run, "last", words);
    add_jobs(*run, render::one_line(each->run_id), words);
  }
  add_runs(*list, words);
  return words;
}

Result<std::vector<std::string>> kind_candidates(Context&) {
  std::vector<std::string> words{"provider\tany failure of the provider"};
  for (const auto kind : schema::EnumValuesFailureKind())
    if (kind != schema::FailureKind::unknown && kind != schema::FailureKind::none)
      words.emplace_back(schema::EnumNameFailureKind(kind));
  return words;
}

Result<std::vector<std::string>> format_candidates(Context&) {
  std::vector<std::string> words;
  for (const ExporterRow& row : exporters())
    words.push_back(fmt::format("{}\t{}", row.name, row.summary));
  return words;
}

}  // namespace pievt::tools
