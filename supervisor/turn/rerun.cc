#include "supervisor/turn/rerun.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "pievt/ruleset.h"
#include "pievt/version.h"
#include "supervisor/turn/blob_text.h"

namespace pievt::supervisor {
namespace {

using schema::JobStatus;

bool has_ended(const JobState& job) {
  return job.phase == state::JobPhase::finished;
}

bool is_chosen(const JobState& job, const RerunChoice& choice) {
  const bool named = std::ranges::find(choice.jobs, job.id) != choice.jobs.end();
  switch (choice.which) {
    case RerunChoice::Which::named:
      if (!named) return false;
      break;
    case RerunChoice::Which::not_succeeded:
      if (has_ended(job) && job.status == JobStatus::succeeded) return false;
      break;
    case RerunChoice::Which::all:
      break;
  }
  return choice.kinds.empty() || std::ranges::find(choice.kinds, job.failure) != choice.kinds.end();
}

// The prompt with the last words of jobs that are not run again; what is left of the references
// has its new place and number.
Status settle_finals(Log& log, const RunState& old,
                     const std::map<std::uint32_t, std::uint32_t>& renumbered,
                     schema::JobDeclaredT& job) {
  const auto goes_on = [&](const auto& final) { return renumbered.contains(final->job); };
  if (job.prompt == nullptr || std::ranges::all_of(job.finals, goes_on)) {
    for (const auto& final : job.finals) final->job = renumbered.at(final->job);
    return {};
  }
  std::string prompt = PIEVT_TRY(blob_text(log, *job.prompt));
  // From the back, so that the offsets before stay true; those behind move with it.
  for (std::size_t i = job.finals.size(); i-- > 0;) {
    schema::FinalReferenceT& final = *job.finals[i];
    if (renumbered.contains(final.job)) {
      final.job = renumbered.at(final.job);
      continue;
    }
    const JobState* other = find_job(old, final.job);
    std::string said;
    if (other != nullptr && !other->attempts.empty() && other->attempts.back()->final_message)
      said = PIEVT_TRY(blob_text(log, *other->attempts.back()->final_message));
    if (final.offset > prompt.size() || final.size > prompt.size() - final.offset) continue;
    prompt.replace(final.offset, final.size, said);
    for (std::size_t later = i + 1; later < job.finals.size(); ++later)
      job.finals[later]->offset += said.size() - final.size;
    job.finals.erase(job.finals.begin() + static_cast<std::ptrdiff_t>(i));
  }
  job.prompt =
      std::make_unique<schema::BlobRef>(PIEVT_TRY(log.put_blob(prompt, schema::BlobKind::text)));
  return {};
}

Status settle_dependencies(const RunState& old,
                           const std::map<std::uint32_t, std::uint32_t>& renumbered,
                           schema::JobDeclaredT& job) {
  std::vector<std::unique_ptr<schema::JobDependencyT>> kept;
  for (auto& dependency : job.depends_on) {
    if (const auto found = renumbered.find(dependency->job); found != renumbered.end()) {
      dependency->job = found->second;
      kept.push_back(std::move(dependency));
      continue;
    }
    const JobState* other = find_job(old, dependency->job);
    if (other == nullptr) continue;
    const bool met = has_ended(*other) && (dependency->when == schema::DependsWhen::finished ||
                                           other->status == JobStatus::succeeded);
    if (met) continue;
    return Error{Errc::invalid,
                 fmt::format("job {} needs {}, which has not succeeded and is not run again; take "
                             "it as well: --job {}",
                             job.id, other->id, other->id)};
  }
  job.depends_on = std::move(kept);
  return {};
}

Status check_names(const RunState& old, const RerunChoice& choice) {
  for (const std::string& id : choice.jobs) {
    if (find_job(old, id) == nullptr)
      return Error{Errc::not_found, fmt::format("run {} has no job `{}`", old.run_id, id)};
  }
  return {};
}

}  // namespace

Result<std::vector<RerunJob>> choose_jobs(Log& log, const RunState& old,
                                          const RerunChoice& choice) {
  PIEVT_TRY(check_names(old, choice));
  std::map<std::uint32_t, std::uint32_t> renumbered;
  for (const auto& job : old.jobs) {
    if (job->declared != nullptr && is_chosen(*job, choice))
      renumbered.emplace(job->number, static_cast<std::uint32_t>(renumbered.size() + 1));
  }
  if (renumbered.empty())
    return Error{Errc::not_found, fmt::format("no job of run {} is like that", old.run_id)};
  std::vector<RerunJob> jobs;
  for (const auto& [number, renamed] : renumbered) {
    const JobState& job = *find_job(old, number);
    RerunJob again{number, *job.declared};
    again.declared.rerun_of = fmt::format("{}/{}", old.run_id, job.id);
    PIEVT_TRY(settle_dependencies(old, renumbered, again.declared));
    if (choice.prompt) {
      again.declared.finals.clear();
      again.declared.prompt = std::make_unique<schema::BlobRef>(
          PIEVT_TRY(log.put_blob(*choice.prompt, schema::BlobKind::text)));
    } else {
      PIEVT_TRY(settle_finals(log, old, renumbered, again.declared));
    }
    if (choice.model) again.declared.model = *choice.model;
    jobs.push_back(std::move(again));
  }
  return jobs;
}

Status plan_rerun(RunRecord& record, const RunState& old, std::vector<RerunJob> jobs,
                  std::uint32_t concurrency, const schema::RequesterT& asked_by) {
  schema::RunPlannedT planned;
  planned.run_id = record.run_id();
  planned.kind = old.kind;
  planned.name = old.name;
  if (old.plan != nullptr) planned.plan = std::make_unique<schema::BlobRef>(*old.plan);
  planned.plan_path = old.plan_path;
  planned.job_count = static_cast<std::uint32_t>(jobs.size());
  planned.concurrency = concurrency;
  planned.cwd = old.cwd;
  planned.parent_run = old.run_id;
  planned.ruleset = current_ruleset().name;
  planned.pievt_version = version;
  if (old.budget != nullptr) planned.budget = std::make_unique<schema::BudgetT>(*old.budget);
  if (old.throttle != nullptr)
    planned.throttle = std::make_unique<schema::ThrottlePolicyT>(*old.throttle);
  planned.asked_by = std::make_unique<schema::RequesterT>(asked_by);
  PIEVT_TRY(record.propose({std::move(planned)}));
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    PIEVT_TRY(
        record.propose({std::move(jobs[i].declared), {.job = static_cast<std::uint32_t>(i + 1)}}));
  }
  return record.commit();
}

}  // namespace pievt::supervisor
