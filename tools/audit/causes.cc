// First causes: jobs that failed for the same reason are one cause, and jobs that failed only
// because another one did are its consequences. A morning with forty red jobs has mostly two
// causes.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "tools/audit/build.h"
#include "tools/audit/unmet.h"
#include "tools/audit/words.h"
#include "tools/render/text.h"

namespace pievt::audit {
namespace {

using schema::FailureKind;
using schema::JobStatus;
using schema::WorkEnding;

struct Failed {
  const JobState* job = nullptr;
  Judgement judgement;
  std::string key;
};

std::string error_of(const JobState& job) {
  return job.attempts.empty() ? job.reason : job.attempts.back()->last_error;
}

// As recorded, or as the error begins: pi puts the status before the words.
std::uint32_t http_of(const AttemptState& attempt) {
  if (attempt.http_status != 0) return attempt.http_status;
  const std::string& error = attempt.last_error;
  const auto digit = [&](std::size_t i) {
    return i < error.size() && error[i] >= '0' && error[i] <= '9';
  };
  if (!digit(0) || !digit(1) || !digit(2) || digit(3)) return 0;
  const auto status =
      static_cast<std::uint32_t>((error[0] - '0') * 100 + (error[1] - '0') * 10 + (error[2] - '0'));
  return status >= 400 && status <= 599 ? status : 0;
}

std::string key_of(const RunState& run, const JobState& job, const Judgement& judgement) {
  if (judgement.status == JobStatus::blocked) return "blocked " + judgement.reason;
  if (is_provider(judgement.failure)) {
    const AttemptState& last = *job.attempts.back();
    if (const std::uint32_t status = http_of(last); status != 0)
      return fmt::format("provider {}", status);
    return fmt::format("provider {}", without_numbers(shortened(last.last_error, 60)));
  }
  if (judgement.failure == FailureKind::acceptance_failed)
    return "acceptance " + unmet_checks(run, job, Naming::generally);
  return fmt::format("{} {} {}", schema::EnumNameFailureKind(judgement.failure),
                     schema::EnumNameWorkEnding(judgement.ending),
                     judgement.failure == FailureKind::launch_error ||
                             judgement.failure == FailureKind::configuration
                         ? without_numbers(error_of(job))
                         : "");
}

// A job that has not ended, and what is in its way as far as the record goes: its last attempt
// failed, or the last request of the one that runs did.
std::optional<Judgement> in_the_way(const Material& material, const Ruleset& ruleset,
                                    const JobState& job) {
  const AttemptState& last = *job.attempts.back();
  if (last.phase == state::AttemptPhase::classified) {
    Judgement judgement = judge_again(ruleset, material.run, job);
    if (judgement.status == JobStatus::succeeded || judgement.failure == FailureKind::none)
      return std::nullopt;
    return judgement;
  }
  const story::Attempt* attempt = find_attempt(material.story, job.number, last.number);
  const bool down = attempt != nullptr && !attempt->requests.empty() &&
                    attempt->requests.back().failed && !last.last_error.empty();
  if (!down) return std::nullopt;
  Judgement judgement;
  judgement.status = JobStatus::failed;
  judgement.failure = FailureKind::provider_transient;
  return judgement;
}

std::vector<Failed> failed_jobs(const Material& material, const Ruleset& ruleset) {
  const RunState& run = material.run;
  std::vector<Failed> all;
  for (const auto& job : run.jobs) {
    if (job->attempts.empty()) continue;
    if (job->phase != state::JobPhase::finished) {
      if (auto judgement = in_the_way(material, ruleset, *job)) {
        std::string key = key_of(run, *job, *judgement);
        all.push_back({job.get(), std::move(*judgement), std::move(key)});
      }
      continue;
    }
    if (job->status == JobStatus::succeeded || job->status == JobStatus::skipped ||
        job->status == JobStatus::cancelled)
      continue;
    Failed failed{job.get(), judge_again(ruleset, run, *job), {}};
    // Where today's rules see no failure the recorded verdict is what has to be explained.
    if (failed.judgement.status == JobStatus::succeeded) failed.judgement.failure = job->failure;
    failed.key = key_of(run, *job, failed.judgement);
    all.push_back(std::move(failed));
  }
  return all;
}

struct Requests {
  std::uint64_t total = 0, failed = 0;
  std::uint64_t first_ns = 0, last_ns = 0;
  Events events;

