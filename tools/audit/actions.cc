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

Price price_of_a_job(const RunState& run) {
  Price price;
  std::int64_t sum = 0;
  for (const auto& job : run.jobs) {
    if (job->status != JobStatus::succeeded || job->usage == nullptr) continue;
    if (job->usage->requests == 0 || job->usage->unreported > 0) continue;
    sum += job->usage->cost_nanodollars;
    price.jobs.push_back(job->number);
  }
  if (!price.jobs.empty()) price.mean = sum / static_cast<std::int64_t>(price.jobs.size());
  return price;
}

void set_price(Action& action, const Price& price, const RunState& run) {
  if (price.jobs.empty()) return;
  action.nanodollars = price.mean * static_cast<std::int64_t>(action.jobs);
  action.priced_by =
      fmt::format("mean of {}", price.jobs.size() <= 4 ? joined(run, price.jobs)
                                                       : fmt::format("{} jobs", price.jobs.size()));
}

std::string rerun_jobs(const std::string& run, const RunState& state,
                       const std::vector<std::uint32_t>& jobs) {
  constexpr std::size_t most = 8;
  if (jobs.size() > most) return fmt::format("pievt rerun {} --failed", run);
  std::string command = fmt::format("pievt rerun {}", run);
  for (const std::uint32_t job : jobs)
    command += fmt::format(" --job {}", pievt::find_job(state, job)->id);
  return command;
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

Action for_provider(Cause& cause, const Material& material, const std::string& run) {
  Action action;
  const bool permanent = cause.kind == FailureKind::provider_permanent;
  action.text = permanent ? "mend the key, the model or the quota first, then run again"
                          : "run again when the provider answers";
  action.command =
      fmt::format("pievt rerun {} --kind {}", run, schema::EnumNameFailureKind(cause.kind));
  action.jobs = cause.jobs.size() + cause.consequences.size();
  tell_delays(action, cause, material);
  return action;
}

Action for_acceptance(const Cause& cause, const Material& material, const std::string& run) {
  Action action;
  action.text = fmt::format("change the prompt or the contract of {}, then run again",
                            joined(material.run, cause.jobs));
  action.command = rerun_jobs(run, material.run, cause.jobs);
  action.jobs = cause.jobs.size() + cause.consequences.size();
  return action;
}

Action for_others(const Cause& cause, const Material& material, const std::string& run) {
  Action action;
  const std::string jobs = joined(material.run, cause.jobs);
  action.text = fmt::format("run {} again", jobs);
  switch (cause.kind) {
    case FailureKind::context_overflow:
    case FailureKind::truncated:
      action.text = fmt::format("split the work of {} or use a model with more room", jobs);
      break;
    case FailureKind::configuration:
    case FailureKind::launch_error:
      action.text = fmt::format("mend what keeps {} from starting, then run again", jobs);
      break;
    case FailureKind::deadline_exceeded:
      action.text = fmt::format("give {} more time or less work, then run again", jobs);
      break;
    default:
      break;
  }
  if (cause.ending == schema::WorkEnding::blocked)
    action.text = fmt::format("do what {} asks for, then run it again", jobs);
  if (cause.ending == schema::WorkEnding::reported_error)
    action.text = fmt::format("read the report of {}, then run it again", jobs);
  action.command = rerun_jobs(run, material.run, cause.jobs);
  action.jobs = cause.jobs.size() + cause.consequences.size();
  return action;
}

void add_contract_advice(RunReport& report) {
  std::optional<std::uint64_t> smallest;
  std::size_t jobs = 0;
  for (const Usable& usable : report.usable) {
    if (!usable.accepted || usable.verdict.find("only asks that") == std::string::npos) continue;
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
  if (!report.ended && report.status == "interrupted") {
    Action action;
    action.text = "go on with it: nobody supervises it";
    action.command = fmt::format("pievt resume {}", report.short_id);
    if (material.extras.pievt_version.empty()) {
      action.text = "it was imported and cannot go on here; run its plan again";
      action.command.clear();
    }
    report.actions.push_back(std::move(action));
  }
  for (Cause& cause : report.causes) {
    const bool provider = cause.kind == FailureKind::provider_transient ||
                          cause.kind == FailureKind::provider_permanent ||
                          cause.kind == FailureKind::provider_stalled;
    const bool contract = cause.kind == FailureKind::acceptance_failed;
    Action action = provider   ? for_provider(cause, material, report.short_id)
                    : contract ? for_acceptance(cause, material, report.short_id)
                               : for_others(cause, material, report.short_id);
    set_price(action, price, material.run);
    cause.command = action.command;
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
