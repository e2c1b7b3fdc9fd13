#include "tools/importers/pi_jobs_steps.h"

#include <algorithm>
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

std::vector<Step> from_log(const Batch& batch) {
  std::vector<Step> steps;
  bool started = false, finished = false;
  for (const Record& record : batch.records) {
    if (record.type == RecordType::other || record.type == RecordType::job_queued) continue;
    const std::uint32_t job = batch.number_of(record.job);
    const std::uint32_t attempt = attempt_ordinal(record.attempt, record.job).value_or(0);
    if (record.type == RecordType::batch_started && std::exchange(started, true)) continue;
    if (record.type == RecordType::batch_finished && std::exchange(finished, true)) continue;
    Step step = step_of(record.type, record.at_ns, job, attempt);
    step.status = record.status;
    step.failure = record.failure;
    step.delay_ms = record.delay_ms;
    step.record = &record;
    steps.push_back(std::move(step));
  }
  return steps;
}

// Puts `step` behind everything that is not later, but after place `from` and before the end of the
// batch. Returns where it is.
std::size_t insert(std::vector<Step>& steps, Step step, std::size_t from) {
  std::size_t at = from;
  for (std::size_t i = from; i < steps.size(); ++i) {
    const Step& other = steps[i];
    if (is(other, RecordType::batch_finished)) break;
    if (step.at_ns != 0 && other.at_ns > step.at_ns) break;
    at = i + 1;  // without a time: as late as may be
  }
  steps.insert(steps.begin() + static_cast<std::ptrdiff_t>(at), std::move(step));
  return at;
}

std::size_t find_step(const std::vector<Step>& steps, RecordType type, std::uint32_t job,
                      std::uint32_t attempt) {
  const auto found = std::ranges::find_if(steps, [&](const Step& step) {
    return is(step, type) && step.job == job && step.attempt == attempt;
  });
  return static_cast<std::size_t>(found - steps.begin());
}

// Adds what the snapshots of one job tell and the log does not.
void complete_job(std::vector<Step>& steps, const Batch& batch, std::uint32_t number) {
  const JobRecord& job = batch.jobs[number - 1];
  std::size_t from = steps.empty() ? 0 : 1;  // behind the start
  for (const AttemptRecord& attempt : job.attempts) {
    if (attempt.ordinal == 0) continue;
    std::size_t began = find_step(steps, RecordType::attempt_started, number, attempt.ordinal);
    if (began == steps.size()) {
      began = insert(
          steps, step_of(RecordType::attempt_started, attempt.started_ns, number, attempt.ordinal),
          from);
    }
    from = std::max(from, began + 1);
    std::size_t ended = find_step(steps, RecordType::attempt_finished, number, attempt.ordinal);
    if (ended == steps.size()) {
      Step step =
          step_of(RecordType::attempt_finished, attempt.finished_ns, number, attempt.ordinal);
      step.status = attempt.status;
      step.failure = attempt.failure;
      ended = insert(steps, std::move(step), from);
    }
    from = std::max(from, ended + 1);
  }
  const bool goes_on = std::ranges::any_of(
      steps.begin() + static_cast<std::ptrdiff_t>(std::min(from, steps.size())), steps.end(),
      [&](const Step& step) {
        return step.job == number && step.observation == nullptr &&
               (step.type == RecordType::job_finished || step.type == RecordType::retry_scheduled ||
                step.type == RecordType::attempt_started);
      });
  // A finish in the log that stands before the last attempt ended counts as well.
  const bool said = job.attempts.empty() && std::ranges::any_of(steps, [&](const Step& step) {
                      return is(step, RecordType::job_finished) && step.job == number;
                    });
  if (goes_on || said || !job_status(job.status)) return;
  Step step = step_of(RecordType::job_finished, job.finished_ns, number, 0);
  step.status = job.status;
  step.failure = job.failure;
  insert(steps, std::move(step), from);
}

// An observation and the step of the log it comes before.
struct Placed {
  std::size_t before = 0;
  Step step;
};