  void add(const story::Attempt& attempt) {
    for (const story::Request& request : attempt.requests) {
      ++total;
      if (request.failed) note(request.answered);
    }
    // Retries that pi announced without a message of their own are failures as well.
    if (attempt.requests.empty()) {
      for (const story::ProviderRetry& retry : attempt.retries) {
        ++total;
        note(retry.began);
      }
    }
  }
  void note(const story::Mark& at) {
    ++failed;
    first_ns = first_ns == 0 ? at.at_ns : std::min(first_ns, at.at_ns);
    last_ns = std::max(last_ns, at.at_ns);
    add_event(events, at.revision);
  }
};

// How the attempts of its jobs ended.
void add_ends(Cause& cause, const Material& material) {
  for (const std::uint32_t job : cause.jobs) {
    for (const std::uint32_t place : material.story.jobs[job - 1].attempts)
      add_event(cause.events, material.story.attempts[place].classified.revision);
  }
}

void tell_provider(Cause& cause, const Material& material) {
  Requests own, inside, outside;
  for (const std::uint32_t job : cause.jobs) {
    for (const std::uint32_t place : material.story.jobs[job - 1].attempts)
      own.add(material.story.attempts[place]);
  }
  cause.begin_ns = own.first_ns;
  cause.end_ns = own.last_ns;
  for (const story::Attempt& attempt : material.story.attempts) {
    if (std::ranges::find(cause.jobs, attempt.job) != cause.jobs.end()) continue;
    for (const story::Request& request : attempt.requests) {
      const bool within =
          request.answered.at_ns >= own.first_ns && request.answered.at_ns <= own.last_ns;
      Requests& side = within ? inside : outside;
      ++side.total;
      if (request.failed) side.note(request.answered);
    }
  }
  const JobState& job = *pievt::find_job(material.run, cause.jobs.front());
  const AttemptState& last = *job.attempts.back();
  const std::uint32_t status = http_of(last);
  const std::string what = status != 0 ? fmt::format("answered HTTP {}", status)
                                       : "failed: " + shortened(last.last_error, 60);
  cause.title = fmt::format("provider {}", what);
  if (own.last_ns > own.first_ns)
    cause.title += fmt::format(" for {}", span_text(own.last_ns - own.first_ns));
  if (own.total > 0)
    cause.seen = fmt::format("{} of {} recorded requests failed", own.failed, own.total);
  cause.events = own.events;
  if (own.failed == 0) {
    // Only the verdicts on the attempts tell of it: there is no moment to ask others about.
    add_ends(cause, material);
    cause.details.emplace_back(
        "The record has no requests of these jobs: when it began and how "
        "long it lasted is not known.");
    return;
  }
  if (outside.total > 0) {
    cause.details.push_back(
        fmt::format("{} of {} requests of other jobs outside this window succeeded.",
                    outside.total - outside.failed, outside.total));
  }
  if (inside.total == 0) {
    cause.details.push_back(fmt::format(
        "No request of another job fell inside it, so an outage and \"{}\" cannot be told apart "
        "from this record.",
        cause.jobs.size() == 1 ? "this prompt"
                               : fmt::format("these {} prompts", cause.jobs.size())));
  } else if (inside.failed == 0) {
    cause.details.push_back(fmt::format(
        "{} requests of other jobs inside it succeeded: not everything was down.", inside.total));
  } else {
    cause.details.push_back(fmt::format(
        "Inside it {} of {} requests of other jobs failed too, and those jobs got through.",
        inside.failed, inside.total));
  }
}

bool called_a_writer(const Material& material, std::uint32_t job) {
  const auto files = material.files.find(job);
  return files != material.files.end() && !files->second.empty();
}

void tell_acceptance(Cause& cause, const Material& material) {
  bool nothing = true, shells = false;
  for (const std::uint32_t job : cause.jobs) {
    nothing = nothing && !called_a_writer(material, job);
    for (const std::uint32_t place : material.story.jobs[job - 1].attempts) {
      for (const story::ToolCall& call : material.story.attempts[place].tools)
        shells = shells || call.tool == "bash";
    }
    const JobState& state = *pievt::find_job(material.run, job);
    if (const GateState* gate = asked_gate(material.run, job, state.attempts.back()->number))
      add_event(cause.events, gate->decided_revision);
  }
  const JobState& first = *pievt::find_job(material.run, cause.jobs.front());
  cause.title = nothing ? "worker said it was done and wrote nothing"
                : only_writes_unmet(material.run, first)
                    ? "worker wrote where it must not"
                    : "worker said it was done, and the contract is not met";
  const Naming naming = cause.jobs.size() == 1 ? Naming::exactly : Naming::generally;
  cause.seen = "contract: " + shortened(unmet_checks(material.run, first, naming), 160);
  if (nothing) {
    cause.details.push_back(
        fmt::format("No write or edit call in {}{}. Same prompt again: expect the same.",
                    cause.jobs.size() == 1 ? "its session" : "any of their sessions",
                    shells ? "; what their shell commands wrote was not seen" : ""));
  } else {
    cause.details.emplace_back("Same prompt again: expect the same.");
  }
}

// Of its jobs, those that have not ended, and what they were at when the record stops.
void tell_open(Cause& cause, const RunState& run) {
  std::vector<std::uint32_t> waiting, running;
  for (const std::uint32_t number : cause.jobs) {
    const JobState& job = *pievt::find_job(run, number);
    if (job.phase == state::JobPhase::finished) continue;
    (job.phase == state::JobPhase::running ? running : waiting).push_back(number);
  }
  if (!waiting.empty()) {
    cause.details.push_back(fmt::format("{} {} not ended: another attempt was to follow.",
                                        joined(run, waiting),
                                        waiting.size() == 1 ? "has" : "have"));
  }
  if (!running.empty()) {
    cause.details.push_back(
        fmt::format("{} {} not ended: an attempt was running, and what became "
                    "of it is not recorded.",
                    joined(run, running), running.size() == 1 ? "has" : "have"));
  }
}

void tell_other(Cause& cause, const Material& material, const Judgement& judgement) {
  const JobState& job = *pievt::find_job(material.run, cause.jobs.front());
  for (const std::uint32_t number : cause.jobs) {
    const JobState& each = *pievt::find_job(material.run, number);
    const bool reported =
        judgement.status == JobStatus::blocked || judgement.ending == WorkEnding::reported_error;
    add_event(cause.events, reported && each.attempts.back()->report_revision != 0
                                ? each.attempts.back()->report_revision
                                : each.judged_revision);
  }
  if (judgement.status == JobStatus::blocked) {
    cause.title = judgement.reason;
    cause.details.emplace_back("Do not run it again before that is done.");
    return;
  }
  cause.title = std::string(label_of(judgement.failure));
  if (judgement.ending == WorkEnding::reported_error) {
    cause.title = "the worker reported an error";
    cause.seen = shortened(job.attempts.back()->report_summary);
    return;
  }
  const AttemptState& last = *job.attempts.back();
  if (judgement.failure == FailureKind::killed) {
    cause.title = fmt::format("signal {}, sent by {}", last.signal,
                              schema::EnumNameSignalSender(last.sender));
  }
  const std::string error = last.last_error.empty() ? last.reason : last.last_error;
  cause.seen = shortened(last.launch_error.empty() ? error : last.launch_error);
}

// A skipped job belongs to the cause of the job it waited for, however long the chain.
void fold_consequences(RunReport& report, const RunState& run) {
  std::map<std::uint32_t, Cause*> cause_of;
  for (Cause& cause : report.causes) {
    for (const std::uint32_t job : cause.jobs) cause_of[job] = &cause;
  }
  for (bool grew = true; grew;) {
    grew = false;
    for (const auto& job : run.jobs) {
      if (job->status != JobStatus::skipped || cause_of.contains(job->number)) continue;
      for (const auto& dependency : job->depends_on) {
        const auto found = cause_of.find(dependency->job);
        if (found == cause_of.end()) continue;
        found->second->consequences.push_back(job->number);
        cause_of[job->number] = found->second;
        grew = true;
        break;
      }
    }
  }
}

}  // namespace

void add_causes(RunReport& report, const Material& material, const Ruleset& ruleset) {
  std::vector<std::pair<Cause, Judgement>> causes;
  std::map<std::string, std::size_t> places;
  for (Failed& failed : failed_jobs(material, ruleset)) {
    const auto [place, fresh] = places.emplace(failed.key, causes.size());
    if (fresh) {
      Cause cause;
      cause.kind = failed.judgement.failure;
      cause.ending = failed.judgement.ending;
      causes.emplace_back(std::move(cause), failed.judgement);
    }
    causes[place->second].first.jobs.push_back(failed.job->number);
  }
  std::ranges::stable_sort(causes, [](const auto& a, const auto& b) {
    return a.first.jobs.size() > b.first.jobs.size();
  });
  for (auto& [cause, judgement] : causes) {
    if (is_provider(cause.kind)) {
      tell_provider(cause, material);
    } else if (cause.kind == FailureKind::acceptance_failed) {
      tell_acceptance(cause, material);
    } else {
      tell_other(cause, material, judgement);
    }
    tell_open(cause, material.run);
    cause.number = static_cast<std::uint32_t>(report.causes.size()) + 1;
    report.causes.push_back(std::move(cause));
  }
  fold_consequences(report, material.run);
}

}  // namespace pievt::audit
