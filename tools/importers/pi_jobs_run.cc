#include "tools/importers/pi_jobs_run.h"

#include <algorithm>

#include <fmt/format.h>

#include "supervisor/capture/excerpt.h"
#include "tools/importers/pi_jobs_story.h"

namespace pievt::tools::pi_jobs {

using namespace schema;  // NOLINT(google-build-using-namespace): every name below is an event
using state::AttemptPhase;
using state::JobPhase;
using state::RunPhase;
using supervisor::one_line;

Status RunStory::plan() {
  RunPlannedT planned;
  planned.run_id = batch_.id;
  planned.kind = RunKind::batch;
  planned.name = one_line(batch_.name);
  if (const SourceFile* plan = files_.find("plan.json"))
    planned.plan = PIEVT_TRY(blobs_.put(plan->text(), BlobKind::json));
  planned.plan_path = one_line(batch_.directory);
  planned.job_count = static_cast<std::uint32_t>(batch_.jobs.size());
  planned.concurrency = batch_.concurrency;
  planned.cwd = batch_.cwd;
  planned.parent_run = batch_.parent;
  planned.ruleset = std::string(ruleset);
  // A plan and its jobs were there when the batch began, which the log says in its first line.
  planned_ns_ = batch_.started_ns == 0 ? start_ns_ : std::min(batch_.started_ns, start_ns_);
  tell(std::move(planned), planned_ns_, {});
  for (std::uint32_t number = 1; number <= batch_.jobs.size(); ++number)
    PIEVT_TRY(declare(batch_.jobs[number - 1], number));
  return {};
}

Status RunStory::step(Step&& step) {
  last_ns_ = std::max(last_ns_, step.at_ns);
  if (step.observation != nullptr) {
    if (!teller_.knew_end_of(step.job, step.attempt)) {
      launched(step);
      if (const auto* final = step.observation->as<FinalMessageObservedT>())
        finals_[{step.job, step.attempt}] = {*final, step.blank};
      teller_.tell({.payload = std::move(*step.observation),
                    .subject = about(step),
                    .occurred_ns = step.at_ns});
    }
    return {};
  }
  switch (step.type) {
    case RecordType::batch_started: {
      RunStartedT started;
      // Nobody of ours: a number that no process has.
      started.supervisor = std::make_unique<ProcessIdT>();
      tell(std::move(started), step.at_ns, {});
      return {};
    }
    case RecordType::attempt_started:
      return request(step);
    case RecordType::activity:
      activity(step);
      return {};
    case RecordType::throttled:
      throttle(step);
      return {};
    case RecordType::attempt_finished:
      return finish_attempt(step);
    case RecordType::retry_scheduled:
      retry(step);
      return {};
    case RecordType::job_finished:
      finish_job(step);
      return {};
    case RecordType::batch_finished:
      return finish_run(step);
    default:
      return {};
  }
}

Status RunStory::close() {
  if (told_files_) return {};
  return files_and_anomalies(std::max(last_ns_, start_ns_));
}

const AttemptState* RunStory::attempt_state(const Step& step) const {
  return find_attempt(teller_.state(), step.job, step.attempt);
}

AttemptRecord RunStory::record_of(const Step& step) const {
  if (step.job == 0 || step.job > batch_.jobs.size()) return {};
  const auto& attempts = batch_.jobs[step.job - 1].attempts;
  const auto found = std::ranges::find(attempts, step.attempt, &AttemptRecord::ordinal);
  return found == attempts.end() ? AttemptRecord{} : *found;
}

Status RunStory::declare(const JobRecord& job, std::uint32_t number) {
  JobDeclaredT declared;
  declared.id = one_line(job.id);
  declared.name = job.name;
  if (!job.prompt.empty()) declared.prompt = PIEVT_TRY(blobs_.put(job.prompt, BlobKind::text));
  declared.model = batch_.model;
  declared.thinking = batch_.thinking;
  declared.cwd = job.cwd;
  declared.timeout_ms = job.timeout_ms;
  if (job.contract) declared.acceptance = std::make_unique<AcceptanceT>(*job.contract);
  for (const auto& [key, value] : job.metadata) {
    auto pair = std::make_unique<PairT>();
    pair->key = key;
    pair->value = value;
    if (key == "parentJobId" && !batch_.parent.empty())
      declared.rerun_of = fmt::format("{}/{}", batch_.parent, value);
    declared.metadata.push_back(std::move(pair));
  }
  const std::uint64_t queued_ns = job.queued_ns == 0 ? start_ns_ : job.queued_ns;
  tell(std::move(declared), std::clamp(queued_ns, planned_ns_, start_ns_), {.job = number});
  return {};
}

// Only the last attempt's acceptance survives in the record: the job's file has one.
void RunStory::acceptance(const Step& step, Subject subject) {
  const JobRecord& job = batch_.jobs[step.job - 1];
  const auto decision = gate_decision(job.acceptance);
  const bool known = std::ranges::any_of(teller_.state().gates, [&](const auto& gate) {
    return gate->job == subject.job && gate->attempt == subject.attempt;
  });
  if (!decision || known || subject.attempt == 0) return;
  GateOpenedT opened;
  opened.kind = GateKind::acceptance;
  opened.name = "acceptance";
  tell(std::move(opened), step.at_ns, subject);
  GateDecidedT decided;
  decided.decision = *decision;
  decided.ruleset = std::string(ruleset);
  decided.decided_by = "pi-jobs 0.5";
  for (const CheckRecord& seen : job.checks) {
    auto check = std::make_unique<CheckT>();
    check->kind = seen.name;
    check->target = seen.path;
    check->status = check_status(seen.status).value_or(CheckStatus::unknown);
    check->expected = seen.expected;
    check->actual = seen.actual.empty() ? seen.message : seen.actual;
    decided.checks.push_back(std::move(check));
  }
  tell(std::move(decided), step.at_ns, subject);
}

// An attempt whose end nobody wrote down, in a job or batch that has one.
void RunStory::lose_open(std::uint32_t number, std::uint64_t at_ns) {
  const JobState* job = find_job(teller_.state(), number);
  if (job == nullptr || job->attempts.empty()) return;
  if (job->attempts.back()->phase == AttemptPhase::classified) return;
  const Subject subject{.job = number, .attempt = job->attempts.back()->number};
  AttemptLostT lost;
  lost.detail = "its end is not in the record";
  tell(std::move(lost), at_ns, subject);
  AttemptClassifiedT classified;
  classified.ending = Ending::lost;
  classified.ruleset = std::string(ruleset);
  classified.reason = "its end is not in the record";
  tell(std::move(classified), at_ns, subject);
}

void RunStory::finish_job(const Step& step) {
  const JobState* job = job_state(step);
  if (job == nullptr) return;  // of no job: the anomaly about its line says so
  const JobRecord& record = batch_.jobs[step.job - 1];
  const Subject subject{.job = step.job, .attempt = begun_[step.job]};
  if (job->attempts.size() > subject.attempt) return;  // more of it was told before
  lose_open(step.job, step.at_ns);
  if (step.final) acceptance(step, subject);
  JobJudgedT judged;
  judged.status = job_status(step.status).value_or(JobStatus::unknown);
  judged.failure =
      failure_kind(step.failure)
          .value_or(step.status == "aborted" ? FailureKind::cancelled : FailureKind::unknown);
  judged.retryable = retryable(judged.failure);
  judged.ruleset = std::string(ruleset);
  if (step.final && step.status == record.status) judged.reason = record.error;
  JobFinishedT finished;
  finished.status = judged.status;
  finished.failure = judged.failure;
  finished.reason = judged.reason;
  if (!teller_.knew_verdict(subject.job, subject.attempt))
    tell(std::move(judged), step.at_ns, subject);
  if (step.final && job->phase != JobPhase::finished)
    tell(std::move(finished), step.at_ns, {.job = step.job});
}

Status RunStory::finish_run(const Step& step) {
  for (std::uint32_t number = 1; number <= batch_.jobs.size(); ++number) {
    const JobState* job = find_job(teller_.state(), number);
    if (job == nullptr || job->phase == JobPhase::finished) continue;
    lose_open(number, step.at_ns);
    JobFinishedT finished;
    finished.reason = "the batch ended, and what became of the job is not in the record";
    tell(std::move(finished), step.at_ns, {.job = number});
  }
  PIEVT_TRY(files_and_anomalies(step.at_ns));
  RunFinishedT finished;
  finished.ending = run_ending(step.status).value_or(RunEnding::unknown);
  for (const auto& job : teller_.state().jobs) {
    if (job->status == JobStatus::succeeded) ++finished.succeeded;
    if (job->status == JobStatus::failed) ++finished.failed;
    if (job->status == JobStatus::cancelled) ++finished.cancelled;
  }
  finished.ruleset = std::string(ruleset);
  tell(std::move(finished), step.at_ns, {});
  return {};
}

Status RunStory::files_and_anomalies(std::uint64_t at_ns) {
  told_files_ = true;
  PIEVT_TRY(artifacts("", at_ns, {}));
  for (std::uint32_t number = 1; number <= batch_.jobs.size(); ++number) {
    const std::string name = fmt::format("jobs/{}.json", batch_.jobs[number - 1].id);
    if (const SourceFile* file = files_.find(name))
      PIEVT_TRY(artifact(*file, at_ns, {.job = number}));
  }
  tell_anomalies(at_ns);
  tell_reading(at_ns);
  return {};
}

// How much of the source this run was told from, so that an audit can say what of it is missing.
void RunStory::tell_reading(std::uint64_t at_ns) {
  if (teller_.state().phase == RunPhase::finished) return;
  ImportFinishedT read;
  read.runs = 1;
  for (const auto& job : teller_.state().jobs) {
    ++read.jobs;
    read.attempts += static_cast<std::uint32_t>(job->attempts.size());
  }
  read.records = batch_.record_count;
  read.files = files_.all().size();
  read.bytes = files_.bytes();
  read.anomalies = anomalies_.size();
  tell(read, at_ns, {});
}

void RunStory::tell_secrets(std::string_view text, SecretPlace place, std::string_view where,
                            std::uint64_t at_ns, Subject subject) {
  for (SecretFoundT& secret : secrets_.in(text, place, where))
    tell(std::move(secret), at_ns, subject);
}

void RunStory::tell_anomalies(std::uint64_t at_ns) {
  const std::vector<FoundAnomaly> found = anomalies_;  // telling one may add another
  for (const FoundAnomaly& anomaly : found)
    tell(ImportAnomalyFoundT(anomaly.what), at_ns,
         {.job = anomaly.job, .attempt = anomaly.attempt});
}

// The files right below `directory` that are not told in another way, as they are.
Status RunStory::artifacts(const std::string& directory, std::uint64_t at_ns, Subject subject) {
  for (const SourceFile& file : files_.all()) {
    if (!file.name.starts_with(directory)) continue;
    const std::string_view name = std::string_view(file.name).substr(directory.size());
    if (name.find('/') != std::string_view::npos || file.bytes.size() == 0) continue;
    if (subject.attempt != 0 && (name == "worker-prompt.md" || name == "stderr.txt" ||
                                 (name == "stdout.jsonl" && !is_placeholder(file.text()))))
      continue;
    PIEVT_TRY(artifact(file, at_ns, subject));
  }
  return {};
}

Status RunStory::artifact(const SourceFile& file, std::uint64_t at_ns, Subject subject) {
  ArtifactRecordedT recorded;
  recorded.kind = file.name.ends_with("/session.jsonl")     ? ArtifactKind::session
                  : file.name.ends_with("/job-report.json") ? ArtifactKind::report
                                                            : ArtifactKind::file;
  recorded.path = file.name;
  recorded.size = file.bytes.size();
  recorded.content = PIEVT_TRY(
      blobs_.put(file.text(), file.name.ends_with(".json") ? BlobKind::json : BlobKind::text));
  recorded.reason = "a file of the imported batch";
  recorded.name = file.name.substr(file.name.rfind('/') + 1);
  // A file that was kept before has its secrets told.
  if (tell(std::move(recorded), at_ns, subject))
    tell_secrets(file.text(), SecretPlace::file, file.name, at_ns, subject);
  return {};
}

Status tell_run(RunTeller& teller, const Batch& batch, const SourceFiles& files, BlobSink& blobs,
                std::vector<FoundAnomaly>& anomalies) {
  std::vector<Step> steps = PIEVT_TRY(steps_of(batch, files, blobs, anomalies));
  RunStory story(teller, batch, files, blobs, anomalies);
  PIEVT_TRY(story.plan());
  for (Step& step : steps) PIEVT_TRY(story.step(std::move(step)));
  return story.close();
}

}  // namespace pievt::tools::pi_jobs
