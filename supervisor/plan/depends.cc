// See depends.h.
#include "supervisor/plan/depends.h"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "supervisor/plan/glob.h"
#include "supervisor/plan/text.h"

namespace pievt::plan {
namespace {

constexpr std::size_t cycles_shown_max = 5;
constexpr std::size_t cycle_names_max = 12;

/// A longer pattern fits no id, unless it repeats its stars for nothing.
constexpr std::size_t pattern_bytes_max = 2 * limits::id_bytes_max;

class Resolver {
 public:
  Resolver(std::vector<JobSpec>& jobs, const std::vector<std::string>& labels, Problems& problems)
      : jobs_(jobs), labels_(labels), problems_(problems) {
    for (std::uint32_t i = 0; i < jobs.size(); ++i) by_id_.emplace(jobs[i].id, i);
  }

  /// False when there are too many dependencies to go on.
  bool resolve(std::uint32_t index, const std::vector<Wanted>& wanted) {
    std::map<std::uint32_t, When> found;
    for (const Wanted& on : wanted)
      if (on.kind == Wanted::Kind::asked) add_asked(index, on, found);
    for (const Wanted& on : wanted)
      if (on.kind == Wanted::Kind::implied) add_implied(index, on, found);
    total_ += found.size();
    if (total_ > limits::dependencies_max) {
      problems_.add(wanted.front().text->place,
                    fmt::format("more than {} dependencies in all", limits::dependencies_max));
      return false;
    }
    for (const auto& [job, when] : found)
      jobs_[index].depends_on.push_back({jobs_[job].id, job, when});
    for (auto& piece : jobs_[index].prompt)
      if (auto* final = std::get_if<FinalOf>(&piece))
        if (const auto job = by_id_.find(final->job); job != by_id_.end())
          final->index = job->second;
    return true;
  }

 private:
  static void add(std::map<std::uint32_t, When>& found, std::uint32_t job, When when) {
    const auto [at, inserted] = found.emplace(job, when);
    if (!inserted && when == When::success) at->second = when;  // the stricter one holds
  }

  void add_asked(std::uint32_t index, const Wanted& on, std::map<std::uint32_t, When>& found) {
    if (!has_wildcard(on.job)) {
      const auto job = by_id_.find(on.job);
      if (job == by_id_.end()) return no_such_job(index, on, "\"dependsOn\"");
      return add(found, job->second, on.when);
    }
    if (!add_matching(index, on, found))
      problems_.add(on.place(),
                    fmt::format("the pattern {} in \"dependsOn\" of {} fits no other job",
                                shown(on.job), labels_[index]));
  }

  /// Whether the pattern fits any other job.
  bool add_matching(std::uint32_t index, const Wanted& on, std::map<std::uint32_t, When>& found) {
    if (on.job.size() > pattern_bytes_max) return false;
    bool any = false;
    // Ids are sorted, so only those that begin like the pattern are looked at, and of those only
    // the ones that end like it are matched: 10,000 jobs may have 10,000 patterns.
    const std::string prefix = on.job.substr(0, on.job.find_first_of("*?"));
    const std::string suffix = on.job.substr(on.job.find_last_of("*?") + 1);
    for (auto at = by_id_.lower_bound(prefix); at != by_id_.end() && at->first.starts_with(prefix);
         ++at) {
      if (at->second == index || !at->first.ends_with(suffix)) continue;
      if (!glob_matches(on.job, at->first)) continue;
      add(found, at->second, on.when);
      any = true;
    }
    return any;
  }

  void add_implied(std::uint32_t index, const Wanted& on, std::map<std::uint32_t, When>& found) {
    const auto job = by_id_.find(on.job);
    if (job == by_id_.end()) return no_such_job(index, on, "the prompt");
    found.emplace(job->second, on.when);
  }

  void no_such_job(std::uint32_t index, const Wanted& on, std::string_view field) {
    if (!problems_.wants_more()) return problems_.add(on.text->place, "no such job");
    std::vector<std::string_view> ids;
    for (const auto& [id, job] : by_id_) ids.push_back(id);
    const std::string_view near = nearest(on.job, ids);
    problems_.add(on.place(),
                  fmt::format("{} of {} names the job {}, and there is none{}", field,
                              labels_[index], shown(on.job),
                              near.empty() ? "" : fmt::format("; did you mean \"{}\"?", near)));
  }

