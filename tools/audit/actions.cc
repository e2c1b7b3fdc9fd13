// What a person can do next, and what it will cost. A price is what such work cost in this run.
#include <algorithm>

#include <fmt/format.h>

#include "tools/audit/build.h"
#include "tools/audit/words.h"
#include "tools/render/text.h"

namespace pievt::audit {
namespace {

using schema::FailureKind;
using schema::JobStatus;

/// What the plan's own default waits before a second attempt.
constexpr std::uint64_t default_delay_ms = 1500;

struct Price {
  std::int64_t mean = 0;
  std::vector<std::uint32_t> jobs;  ///< it is the mean of
};

// What a job cost where all of it was reported.
std::optional<std::int64_t> cost_of(const JobState& job) {
  if (job.usage == nullptr || job.usage->requests == 0 || job.usage->unreported > 0)
    return std::nullopt;
  return job.usage->cost_nanodollars;
}

Price price_of_a_job(const RunState& run) {
  Price price;
  std::int64_t sum = 0;
  for (const auto& job : run.jobs) {
    const auto cost = cost_of(*job);
    if (job->status != JobStatus::succeeded || !cost) continue;
    sum += *cost;
    price.jobs.push_back(job->number);
  }
  if (!price.jobs.empty()) price.mean = sum / static_cast<std::int64_t>(price.jobs.size());
  return price;
}

// What work cost the last time is the best guess of what it costs again: a job's own price where
// it ended by its own work and reported everything, else the mean of those that succeeded.
void set_price(Action& action, const Price& price, const RunState& run,
               const std::vector<std::uint32_t>& jobs) {
  std::int64_t sum = 0;
  std::vector<std::uint32_t> own, guessed;
  for (const std::uint32_t number : jobs) {
    const JobState& job = *pievt::find_job(run, number);
    const auto cost = cost_of(job);
    const bool whole = cost && job.phase == state::JobPhase::finished && !is_provider(job.failure);
    sum += whole ? *cost : price.mean;
    (whole ? own : guessed).push_back(number);
  }
  if (jobs.empty() || (!guessed.empty() && price.jobs.empty())) return;
  action.nanodollars = sum;
  const std::string mean =
      fmt::format("mean of {}", price.jobs.size() <= 4 ? joined(run, price.jobs)
                                                       : fmt::format("{} jobs", price.jobs.size()));
  if (guessed.empty()) {
    action.priced_by = own.size() == 1 ? "what it cost" : "what they cost";
  } else if (own.empty()) {
    action.priced_by = mean;
  } else {
    action.priced_by = fmt::format("what {} cost, and for {} the {}", joined(run, own),
                                   joined(run, guessed), mean);
  }
}

// The jobs of causes, and those that failed only because of them.
std::vector<std::uint32_t> all_jobs(const std::vector<const Cause*>& causes) {
  std::vector<std::uint32_t> jobs;
  for (const Cause* cause : causes) {
    jobs.insert(jobs.end(), cause->jobs.begin(), cause->jobs.end());
    jobs.insert(jobs.end(), cause->consequences.begin(), cause->consequences.end());
  }
  std::ranges::sort(jobs);
  return jobs;
}

std::vector<std::uint32_t> not_succeeded(const RunState& run) {
  std::vector<std::uint32_t> jobs;
  for (const auto& job : run.jobs) {
    if (job->status != JobStatus::succeeded) jobs.push_back(job->number);
  }
  return jobs;
}

// The jobs that `rerun --kind` takes: by the recorded kind, and only those that have ended.
std::vector<std::uint32_t> jobs_of_kind(const RunState& run, FailureKind kind) {
  std::vector<std::uint32_t> jobs;
  for (const auto& job : run.jobs) {
    const bool other = job->status == JobStatus::succeeded || job->failure != kind;
    if (!other) jobs.push_back(job->number);
  }
  return jobs;
}

// What runs exactly these jobs again, as short as it can be said.
std::string rerun_jobs(const std::string& run, const RunState& state, FailureKind kind,
                       const std::vector<std::uint32_t>& jobs) {
  constexpr std::size_t few_named = 2, most_named = 40;
  const std::vector<std::uint32_t> all = not_succeeded(state);
  if ((jobs.size() > few_named || is_provider(kind)) && jobs_of_kind(state, kind) == jobs)
    return fmt::format("pievt rerun {} --kind {}", run, schema::EnumNameFailureKind(kind));
  if (jobs.size() > few_named && all == jobs) return fmt::format("pievt rerun {} --failed", run);
  if (jobs.size() > most_named) return "";
  std::string command = fmt::format("pievt rerun {}", run);
  for (const std::uint32_t job : jobs)
    command += fmt::format(" --job {}", pievt::find_job(state, job)->id);
  return command;
}

// So many jobs that naming them is no command any more: what else did not succeed goes with them.
void set_command(Action& action, const std::string& run, const RunState& state, FailureKind kind,
                 const std::vector<std::uint32_t>& jobs) {
  action.command = rerun_jobs(run, state, kind, jobs);
  action.jobs = jobs.size();
  if (!action.command.empty()) return;
  action.command = fmt::format("pievt rerun {} --failed", run);
  action.jobs = not_succeeded(state).size();
  action.text += " (with everything else that did not succeed)";
}

// Whether waiting longer would have helped: the failures went on from the first to the last one
// seen, and a second attempt asks some time after it began.
void tell_delays(Action& action, const Cause& cause, const Material& material) {
  std::uint64_t longest = 0;
  const Kept<schema::JobRetryScheduledT>* shown = nullptr;
  for (const auto& retry : material.extras.retries) {
    if (std::ranges::find(cause.jobs, retry.job) == cause.jobs.end()) continue;
    longest = std::max(longest, retry.what.delay_ms);
    if (shown == nullptr) shown = &retry;
  }
  if (shown == nullptr || cause.end_ns == 0) return;
  const story::Attempt* next = find_attempt(material.story, shown->job, shown->what.attempt);
  if (next == nullptr || next->requests.empty() || !next->requested.known()) return;
  const std::uint64_t warm_up = next->requests.front().answered.at_ns > next->requested.at_ns
                                    ? next->requests.front().answered.at_ns - next->requested.at_ns
                                    : 0;
  std::string text = fmt::format("Retry delay was {}", span_text(longest * 1'000'000));
  if (longest < default_delay_ms) {
    const std::uint64_t would = shown->at_ns + default_delay_ms * 1'000'000 + warm_up;
    text += fmt::format(
        "; at the default {} attempt {} of {} would have asked at about {}, {} the last failure "
        "seen at {}.",
        span_text(default_delay_ms * 1'000'000), shown->what.attempt,
        pievt::find_job(material.run, shown->job)->id,
        render::clock_text(static_cast<std::int64_t>(would), render::Zone::utc),
        would > cause.end_ns ? "after" : "before",
        render::clock_text(static_cast<std::int64_t>(cause.end_ns), render::Zone::utc));
  } else {
    text +=
        fmt::format(", and failures were seen for {}.", span_text(cause.end_ns - cause.begin_ns));
  }
  action.details.push_back(std::move(text));
}

// In words, what has to be done about causes of one kind before their jobs are run again.
std::string advice_on(const Cause& cause, const std::string& jobs) {
  if (cause.ending == schema::WorkEnding::blocked)
    return fmt::format("do what {} asks for, then run it again", jobs);
  if (cause.ending == schema::WorkEnding::reported_error)
    return fmt::format("read the report of {}, then run it again", jobs);
  switch (cause.kind) {
    case FailureKind::provider_permanent:
      return "mend the key, the model or the quota first, then run again";
    case FailureKind::provider_transient:
    case FailureKind::provider_stalled:
      return "run again when the provider answers";
    case FailureKind::acceptance_failed:
      return fmt::format("change the prompt or the contract of {}, then run again", jobs);
    case FailureKind::context_overflow:
    case FailureKind::truncated:
      return fmt::format("split the work of {} or use a model with more room", jobs);
    case FailureKind::configuration:
    case FailureKind::launch_error:
      return fmt::format("mend what keeps {} from starting, then run again", jobs);
    case FailureKind::deadline_exceeded:
      return fmt::format("give {} more time or less work, then run again", jobs);
    default:
      return fmt::format("run {} again", jobs);
  }
}

// Causes that one thing mends: the provider's of one kind, and every other one by itself.
std::vector<std::vector<Cause*>> mended_together(std::vector<Cause>& causes) {
  std::vector<std::vector<Cause*>> groups;
  for (Cause& cause : causes) {
    const auto same = std::ranges::find_if(groups, [&](const auto& group) {
      return is_provider(cause.kind) && group.front()->kind == cause.kind;
    });
    if (same == groups.end()) {
      groups.push_back({&cause});
    } else {
      same->push_back(&cause);
    }
  }
  return groups;
}

// Whether its jobs are still to be gone on with, by the run itself or by resuming it.
bool goes_on(const Cause& cause, const RunState& run) {
  return std::ranges::all_of(cause.jobs, [&](std::uint32_t job) {
    return pievt::find_job(run, job)->phase != state::JobPhase::finished;
  });
}

Action action_for(const std::vector<Cause*>& causes, const Material& material,
                  const std::string& run) {
  std::vector<std::uint32_t> failed;
  for (Cause* cause : causes) {
    failed.insert(failed.end(), cause->jobs.begin(), cause->jobs.end());
    cause->command = rerun_jobs(run, material.run, cause->kind, all_jobs({cause}));
  }
  std::ranges::sort(failed);
  const Cause& first = *causes.front();
  Action action;
  action.text = advice_on(first, joined(material.run, failed));
  set_command(action, run, material.run, first.kind, all_jobs({causes.begin(), causes.end()}));
  if (is_provider(first.kind)) {
    for (const Cause* cause : causes) tell_delays(action, *cause, material);
  }
  if (causes.size() == 1) causes.front()->command = action.command;
  return action;
}

// What goes on with a run that nobody supervises.
Action go_on(const RunReport& report, const Material& material, const Price& price) {
  Action action;
  if (!material.extras.pievt_version.empty()) {
    action.text = "go on with it: nobody supervises it";
    action.command = fmt::format("pievt resume {}", report.short_id);
    return action;
  }
  const std::vector<std::uint32_t> jobs = not_succeeded(material.run);
  action.text = "it was imported and cannot go on here; run what did not succeed again";
  action.command = fmt::format("pievt rerun {} --failed", report.short_id);
  action.jobs = jobs.size();
  set_price(action, price, material.run, jobs);
  return action;
}

void add_contract_advice(RunReport& report) {
  std::optional<std::uint64_t> smallest;
  std::size_t jobs = 0;
  for (const Usable& usable : report.usable) {
    if (!usable.accepted || !usable.existence_only) continue;
    ++jobs;
    for (const Product& product : usable.products) {
      if (product.bytes) smallest = std::min(smallest.value_or(*product.bytes), *product.bytes);
    }
  }
  if (jobs == 0) return;
  Action action;
  action.text = "add minBytes, a pattern or a command to the contract: that a path is there ";
  action.text += smallest
                     ? fmt::format("was enough for a file of {} bytes", *smallest)
                     : fmt::format("was all that was asked of {}", render::plural(jobs, "job"));
  report.actions.push_back(std::move(action));
}

}  // namespace

void add_actions(RunReport& report, const Material& material, const Ruleset&) {
  const Price price = price_of_a_job(material.run);
  if (!report.ended && report.status == "interrupted")
    report.actions.push_back(go_on(report, material, price));
  for (const std::vector<Cause*>& causes : mended_together(report.causes)) {
    Action action = action_for(causes, material, report.short_id);
    const auto open = [&](const Cause* cause) { return goes_on(*cause, material.run); };
    if (std::ranges::all_of(causes, open)) continue;
    const std::vector<std::uint32_t> jobs = all_jobs({causes.begin(), causes.end()});
    set_price(action, price, material.run,
              action.jobs == jobs.size() ? jobs : not_succeeded(material.run));
    report.actions.push_back(std::move(action));
  }
  if (material.extras.patches > 0 && report.jobs_ok > 0) {
    Action action;
    action.text = "bring the accepted patches into your tree, one by one";
    action.command = fmt::format("pievt apply {}", report.short_id);
    report.actions.push_back(std::move(action));
  }
  add_contract_advice(report);
}

}  // namespace pievt::audit
