#include "tools/importers/pi_jobs_steps.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <utility>

namespace pievt::tools::pi_jobs {
namespace {

Step step_of(RecordType type, std::uint64_t at_ns, std::uint32_t job, std::uint32_t attempt) {
  Step step;
  step.type = type;
  step.at_ns = at_ns;
  step.job = job;
  step.attempt = attempt;
  return step;
}

bool is(const Step& step, RecordType type) {
  return step.observation == nullptr && step.type == type;
}

// What is said of each job, in its order; the first chain is of what is said of none.
struct Chains {
  std::optional<Step> started, finished;
  std::vector<std::vector<Step>> of_job;
};

Chains from_log(const Batch& batch) {
  Chains chains;
  chains.of_job.resize(batch.jobs.size() + 1);
  std::map<std::string_view, std::uint32_t> numbers;
  for (std::uint32_t number = 1; number <= batch.jobs.size(); ++number)
    numbers.emplace(batch.jobs[number - 1].id, number);
  std::uint64_t place = 0;
  for (const Record& record : batch.records) {
    ++place;
    if (record.type == RecordType::other || record.type == RecordType::job_queued) continue;
    const auto number = numbers.find(record.job);
    const std::uint32_t job = number == numbers.end() ? 0 : number->second;
    Step step = step_of(record.type, record.at_ns, job,
                        attempt_ordinal(record.attempt, record.job).value_or(0));
    step.place = place;
    step.status = record.status;
    step.failure = record.failure;
    step.delay_ms = record.delay_ms;
    step.record = &record;
    if (record.type == RecordType::batch_started) {
      if (!chains.started) chains.started = std::move(step);
    } else if (record.type == RecordType::batch_finished) {
      if (!chains.finished) chains.finished = std::move(step);
    } else {
      chains.of_job[job].push_back(std::move(step));
    }
  }
  return chains;
}

std::size_t find_step(const std::vector<Step>& chain, RecordType type, std::uint32_t attempt) {
  const auto found = std::ranges::find_if(
      chain, [&](const Step& step) { return is(step, type) && step.attempt == attempt; });
  return static_cast<std::size_t>(found - chain.begin());
}

// Puts `step` behind everything that is not later, between the places `from` and `until`. Returns
// where it is. Without a time it goes as far back as may be, but not behind an end of the job; and
// an attempt ended before its job did, also within the same millisecond.
std::size_t insert(std::vector<Step>& chain, Step step, std::size_t from, std::size_t until) {
  std::size_t at = from;
  for (; at < until; ++at) {
    const Step& other = chain[at];
    const bool job_ends = other.type == RecordType::job_finished;
    if (step.at_ns == 0 ? job_ends : other.at_ns > step.at_ns) break;
    if (job_ends && step.type == RecordType::attempt_finished && other.at_ns == step.at_ns) break;
  }
  chain.insert(chain.begin() + static_cast<std::ptrdiff_t>(at), std::move(step));
  return at;
}

// Adds the begin and the end of an attempt where the log has lost them. Returns the place behind
// them.
std::size_t complete_attempt(std::vector<Step>& chain, const AttemptRecord& attempt,
                             std::uint32_t job, std::size_t from) {
  const auto first_from = [&](std::size_t place, auto belongs) {
    while (place < chain.size() && !belongs(chain[place])) ++place;
    return place;
  };
  std::size_t began = find_step(chain, RecordType::attempt_started, attempt.ordinal);
  if (began == chain.size()) {
    const std::size_t retry = find_step(chain, RecordType::retry_scheduled, attempt.ordinal);
    if (retry != chain.size()) from = std::max(from, retry + 1);
    const std::size_t until =
        first_from(from, [&](const Step& step) { return step.attempt >= attempt.ordinal; });
    began = insert(chain,
                   step_of(RecordType::attempt_started, attempt.started_ns, job, attempt.ordinal),
                   from, until);
  }
  from = std::max(from, began + 1);
  std::size_t ended = find_step(chain, RecordType::attempt_finished, attempt.ordinal);
  if (ended == chain.size()) {
    Step step = step_of(RecordType::attempt_finished, attempt.finished_ns, job, attempt.ordinal);
    step.status = attempt.status;
    step.failure = attempt.failure;
    const std::size_t until =
        first_from(from, [&](const Step& other) { return other.attempt > attempt.ordinal; });
    for (std::size_t at = from; at < until; ++at)
      if (chain[at].attempt == attempt.ordinal) from = at + 1;
    ended = insert(chain, std::move(step), from, until);
  }
  return std::max(from, ended + 1);
}

// Adds what the snapshots of one job tell and the log does not.
void complete_job(std::vector<Step>& chain, const JobRecord& job, std::uint32_t number) {
  std::size_t from = 0;
  for (const AttemptRecord& attempt : job.attempts) {
    if (attempt.ordinal != 0) from = complete_attempt(chain, attempt, number, from);
  }
  const bool goes_on = std::any_of(
      chain.begin() + static_cast<std::ptrdiff_t>(std::min(from, chain.size())), chain.end(),
      [](const Step& step) {
        return step.type == RecordType::job_finished || step.type == RecordType::retry_scheduled ||
               step.type == RecordType::attempt_started;
      });
  // A finish in the log that stands before the last attempt ended counts as well.
  const bool said = job.attempts.empty() && std::ranges::any_of(chain, [](const Step& step) {
                      return is(step, RecordType::job_finished);
                    });
  if (goes_on || said || !job_status(job.status)) return;
  Step step = step_of(RecordType::job_finished, job.finished_ns, number, 0);
  step.status = job.status;
  step.failure = job.failure;
  insert(chain, std::move(step), from, chain.size());
}

// pi-jobs says that a job has finished after each of its attempts: only the last time it is true.
void mark_final(std::vector<Step>& chain) {
  bool more = false;
  for (auto step = chain.rbegin(); step != chain.rend(); ++step) {
    if (step->type == RecordType::job_finished) step->final = !more;
    if (step->type == RecordType::job_finished || step->type == RecordType::retry_scheduled ||
        step->type == RecordType::attempt_started)
      more = true;
  }
}

// Where in the chain an attempt ends, or shows that it has.
std::size_t end_of_attempt(const std::vector<Step>& chain, std::size_t began) {
  const std::uint32_t attempt = chain[began].attempt;
  const auto ends = [&](const Step& step) {
    if (step.type == RecordType::attempt_finished) return step.attempt == attempt;
    return step.type == RecordType::job_finished || step.type == RecordType::retry_scheduled ||
           (step.type == RecordType::attempt_started && step.attempt != attempt);
  };
  const auto from = chain.begin() + static_cast<std::ptrdiff_t>(began) + 1;
  return static_cast<std::size_t>(std::find_if(from, chain.end(), ends) - chain.begin());
}

Window window_of(const std::vector<Step>& chain, std::size_t began, std::size_t ended,
                 const Window& batch) {
  Window window = batch;
  for (std::size_t at = 0; at <= began; ++at) {
    if (chain[at].at_ns != 0) window.begin_ns = std::max(batch.begin_ns, chain[at].at_ns);
  }
  for (std::size_t at = chain.size(); at-- > ended;) {
    if (chain[at].at_ns != 0) window.end_ns = chain[at].at_ns;
  }
  return window;
}

// An observation and the step of the chain it comes before.
struct Placed {
  std::size_t before = 0;
  Step step;
};

class Observing {
 public:
  Observing(const Batch& batch, const SourceFiles& files, BlobSink& blobs, AnomalyList& anomalies,
            const Window& window)
      : batch_(batch), files_(files), blobs_(blobs), anomalies_(anomalies), window_(window) {}

