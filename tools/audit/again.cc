// Whether it was only this run: its lineage, other runs of the plan, the same error elsewhere, and
// what differs from the last run of the plan that went well.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "store/format/hash.h"
#include "tools/audit/build.h"
#include "tools/audit/words.h"
#include "tools/render/text.h"

namespace pievt::audit {
namespace {

using schema::JobStatus;

std::string digest_of(const schema::BlobRef* ref) {
  if (ref == nullptr) return "";
  std::string text;
  for (const auto byte : *ref->digest().bytes()) text += fmt::format("{:02x}", byte);
  return text;
}

std::string models_of(const RunState& run) {
  std::vector<std::string> models;
  for (const auto& job : run.jobs) {
    std::string model = job->model;
    if (job->declared != nullptr && !job->declared->thinking.empty())
      model += fmt::format(", thinking {}", job->declared->thinking);
    if (!model.empty() && std::ranges::find(models, model) == models.end())
      models.push_back(std::move(model));
  }
  if (models.size() > 3) return fmt::format("{} and {} more", models[0], models.size() - 1);
  return fmt::format("{}", fmt::join(models, "; "));
}

std::string counts_of(const Neighbour& run) {
  const auto ok = std::ranges::count(run.jobs, JobStatus::succeeded, &Neighbour::Job::status);
  return fmt::format("{} of {} jobs ok{}", ok, run.jobs.size(), run.ended ? "" : ", not ended");
}

void add_lineage(RunReport& report, const Neighbour& self, const std::vector<Neighbour>& others) {
  for (const Neighbour& other : others) {
    if (!self.parent_run.empty() && other.run_id == self.parent_run) {
      report.again.push_back({other.run_id, "rerun of", counts_of(other)});
    }
    if (other.parent_run != self.run_id) continue;
    std::string mended, still;
    for (const auto& job : other.jobs) {
      if (!job.rerun_of.starts_with(self.run_id + "/")) continue;
      std::string& into = job.status == JobStatus::succeeded ? mended : still;
      into += fmt::format(" {}", shortened(job.rerun_of.substr(self.run_id.size() + 1), 40));
    }
    std::string text = counts_of(other);
    if (!mended.empty()) text += fmt::format("; mended{}", mended);
    if (!still.empty()) text += fmt::format("; failed again{}", still);
    report.again.push_back({other.run_id, "rerun", shortened(text, 160)});
  }
}

void add_difference(std::vector<std::string>& list, std::string_view what, const std::string& then,
                    const std::string& now) {
  if (then == now) return;
  list.push_back(fmt::format("{} {} -> {}", what, then.empty() ? "(none)" : shortened(then, 40),
                             now.empty() ? "(none)" : shortened(now, 40)));
}

std::string changed_prompts(const Neighbour& self, const Neighbour& good) {
  std::map<std::string, std::string> then;
  for (const auto& job : good.jobs) then[job.id] = job.prompt;
  std::string ids;
  std::size_t count = 0;
  for (const auto& job : self.jobs) {
    const auto known = then.find(job.id);
    if (known == then.end() || known->second == job.prompt) continue;
    if (++count <= 6) ids += fmt::format(" {}", shortened(job.id, 40));
  }
  if (count == 0) return "";
  return fmt::format("prompts of{}{}", ids,
                     count > 6 ? fmt::format(" and {} more", count - 6) : "");
}

// What the last run of the plan that went well had otherwise.
void compare_with_good(RunReport& report, const Neighbour& self, const Neighbour& good) {
  std::vector<std::string> list;
  if (good.plan != self.plan) list.emplace_back("the plan's text");
  add_difference(list, "model", good.models, self.models);
  add_difference(list, "pi", good.pi_version, self.pi_version);
  add_difference(list, "directory", good.cwd, self.cwd);
  add_difference(list, "commit", good.base_commit.substr(0, 12), self.base_commit.substr(0, 12));
  if (good.concurrency != self.concurrency)
    list.push_back(fmt::format("at once {} -> {}", good.concurrency, self.concurrency));
  if (std::string prompts = changed_prompts(self, good); !prompts.empty())
    list.push_back(std::move(prompts));
  report.again.push_back({good.run_id, "last good run of the plan",
                          list.empty() ? "nothing recorded differs from it"
                                       : fmt::format("differs in {}", fmt::join(list, ", "))});
}

void add_same_error(RunReport& report, const Neighbour& self,
                    const std::vector<Neighbour>& others) {
  constexpr std::size_t runs_shown = 3;
  std::vector<std::string> errors;
  for (const auto& job : self.jobs) {
    if (job.status == JobStatus::succeeded || job.error.empty()) continue;
    const std::string key = without_numbers(shortened(job.error, 80));
    if (std::ranges::find(errors, key) == errors.end()) errors.push_back(key);
  }
  for (const std::string& error : errors) {
    std::size_t jobs = 0;
    std::vector<std::string> runs;
    for (const Neighbour& other : others) {
      const auto same = std::ranges::count_if(other.jobs, [&](const auto& job) {
        return !job.error.empty() && without_numbers(shortened(job.error, 80)) == error;
      });
      if (same == 0) continue;
      jobs += static_cast<std::size_t>(same);
      runs.push_back(other.run_id);
    }
    if (runs.empty()) continue;
    // The newest of them is named by the row; the others follow, newest first.
    std::string where;
    for (std::size_t i = 1; i < std::min(runs.size(), runs_shown); ++i)
      where += fmt::format(", {}", runs[runs.size() - 1 - i]);
    if (runs.size() > runs_shown) where += fmt::format(" and {} more", runs.size() - runs_shown);
    report.again.push_back(
        {runs.back(), "same error",
         fmt::format("\"{}\" in {} of {}{}{}", error, render::plural(jobs, "job"),
                     render::plural(runs.size(), "other run"), where.empty() ? "" : ", before in ",
                     where.empty() ? "" : where.substr(2))});
  }
}

}  // namespace

Neighbour neighbour_of(const RunState& run) {
  Neighbour self;
  self.run_id = run.run_id;
  self.name = run.name;
  self.parent_run = run.parent_run;
  self.planned_ns = run.planned_ns;
  self.ended = run.phase == state::RunPhase::finished;
  self.succeeded = self.ended && run.ending == schema::RunEnding::succeeded;
  self.plan = digest_of(run.plan.get());
  self.pi_version = run.pi_version;
  self.models = models_of(run);
  self.cwd = run.cwd;
  self.concurrency = run.concurrency;
  for (const auto& job : run.jobs) {
    Neighbour::Job& row = self.jobs.emplace_back();
    row.id = job->id;
    row.status = job->status;
    row.prompt = digest_of(job->prompt.get());
    if (job->declared != nullptr) row.rerun_of = job->declared->rerun_of;
    if (job->attempts.empty()) continue;
    if (job->status != JobStatus::succeeded) row.error = job->attempts.back()->last_error;
    if (self.base_commit.empty()) self.base_commit = job->attempts.back()->base_commit;
  }
  return self;
}

void add_again(RunReport& report, const Material& material, const BuildOptions& options) {
  const Neighbour self = neighbour_of(material.run);
  add_lineage(report, self, options.others);
  const Neighbour* good = nullptr;
  std::size_t before = 0, later = 0;
  for (const Neighbour& other : options.others) {
    if (self.name.empty() || other.name != self.name || other.run_id == self.run_id) continue;
    ++(other.planned_ns < self.planned_ns ? before : later);
    if (other.planned_ns < self.planned_ns && other.succeeded) good = &other;
  }
  if (good != nullptr) {
    compare_with_good(report, self, *good);
  } else if (report.failed && before > 0) {
    report.again_note.push_back(
        fmt::format("no earlier run of this plan went well ({} before)", before));
  }
  const bool repeats = std::ranges::any_of(
      report.again, [](const auto& other) { return other.relation == "rerun of"; });
  if (before == 0 && later == 0 && !repeats && self.parent_run.empty())
    report.again_note.emplace_back("first run of this plan in this store");
  if (!repeats && !self.parent_run.empty())
    report.again_note.push_back(
        fmt::format("a rerun of {}, which is not in this store", self.parent_run));
  if (later > 0)
    report.again_note.push_back(fmt::format("{} of this plan since", render::plural(later, "run")));
  const bool rerun =
      std::ranges::any_of(report.again, [](const auto& r) { return r.relation == "rerun"; });
  if (report.failed && !rerun) report.again_note.emplace_back("no rerun of it exists");
  add_same_error(report, self, options.others);
}

}  // namespace pievt::audit
