// See read_job.h.
#include "supervisor/plan/read_job.h"

#include <algorithm>

#include <fmt/format.h>

#include "supervisor/plan/expand_job.h"
#include "supervisor/plan/ids.h"
#include "supervisor/plan/parse.h"
#include "supervisor/plan/text.h"

namespace pievt::plan {
namespace {

std::string free_id(const std::vector<std::string>& known) {
  for (std::size_t number = known.size() + 1;; ++number) {
    const std::string id = generated_id(number);
    if (std::ranges::find(known, id) == known.end()) return id;
  }
}

std::string id_of(const Written& written, const std::vector<std::string>& known,
                  Problems& problems) {
  if (!written.id) return free_id(known);
  std::string id(trimmed(written.id->value));
  if (!is_safe_id(id)) {
    problems.add(written.id->place, fmt::format("{} cannot be an id: {}", shown(id), id_rule));
  } else if (std::ranges::find(known, id) != known.end()) {
    problems.add(written.id->place, fmt::format("the run has a job \"{}\" already", id));
  }
  return id;
}

}  // namespace

Result<JobSpec> read_job(const std::string& name, std::string text, FileSource& files,
                         const std::vector<std::string>& known) {
  Problems problems;
  Sources sources;
  const Source& source = sources.add(name, std::move(text));
  const auto tree = JsonTree::parse(source, problems);
  if (!tree) return problems.error();
  Document document;
  document.jobs.push_back(parse_job(tree->root(), problems));
  if (known.size() >= limits::jobs_max) {
    problems.add(document.jobs.front().place,
                 fmt::format("the run has {} jobs; more are not allowed", known.size()));
  }
  const std::string id = id_of(document.jobs.front(), known, problems);
  const std::string label = fmt::format("job \"{}\"", id);
  const std::string plan_name = "add";
  PlanFiles plan_files(name, files, sources, problems);
  JobExpander expander(document, plan_name, plan_files, problems);
  ExpandedJob added = expander.expand(document.jobs.front(), JobExpander::Origin::job, id, label);
  if (!problems.none()) return problems.error();

  // Beside the run's jobs, of which only the ids matter, its dependencies find their indexes.
  std::vector<JobSpec> jobs;
  for (const std::string& other : known) jobs.emplace_back().id = other;
  jobs.push_back(std::move(added.spec));
  std::vector<std::vector<Wanted>> wanted(known.size());
  wanted.push_back(std::move(added.wanted));
  std::vector<std::string> labels = known;
  labels.push_back(label);
  resolve_dependencies(jobs, wanted, labels, problems);
  if (!problems.none()) return problems.error();
  return std::move(jobs.back());
}

}  // namespace pievt::plan