// Where the observations of an attempt go: between its begin and its end, by time.
void place(std::vector<Placed>& placed, const std::vector<Step>& steps,
           std::vector<Step> observations, std::size_t began) {
  std::ranges::stable_sort(observations, {}, &Step::at_ns);
  std::size_t at = began + 1;
  for (Step& step : observations) {
    for (; at < steps.size(); ++at) {
      const Step& other = steps[at];
      if (other.type == RecordType::batch_finished) break;
      if (other.type == RecordType::attempt_finished && other.job == step.job &&
          other.attempt == step.attempt)
        break;
      if (step.at_ns != 0 && other.at_ns > step.at_ns) break;
    }
    placed.push_back({at, std::move(step)});
  }
}

// One pass, so that a long log with many observations costs their sum and not their product.
std::vector<Step> merged(std::vector<Step> steps, std::vector<Placed> placed) {
  std::ranges::stable_sort(placed, [](const Placed& a, const Placed& b) {
    return std::pair(a.before, a.step.at_ns) < std::pair(b.before, b.step.at_ns);
  });
  std::vector<Step> all;
  all.reserve(steps.size() + placed.size());
  std::size_t next = 0;
  for (std::size_t at = 0; at <= steps.size(); ++at) {
    for (; next < placed.size() && placed[next].before == at; ++next)
      all.push_back(std::move(placed[next].step));
    if (at < steps.size()) all.push_back(std::move(steps[at]));
  }
  return all;
}

// pi-jobs says that a job has finished after each of its attempts: only the last time it is true.
void mark_final(std::vector<Step>& steps, std::size_t jobs) {
  std::vector<bool> more(jobs + 1, false);
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    if (step->observation != nullptr || step->job == 0) continue;
    if (step->type == RecordType::job_finished) step->final = !more[step->job];
    if (step->type == RecordType::job_finished || step->type == RecordType::retry_scheduled ||
        step->type == RecordType::attempt_started)
      more[step->job] = true;
  }
}

}  // namespace

Result<std::vector<Step>> steps_of(const Batch& batch, const SourceFiles& files, BlobSink& blobs,
                                   std::vector<FoundAnomaly>& list) {
  AnomalyList anomalies(list);
  std::vector<Step> steps = from_log(batch);
  if (steps.empty() || !is(steps.front(), RecordType::batch_started)) {
    const std::uint64_t at = batch.started_ns;
    if (!steps.empty() || batch.present)
      steps.insert(steps.begin(), step_of(RecordType::batch_started, at, 0, 0));
  }
  const bool ended = std::ranges::any_of(
      steps, [](const Step& step) { return is(step, RecordType::batch_finished); });
  if (!ended && run_ending(batch.status)) {
    Step step = step_of(RecordType::batch_finished, batch.finished_ns, 0, 0);
    step.status = batch.status;
    steps.push_back(std::move(step));
  }
  for (std::uint32_t number = 1; number <= batch.jobs.size(); ++number)
    complete_job(steps, batch, number);
  mark_final(steps, batch.jobs.size());
  std::vector<Placed> placed;
  for (std::size_t began = 0; began < steps.size(); ++began) {
    if (!is(steps[began], RecordType::attempt_started) || steps[began].job == 0) continue;
    const std::uint32_t job = steps[began].job, attempt = steps[began].attempt;
    AttemptStory story =
        PIEVT_TRY(story_of(batch.jobs[job - 1].id, job, attempt, files, blobs, anomalies));
    if (story.has_final) {
      schema::FinalMessageObservedT final;
      final.text = PIEVT_TRY(blobs.put(story.final_text, schema::BlobKind::text));
      final.text_bytes = story.final_text.size();
      final.stop_reason = story.final_stop_reason;
      final.excerpt = story.excerpt();
      final.text_parts = story.text_parts;
      final.thinking_parts = story.thinking_parts;
      final.tool_calls = story.tool_calls;
      Step step =
          step_of(RecordType::other,
                  story.observations.empty() ? 0 : story.observations.back().at_ns, job, attempt);
      step.observation = std::make_unique<Payload>(std::move(final));
      step.blank = story.blank;
      story.observations.push_back(std::move(step));
    }
    place(placed, steps, std::move(story.observations), began);
  }
  return merged(std::move(steps), std::move(placed));
}

}  // namespace pievt::tools::pi_jobs
