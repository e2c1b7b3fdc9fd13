// When what happened: times for steps that have none, and one order for all of them.
#include <algorithm>
#include <functional>
#include <queue>
#include <tuple>

#include "tools/importers/pi_jobs_steps.h"

namespace pievt::tools::pi_jobs {
namespace {

std::uint64_t held(std::uint64_t at_ns, std::uint64_t begin_ns, std::uint64_t end_ns) {
  const std::uint64_t not_before = std::max(at_ns, begin_ns);
  return end_ns == 0 ? not_before : std::min(not_before, std::max(begin_ns, end_ns));
}

std::uint64_t earlier(std::uint64_t known_ns, std::uint64_t other_ns) {
  return known_ns == 0 || (other_ns != 0 && other_ns < known_ns) ? other_ns : known_ns;
}

}  // namespace

std::uint64_t start_of(const Batch& batch) {
  const auto begun = std::ranges::find(batch.records, RecordType::batch_started, &Record::type);
  if (begun != batch.records.end() && begun->at_ns != 0) return begun->at_ns;
  if (batch.started_ns != 0) return batch.started_ns;
  if (const auto named = time_in_name(batch.id)) return *named;
  std::uint64_t first = 0;
  for (const Record& record : batch.records) first = earlier(first, record.at_ns);
  for (const JobRecord& job : batch.jobs) {
    first = earlier(first, job.queued_ns);
    for (const AttemptRecord& attempt : job.attempts) first = earlier(first, attempt.started_ns);
  }
  return first;
}

// What has no time of its own happened before what follows it in its file and, at the latest, when
// the attempt ended: a message without one is most often the last thing there is.
void settle_in_order(std::span<Step> told, const Window& window) {
  std::uint64_t next_ns = window.end_ns;
  for (std::size_t at = told.size(); at-- > 0;) {
    Step& step = told[at];
    if (step.at_ns == 0) {
      const bool begins =
          step.observation != nullptr && step.observation->as<schema::SessionStartedT>() != nullptr;
      step.at_ns = begins ? window.begin_ns : next_ns;
    }
    next_ns = step.at_ns;
  }
  std::uint64_t latest_ns = window.begin_ns;
  for (Step& step : told) {
    step.at_ns = held(step.at_ns, latest_ns, window.end_ns);
    latest_ns = step.at_ns;
  }
}

void settle_each(std::span<Step> told, const Window& window) {
  std::uint64_t before_ns = window.begin_ns;
  for (Step& step : told) {
    if (step.at_ns == 0) step.at_ns = before_ns;
    step.at_ns = held(step.at_ns, window.begin_ns, window.end_ns);
    before_ns = step.at_ns;
  }
}

void settle_chain(std::vector<Step>& chain, const Window& window) {
  std::uint64_t latest_ns = window.begin_ns, place = 0;
  for (Step& step : chain) {
    step.at_ns = held(step.at_ns, latest_ns, window.end_ns);
    latest_ns = step.at_ns;
    if (step.place == 0) step.place = place;
    place = std::max(place, step.place);
  }
}

// A heap of the chains' heads, so that a batch of a thousand jobs costs little more than one.
std::vector<Step> merged(std::vector<std::vector<Step>> chains) {
  using Head = std::tuple<std::uint64_t, std::uint64_t, std::size_t>;
  std::priority_queue<Head, std::vector<Head>, std::greater<>> heads;
  std::vector<std::size_t> next(chains.size(), 0);
  std::size_t count = 0;
  const auto enter = [&](std::size_t chain) {
    if (next[chain] == chains[chain].size()) return;
    const Step& step = chains[chain][next[chain]];
    heads.emplace(step.at_ns, step.place, chain);
  };
  for (std::size_t chain = 0; chain < chains.size(); ++chain) {
    count += chains[chain].size();
    enter(chain);
  }
  std::vector<Step> all;
  all.reserve(count);
  while (!heads.empty()) {
    const std::size_t chain = std::get<2>(heads.top());
    heads.pop();
    all.push_back(std::move(chains[chain][next[chain]++]));
    enter(chain);
  }
  return all;
}

}  // namespace pievt::tools::pi_jobs