  std::vector<JobSpec>& jobs_;
  const std::vector<std::string>& labels_;
  Problems& problems_;
  std::map<std::string, std::uint32_t, std::less<>> by_id_;
  std::size_t total_ = 0;
};

/// Walks along dependencies in depth, without recursion: a chain may be 10,000 jobs long.
class CycleFinder {
 public:
  explicit CycleFinder(const std::vector<JobSpec>& jobs)
      : jobs_(jobs), state_(jobs.size(), State::fresh) {}

  /// Some circle that has not been found before, as indexes from a job back to itself, beginning
  /// with the first of them in the plan.
  std::optional<std::vector<std::uint32_t>> next() {
    for (;;) {
      if (path_.empty()) {
        while (start_ < jobs_.size() && state_[start_] != State::fresh) ++start_;
        if (start_ == jobs_.size()) return std::nullopt;
        enter(static_cast<std::uint32_t>(start_));
      }
      Step& step = path_.back();
      const auto& on = jobs_[step.job].depends_on;
      if (step.next == on.size()) {
        state_[step.job] = State::done;
        path_.pop_back();
        continue;
      }
      const std::uint32_t job = on[step.next++].index;
      if (state_[job] == State::fresh)
        enter(job);
      else if (state_[job] == State::on_path)
        return circle_to(job);
    }
  }

 private:
  enum class State : std::uint8_t { fresh, on_path, done };
  struct Step {
    std::uint32_t job;
    std::size_t next;
  };

  void enter(std::uint32_t job) {
    state_[job] = State::on_path;
    path_.push_back({job, 0});
  }

  std::vector<std::uint32_t> circle_to(std::uint32_t job) const {
    std::vector<std::uint32_t> circle;
    for (auto step = path_.rbegin(); step != path_.rend(); ++step) {
      circle.insert(circle.begin(), step->job);
      if (step->job == job) break;
    }
    std::rotate(circle.begin(), std::ranges::min_element(circle), circle.end());
    circle.push_back(circle.front());
    return circle;
  }

  const std::vector<JobSpec>& jobs_;
  std::vector<State> state_;
  std::vector<Step> path_;
  std::size_t start_ = 0;
};

std::string spelled(const std::vector<std::uint32_t>& circle, const std::vector<JobSpec>& jobs) {
  std::string out = jobs[circle.front()].id;
  for (std::size_t i = 1; i < circle.size(); ++i) {
    if (circle.size() > cycle_names_max && i == cycle_names_max - 2) {
      out += fmt::format(" -> … ({} more)", circle.size() - 1 - i);
      i = circle.size() - 1;
    }
    out += " -> " + jobs[circle[i]].id;
  }
  return out;
}

/// The text that makes the job on a circle wait for the next one, or its first dependency.
const Wanted& reason_for(const std::vector<Wanted>& wanted, const std::string& next) {
  for (const Wanted& on : wanted)
    if (on.job == next || (on.kind == Wanted::Kind::asked && glob_matches(on.job, next))) return on;
  return wanted.front();
}

}  // namespace

void resolve_dependencies(std::vector<JobSpec>& jobs,
                          const std::vector<std::vector<Wanted>>& wanted,
                          const std::vector<std::string>& labels, Problems& problems) {
  const std::size_t problems_before = problems.count();
  {
    Resolver resolver(jobs, labels, problems);
    for (std::uint32_t i = 0; i < jobs.size(); ++i)
      if (!wanted[i].empty() && !resolver.resolve(i, wanted[i])) return;
  }
  if (problems.count() > problems_before) return;
  CycleFinder finder(jobs);
  for (std::size_t shown_already = 0; shown_already < cycles_shown_max; ++shown_already) {
    const auto circle = finder.next();
    if (!circle) return;
    const Wanted& reason = reason_for(wanted[circle->front()], jobs[(*circle)[1]].id);
    problems.add(reason.place(),
                 fmt::format("these jobs wait for each other: {}", spelled(*circle, jobs)));
  }
}

}  // namespace pievt::plan
