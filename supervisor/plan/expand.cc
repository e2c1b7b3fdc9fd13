// See expand.h. This file puts the plan together; what one job becomes is expand_job.cc.
#include "supervisor/plan/expand.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "supervisor/plan/depends.h"
#include "supervisor/plan/expand_job.h"
#include "supervisor/plan/ids.h"
#include "supervisor/plan/text.h"

namespace pievt::plan {
namespace {

/// A written job or row with the id it will have.
struct Entry {
  const Written* written;
  JobExpander::Origin origin;
  std::string label;
  std::string id;  ///< empty if it has none that can be used, which has been noted
};

/// Places are found by counting lines: not worth it for a message nobody prints.
std::string first_line_of(const Written& written, const Problems& problems) {
  if (!problems.wants_more()) return {};
  return fmt::format(", first in line {}",
                     written.place.source->position(written.place.offset).line);
}

/// Gives every job its id, and notes unsafe ones and those that are used twice.
std::vector<Entry> with_ids(const Document& document, Problems& problems) {
  std::vector<Entry> entries;
  for (const Written& row : document.rows)
    entries.push_back({&row, JobExpander::Origin::row, row.label, {}});
  for (const Written& job : document.jobs)
    entries.push_back({&job, JobExpander::Origin::job, job.label, {}});
  std::map<std::string, const Written*> taken;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    Entry& entry = entries[i];
    const std::optional<Text>& written = entry.written->id;
    if (!written && (entry.origin == JobExpander::Origin::row || entry.written->damaged)) continue;
    std::string id =
        written ? std::string(trimmed(written->value)) : generated_id(i - document.rows.size() + 1);
    const Place place = written ? written->place : entry.written->place;
    if (!is_safe_id(id)) {
      problems.add(place, fmt::format("{} cannot be an id: {}", shown(id), id_rule));
      continue;
    }
    if (const auto [first, fresh] = taken.emplace(id, entry.written); !fresh) {
      problems.add(place, fmt::format("the id \"{}\" is used twice{}", id,
                                      first_line_of(*first->second, problems)));
      continue;
    }
    if (!written) entry.label = fmt::format("job \"{}\"", id);
    entry.id = std::move(id);
  }
  return entries;
}

/// Rows from a file stand where rows of the plan would.
void read_rows(Document& document, PlanFiles& files, Problems& problems) {
  if (!document.matrix_file) return;
  const std::size_t problems_before = problems.count();
  document.rows = read_matrix(*document.matrix_file, files, problems);
  if (problems.count() > problems_before) document.list_missing = true;
}

bool count_is_right(const Document& document, Problems& problems) {
  const std::size_t count = document.rows.size() + document.jobs.size();
  const Place place = document.jobs_place.value_or(document.matrix_place.value_or(document.place));
  if (count > limits::jobs_max)
    problems.add(place, fmt::format("the plan has {} jobs; at most {} are allowed", count,
                                    limits::jobs_max));
  if (count == 0 && problems.none()) problems.add(place, "a plan needs at least one job");
  return count > 0 && count <= limits::jobs_max;
}

/// Of each job, the latest wave among it and all it waits for, by whatever way. The dependencies
/// have no circle, so each job has its turn once all it depends on had theirs.
std::vector<std::uint32_t> latest_waves(const Plan& plan) {
  std::vector<std::uint32_t> latest(plan.jobs.size());
  std::vector<std::size_t> open(plan.jobs.size());
  std::vector<std::vector<std::size_t>> dependents(plan.jobs.size());
  std::vector<std::size_t> ready;
  for (std::size_t i = 0; i < plan.jobs.size(); ++i) {
    latest[i] = plan.jobs[i].wave;
    open[i] = plan.jobs[i].depends_on.size();
    for (const Dependency& on : plan.jobs[i].depends_on) dependents[on.index].push_back(i);
    if (open[i] == 0) ready.push_back(i);
  }
  while (!ready.empty()) {
    const std::size_t job = ready.back();
    ready.pop_back();
    for (const std::size_t next : dependents[job]) {
      latest[next] = std::max(latest[next], latest[job]);
      if (--open[next] == 0) ready.push_back(next);
    }
  }
  return latest;
}

/// A job of an early wave that waits for one of a later wave waits for ever.
void check_waves(const Plan& plan, const std::vector<Entry>& entries, Problems& problems) {
  if (std::ranges::all_of(plan.jobs, [](const JobSpec& job) { return job.wave == 0; })) return;
  const std::vector<std::uint32_t> latest = latest_waves(plan);
  for (std::size_t i = 0; i < plan.jobs.size(); ++i) {
    if (plan.jobs[i].wave == 0 || latest[i] == plan.jobs[i].wave) continue;
    problems.add(entries[i].written->place,
                 fmt::format("{} is of wave {} and depends on a job of wave {}, which waits for it",
                             entries[i].label, plan.jobs[i].wave, latest[i]));
  }
}

}  // namespace

Plan expand(Document document, const std::string& plan_name, PlanFiles& files, Problems& problems) {
  Plan plan;
  plan.name = document.name ? document.name->value : plan_name;
  plan.concurrency = document.concurrency;
  plan.throttle = document.throttle;
  override_budget(plan.budget, document.budget);
  plan.synthesis = document.synthesis;
  plan.parent_run = document.parent_run;
  plan.rerun_of_jobs = document.rerun_of_jobs;

  read_rows(document, files, problems);
  if (!count_is_right(document, problems)) return plan;

  JobExpander expander(document, plan.name, files, problems);
  std::vector<std::vector<Wanted>> wanted;
  std::vector<std::string> labels;
  bool all_known = !document.list_missing;
  const std::vector<Entry> entries = with_ids(document, problems);
  for (const Entry& entry : entries) {
    ExpandedJob job = expander.expand(*entry.written, entry.origin, entry.id, entry.label);
    plan.jobs.push_back(std::move(job.spec));
    wanted.push_back(std::move(job.wanted));
    labels.push_back(entry.label);
    all_known = all_known && !entry.id.empty();
    if (expander.is_full()) return plan;
  }
  // With a job missing or doubled, every dependency on it would be a problem of its own.
  if (!all_known) return plan;
  resolve_dependencies(plan.jobs, wanted, labels, problems);
  if (problems.none()) check_waves(plan, entries, problems);
  return plan;
}

}  // namespace pievt::plan
