#include "supervisor/planners/budget.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "pievt/ruleset.h"

namespace pievt::planners {
namespace {

using schema::LimitKind;
using state::AttemptPhase;

struct Spent {
  LimitKind limit = LimitKind::unknown;
  std::uint64_t allowed = 0, used = 0;
};

Spending less(Spending all, const Spending& before) {
  all.tokens -= std::min(all.tokens, before.tokens);
  all.nanodollars -= before.nanodollars;
  all.wall_ms -= std::min(all.wall_ms, before.wall_ms);
  return all;
}

std::optional<Spent> compare(const schema::BudgetT& budget, const Spending& spending) {
  if (budget.tokens != 0 && spending.tokens >= budget.tokens)
    return Spent{LimitKind::tokens, budget.tokens, spending.tokens};
  if (budget.cost_nanodollars > 0 && spending.nanodollars >= budget.cost_nanodollars) {
    return Spent{LimitKind::money, static_cast<std::uint64_t>(budget.cost_nanodollars),
                 static_cast<std::uint64_t>(spending.nanodollars)};
  }
  if (budget.wall_ms != 0 && spending.wall_ms >= budget.wall_ms)
    return Spent{LimitKind::wall_time, budget.wall_ms, spending.wall_ms};
  return std::nullopt;
}

Spending run_spending(const RunState& run, const Marks& marks, std::uint64_t now_ns) {
  Spending spending = less(spent_by(run), marks.run_before);
  const std::uint64_t from = marks.wall_from_ns;
  spending.wall_ms = from != 0 && now_ns > from ? (now_ns - from) / 1'000'000 : 0;
  return spending;
}

// Of time, what its attempts took, the one that runs included: what lies between them is not the
// job's.
Spending job_spending(const JobState& job, const Marks& marks, std::uint64_t now_ns) {
  Spending spending = spent_by(job);
  if (!job.attempts.empty()) {
    const AttemptState& last = *job.attempts.back();
    const bool runs = last.phase == AttemptPhase::running || last.phase == AttemptPhase::stopping;
    if (runs && now_ns > last.launched_ns)
      spending.wall_ms += (now_ns - last.launched_ns) / 1'000'000;
  }
  const auto before = marks.job_before.find(job.number);
  return before == marks.job_before.end() ? spending : less(spending, before->second);
}

const schema::BudgetT* budget_of(const JobState& job) {
  return job.declared == nullptr ? nullptr : job.declared->budget.get();
}

bool is_open(LimitKind limit) {
  return limit == LimitKind::unknown || limit == LimitKind::retries;
}

// What runs on after a drain was asked for spends, too.
bool may_spend(const RunState& run) {
  return run.phase == state::RunPhase::running || run.phase == state::RunPhase::paused ||
         (run.phase == state::RunPhase::stopping && run.stop_mode == schema::StopMode::drain);
}

std::string sentence(const Spent& spent) {
  const auto seconds = [](std::uint64_t ms) { return static_cast<double>(ms) / 1000; };
  const auto dollars = [](std::uint64_t nano) { return static_cast<double>(nano) / 1e9; };
  switch (spent.limit) {
    case LimitKind::tokens:
      return fmt::format("{} of {} tokens", spent.used, spent.allowed);
    case LimitKind::money:
      return fmt::format("{:.4g} of {:.4g} dollars", dollars(spent.used), dollars(spent.allowed));
    case LimitKind::wall_time:
      return fmt::format("{:.0f} of {:.0f} seconds", seconds(spent.used), seconds(spent.allowed));
    default:
      return fmt::format("{} of {} retries", spent.used, spent.allowed);
  }
}

NewEvent limit_reached(const Spent& spent, std::uint32_t job) {
  schema::LimitReachedT event;
  event.limit = spent.limit;
  event.allowed = spent.allowed;
  event.used = spent.used;
  return {std::move(event), {.job = job}};
}

void nearer(std::optional<std::uint64_t>& next, std::uint64_t at) {
  next = std::min(next.value_or(at), at);
}

}  // namespace

std::vector<NewEvent> newly_spent(const RunState& run, const Marks& marks, std::uint64_t now_ns) {
  std::vector<NewEvent> events;
  if (!may_spend(run)) return events;
  if (run.budget != nullptr && is_open(run.limit)) {
    if (const auto spent = compare(*run.budget, run_spending(run, marks, now_ns))) {
      events.push_back(limit_reached(*spent, 0));
      schema::RunStopRequestedT stop;
      stop.mode = schema::StopMode::now;
      stop.reason = fmt::format("the run's budget is spent: {}", sentence(*spent));
      events.push_back({std::move(stop), {}, {.causation = {run.revision + 1}, .correlation = {}}});
      return events;
    }
  }
  for (const auto& job : run.jobs) {
    const schema::BudgetT* budget = budget_of(*job);
    if (budget == nullptr || job->phase == state::JobPhase::finished || !is_open(job->limit))
      continue;
    if (const auto spent = compare(*budget, job_spending(*job, marks, now_ns)))
      events.push_back(limit_reached(*spent, job->number));
  }
  return events;
}

std::optional<std::uint64_t> spent_at_ns(const RunState& run, const Marks& marks,
                                         std::uint64_t now_ns) {
  std::optional<std::uint64_t> next;
  const auto left = [&](std::uint64_t budget_ms, std::uint64_t used_ms) {
    if (used_ms < budget_ms) nearer(next, now_ns + (budget_ms - used_ms) * 1'000'000);
  };
  if (!may_spend(run)) return next;
  if (run.budget != nullptr && run.budget->wall_ms != 0 && is_open(run.limit))
    left(run.budget->wall_ms, run_spending(run, marks, now_ns).wall_ms);
  for (const auto& job : run.jobs) {
    const schema::BudgetT* budget = budget_of(*job);
    if (budget == nullptr || budget->wall_ms == 0 || !is_open(job->limit)) continue;
    if (job->phase == state::JobPhase::running)
      left(budget->wall_ms, job_spending(*job, marks, now_ns).wall_ms);
  }
  return next;
}

std::optional<NewEvent> retries_spent(const RunState& run, std::uint32_t number) {
  const JobState* job = find_job(run, number);
  if (job == nullptr) return std::nullopt;
  const schema::BudgetT* own = budget_of(*job);
  if (own != nullptr && own->retries != 0 && retries_of(*job) >= own->retries) {
    if (job->limit != LimitKind::unknown) return std::nullopt;
    return limit_reached({LimitKind::retries, own->retries, retries_of(*job)}, number);
  }
  if (run.budget == nullptr || run.budget->retries == 0 || run.limit != LimitKind::unknown)
    return std::nullopt;
  if (retries_of(run) < run.budget->retries) return std::nullopt;
  return limit_reached({LimitKind::retries, run.budget->retries, retries_of(run)}, 0);
}

}  // namespace pievt::planners