  // Puts what was seen of the job's attempts into its chain.
  Status add_to(std::vector<Step>& chain, std::uint32_t job) {
    std::map<std::uint32_t, std::vector<Step>> labels = take_labels(chain);
    std::vector<Placed> placed;
    for (std::size_t began = 0; began < chain.size(); ++began) {
      const std::uint32_t attempt = chain[began].attempt;
      if (!is(chain[began], RecordType::attempt_started)) continue;
      if (find_step(chain, RecordType::attempt_started, attempt) != began) continue;
      const std::size_t ended = end_of_attempt(chain, began);
      const Window window = window_of(chain, began, ended, window_);
      std::vector<Step> seen = std::move(labels[attempt]);
      settle_each(seen, window);
      PIEVT_TRY(add_story(seen, job, attempt, window));
      chain[began].ran = !seen.empty() || was_running(chain, ended, job, attempt);
      place(placed, chain, std::move(seen), began + 1, ended);
    }
    fill_in(chain, std::move(placed));
    return {};
  }

 private:
  // Labels are put in by time, as observations are: their numbers are those of their writing.
  static std::map<std::uint32_t, std::vector<Step>> take_labels(std::vector<Step>& chain) {
    std::map<std::uint32_t, std::vector<Step>> labels;
    for (const Step& step : chain) {
      if (is(step, RecordType::attempt_started)) labels.try_emplace(step.attempt);
    }
    std::vector<Step> others;
    others.reserve(chain.size());
    for (Step& step : chain) {
      const auto of = labels.find(step.attempt);
      const bool label = is(step, RecordType::activity) && of != labels.end();
      (label ? of->second : others).push_back(std::move(step));
    }
    chain = std::move(others);
    return labels;
  }

  Status add_story(std::vector<Step>& seen, std::uint32_t job, std::uint32_t attempt,
                   const Window& window) {
    AttemptStory story =
        PIEVT_TRY(story_of(batch_.jobs[job - 1].id, job, attempt, files_, blobs_, anomalies_));
    const std::span all(story.observations);
    settle_in_order(all.first(story.from_session), window);
    settle_in_order(all.subspan(story.from_session), window);
    std::vector<Step> last;
    if (story.has_final) {
      last.push_back(PIEVT_TRY(final_of(story, job, attempt)));
      for (schema::SecretFoundT& secret : story.secrets) {
        last.push_back(step_of(RecordType::other, 0, job, attempt));
        last.back().observation = std::make_unique<pievt::Payload>(std::move(secret));
      }
      for (Step& step : last) step.at_ns = all[story.last_message - 1].at_ns;
    }
    const auto middle =
        story.observations.begin() + static_cast<std::ptrdiff_t>(story.from_session);
    std::move(story.observations.begin(), middle, std::back_inserter(seen));
    std::ranges::move(last, std::back_inserter(seen));
    std::move(middle, story.observations.end(), std::back_inserter(seen));
    return {};
  }

  Result<Step> final_of(const AttemptStory& story, std::uint32_t job, std::uint32_t attempt) {
    schema::FinalMessageObservedT final;
    final.text = PIEVT_TRY(blobs_.put(story.final_text, schema::BlobKind::text));
    final.text_bytes = story.final_text.size();
    final.stop_reason = story.final_stop_reason;
    final.excerpt = story.excerpt();
    final.text_parts = story.text_parts;
    final.thinking_parts = story.thinking_parts;
    final.tool_calls = story.tool_calls;
    Step step = step_of(RecordType::other, 0, job, attempt);
    step.observation = std::make_unique<pievt::Payload>(std::move(final));
    step.blank = story.blank;
    return step;
  }

  // Whether an attempt of which nothing was seen had a process all the same.
  bool was_running(const std::vector<Step>& chain, std::size_t ended, std::uint32_t job,
                   std::uint32_t attempt) const {
    if (ended == chain.size() || chain[ended].type != RecordType::attempt_finished) return false;
    if (!chain[ended].failure.empty()) return chain[ended].failure != "launch_error";
    const auto& records = batch_.jobs[job - 1].attempts;
    const auto record = std::ranges::find(records, attempt, &AttemptRecord::ordinal);
    return record == records.end() || record->failure != "launch_error";
  }

  // Each before the first step of the chain that is later, and between `from` and `until`.
  static void place(std::vector<Placed>& placed, const std::vector<Step>& chain,
                    std::vector<Step> seen, std::size_t from, std::size_t until) {
    std::ranges::stable_sort(seen, {}, &Step::at_ns);
    std::size_t at = from;
    for (Step& step : seen) {
      while (at < until && chain[at].at_ns <= step.at_ns) ++at;
      placed.push_back({at, std::move(step)});
    }
  }

  // One pass, so that a long log with many observations costs their sum and not their product.
  static void fill_in(std::vector<Step>& chain, std::vector<Placed> placed) {
    std::ranges::stable_sort(placed, {}, &Placed::before);
    std::vector<Step> all;
    all.reserve(chain.size() + placed.size());
    std::size_t next = 0;
    for (std::size_t at = 0; at <= chain.size(); ++at) {
      for (; next < placed.size() && placed[next].before == at; ++next)
        all.push_back(std::move(placed[next].step));
      if (at < chain.size()) all.push_back(std::move(chain[at]));
    }
    chain = std::move(all);
  }

  const Batch& batch_;
  const SourceFiles& files_;
  BlobSink& blobs_;
  AnomalyList& anomalies_;
  Window window_;
};

}  // namespace

Result<std::vector<Step>> steps_of(const Batch& batch, const SourceFiles& files, BlobSink& blobs,
                                   std::vector<FoundAnomaly>& list) {
  AnomalyList anomalies(list);
  Chains chains = from_log(batch);
  if (!chains.finished && run_ending(batch.status)) {
    chains.finished = step_of(RecordType::batch_finished, batch.finished_ns, 0, 0);
    chains.finished->status = batch.status;
  }
  Window window{.begin_ns = start_of(batch)};
  if (chains.finished && chains.finished->at_ns >= window.begin_ns)
    window.end_ns = chains.finished->at_ns;
  Observing observing(batch, files, blobs, anomalies, window);
  for (std::uint32_t number = 1; number <= batch.jobs.size(); ++number) {
    std::vector<Step>& chain = chains.of_job[number];
    complete_job(chain, batch.jobs[number - 1], number);
    mark_final(chain);
    PIEVT_TRY(observing.add_to(chain, number));
  }
  for (std::vector<Step>& chain : chains.of_job) settle_chain(chain, window);
  std::vector<Step> all = merged(std::move(chains.of_job));
  if (chains.finished) {
    chains.finished->at_ns =
        std::max({window.begin_ns, window.end_ns, all.empty() ? 0 : all.back().at_ns});
    all.push_back(std::move(*chains.finished));
  }
  if (!chains.started && (!all.empty() || batch.present))
    chains.started = step_of(RecordType::batch_started, 0, 0, 0);
  if (chains.started) {
    chains.started->at_ns = window.begin_ns;
    all.insert(all.begin(), std::move(*chains.started));
  }
  return all;
}

}  // namespace pievt::tools::pi_jobs
