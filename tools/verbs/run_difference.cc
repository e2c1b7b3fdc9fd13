#include "tools/verbs/run_difference.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include <fmt/format.h>

#include "pievt/bytes.h"
#include "supervisor/plan/canonical.h"
#include "supervisor/plan/read_plan.h"

namespace pievt::tools {
namespace {

using schema::JobStatus;

// Bytes are compared: `==` of a generated struct compares where its arrays lie.
bool same_blob(const schema::BlobRef* a, const schema::BlobRef* b) {
  return (a == nullptr) == (b == nullptr) &&
         (a == nullptr || std::memcmp(&a->digest(), &b->digest(), sizeof(schema::Digest)) == 0);
}

std::optional<schema::BlobRef> copy(const schema::BlobRef* blob) {
  return blob == nullptr ? std::nullopt : std::optional(*blob);
}

std::string ending_of(const JobState& job) {
  return job.phase == state::JobPhase::finished ? schema::EnumNameJobStatus(job.status)
                                                : state::EnumNameJobPhase(job.phase);
}

struct Pair {
  std::uint32_t a = 0, b = 0;  ///< numbers; 0: the side has none
};

// By id; what has no partner then, by what it was asked with which model, where that is the only
// one of its kind.
std::vector<Pair> pairs_of(const RunState& a, const RunState& b) {
  std::unordered_map<std::string_view, std::uint32_t> by_id;
  for (const auto& job : b.jobs) by_id.emplace(job->id, job->number);
  std::vector<Pair> pairs;
  std::vector<bool> taken(b.jobs.size() + 1);
  for (const auto& job : a.jobs) {
    const auto found = by_id.find(job->id);
    const std::uint32_t partner = found == by_id.end() ? 0 : found->second;
    taken[partner] = true;
    pairs.push_back({job->number, partner});
  }
  const auto content = [](const JobState& job) {
    std::string key = job.model + "\n";
    if (job.prompt != nullptr)
      key.append(reinterpret_cast<const char*>(&job.prompt->digest()), sizeof(schema::Digest));
    return key;
  };
  std::unordered_map<std::string, std::vector<std::uint32_t>> left;
  for (const auto& job : b.jobs)
    if (!taken[job->number]) left[content(*job)].push_back(job->number);
  for (Pair& pair : pairs) {
    const JobState& job = *a.jobs[pair.a - 1];
    if (pair.b != 0 || job.prompt == nullptr) continue;
    const auto found = left.find(content(job));
    if (found == left.end() || found->second.size() != 1) continue;
    pair.b = found->second.front();
    taken[pair.b] = true;
    left.erase(found);
  }
  for (const auto& job : b.jobs)
    if (!taken[job->number]) pairs.push_back({0, job->number});
  return pairs;
}

const story::Attempt* attempt_of(const RunStory& story, std::uint32_t job, std::size_t index) {
  if (job == 0 || job > story.jobs.size()) return nullptr;
  const auto& places = story.jobs[job - 1].attempts;
  return index < places.size() ? &story.attempts[places[index]] : nullptr;
}

// What attempts did is compared step by step, and texts are compared as texts.
bool told_elsewhere(const FieldChange& change) {
  return change.path.starts_with("attempts[") || change.path.starts_with("attempts") ||
         change.path.find("prompt") != std::string::npos || change.path == "id";
}

class Comparison {
 public:
  Comparison(RunSide& a, RunSide& b) : a_(a), b_(b) {}

  Result<RunDifference> run() {
    out_.label_a = a_.label;
    out_.label_b = b_.label;
    out_.fields = lasting(
        changes_between(PIEVT_TRY(leaves_of_run(a_.state)), PIEVT_TRY(leaves_of_run(b_.state))));
    std::erase_if(out_.fields, [](const FieldChange& change) {
      return change.path == "name" && change.before.empty();
    });
    for (const Pair& pair : pairs_of(a_.state, b_.state)) keep(PIEVT_TRY(job_difference(pair)));
    if (!out_.first && !out_.fields.empty()) {
      const FieldChange& field = out_.fields.front();
      out_.first =
          FirstDifference{"run", field.path + " " + field.before, field.path + " " + field.after,
                          a_.state.revision, b_.state.revision};
    }
    return std::move(out_);
  }

  Result<RunDifference> jobs(const Pair& pair) {
    out_.label_a = a_.label;
    out_.label_b = b_.label;
    keep(PIEVT_TRY(job_difference(pair)));
    return std::move(out_);
  }

  Result<RunDifference> attempts(const RunPiece& in_a, const RunPiece& in_b) {
    out_.label_a = a_.label;
    out_.label_b = b_.label;
    JobDifference out;
    out.id_a = job(a_, in_a.job)->id;
    out.id_b = job(b_, in_b.job)->id;
    const story::Attempt* a = attempt_of(a_.story, in_a.job, *in_a.attempt - 1);
    const story::Attempt* b = attempt_of(b_.story, in_b.job, *in_b.attempt - 1);
    if (a == nullptr || b == nullptr)
      return Error{Errc::not_found, "one of the attempts had not begun at that moment"};
    out.ending_a = schema::EnumNameEnding(a->ending);
    out.ending_b = schema::EnumNameEnding(b->ending);
    attempt(out, fmt::format("{}/{}", out.id_a, a->number), a, b);
    keep(std::move(out));
    return std::move(out_);
  }

 private:
  void keep(JobDifference job) {
    if (job.empty()) {
      ++out_.same_jobs;
    } else {
      out_.jobs.push_back(std::move(job));
    }
  }

  const JobState* job(const RunSide& side, std::uint32_t number) const {
    return number == 0 ? nullptr : side.state.jobs[number - 1].get();
  }

  Result<JobDifference> job_difference(const Pair& pair) {
    JobDifference out;
    const JobState* a = job(a_, pair.a);
    const JobState* b = job(b_, pair.b);
    if (a != nullptr) out.id_a = a->id, out.ending_a = ending_of(*a);
    if (b != nullptr) out.id_b = b->id, out.ending_b = ending_of(*b);
    if (a == nullptr || b == nullptr) {
      out.revision_a = a == nullptr ? 0 : a->declared_revision;
      out.revision_b = b == nullptr ? 0 : b->declared_revision;
      first(out, out.id_a.empty() ? out.id_b : out.id_a, a == nullptr ? "" : "declared",
            b == nullptr ? "" : "declared", out.revision_a, out.revision_b);
      return out;
    }
    out.fields = lasting(changes_between(PIEVT_TRY(leaves_of_job(a_.state, pair.a)),
                                         PIEVT_TRY(leaves_of_job(b_.state, pair.b))));
    std::erase_if(out.fields, told_elsewhere);
    if (!same_blob(a->prompt.get(), b->prompt.get())) {
      out.prompt_a = copy(a->prompt.get());
      out.prompt_b = copy(b->prompt.get());
      out.words_a = VolatileWords(a_.state);
      out.words_b = VolatileWords(b_.state);
      forget_volatile(out);
    }
    if (out.prompt_a || out.prompt_b)
      first(out, a->id, "its prompt", "its prompt", a->declared_revision, b->declared_revision);
    attempts(out, pair);
    if (!out.fields.empty()) {
      const FieldChange& field = out.fields.front();
      const bool declared = field.path.starts_with("declared.");
      first(out, a->id, field.path + " " + field.before, field.path + " " + field.after,
            declared ? a->declared_revision : std::max(a->finished_revision, a->judged_revision),
            declared ? b->declared_revision : std::max(b->finished_revision, b->judged_revision));
    }
    return out;
  }

  void attempts(JobDifference& out, const Pair& pair) {
    for (std::size_t i = 0;; ++i) {
      const story::Attempt* a = attempt_of(a_.story, pair.a, i);
      const story::Attempt* b = attempt_of(b_.story, pair.b, i);
      if (a == nullptr && b == nullptr) return;
      attempt(out, fmt::format("{}/{}", out.id_a, i + 1), a, b);
    }
  }

  void attempt(JobDifference& out, const std::string& where, const story::Attempt* a,
               const story::Attempt* b) {
    AttemptDifference attempt = attempt_difference(a, b);
    if (attempt.prompt_a && attempt.prompt_b) {
      attempt.words_a = words_of(a_.state, *a);
      attempt.words_b = words_of(b_.state, *b);
      forget_volatile(attempt);
    }
    if (attempt.empty()) return;
    if (a == nullptr || b == nullptr) {
      first(out, where, a == nullptr ? "" : "an attempt", b == nullptr ? "" : "an attempt",
            a == nullptr ? 0 : a->requested.revision, b == nullptr ? 0 : b->requested.revision);
    } else if (attempt.prompt_a || attempt.prompt_b) {
      first(out, where, "what it was given", "what it was given", a->requested.revision,
            b->requested.revision);
    } else if (!attempt.steps.empty()) {
      const StepChange step = first_step(attempt.steps);
      first(out, where, step.a, step.b, step.revision_a, step.revision_b);
    } else if (!attempt.fields.empty()) {
      const FieldChange& field = attempt.fields.front();
      first(out, where, field.path + " " + field.before, field.path + " " + field.after,
            last_of(*a).revision, last_of(*b).revision);
    }
    out.attempts.push_back(std::move(attempt));
  }

  static story::Mark last_of(const story::Attempt& attempt) {
    return attempt.classified.known() ? attempt.classified : attempt.requested;
  }

  static VolatileWords words_of(const RunState& run, const story::Attempt& attempt) {
    VolatileWords words(run);
    const JobState* job = find_job(run, attempt.job);
    const AttemptState* state = find_attempt(run, attempt.job, attempt.number);
    if (job != nullptr && state != nullptr) words.add(*job, *state);
    return words;
  }

  static std::optional<std::string> lasting_text(const RunSide& side, const schema::BlobRef& blob,
                                                 const VolatileWords& words) {
    if (side.log == nullptr) return std::nullopt;
    const auto bytes = side.log->get_blob(blob);
    if (!bytes.ok()) return std::nullopt;
    return words.replaced_in(text_of(*bytes));
  }

  // Prompts that differ in nothing but volatile words do not differ.
  template <class Difference>
  void forget_volatile(Difference& difference) const {
    if (!difference.prompt_a || !difference.prompt_b) return;
    const auto a = lasting_text(a_, *difference.prompt_a, difference.words_a);
    if (!a || a != lasting_text(b_, *difference.prompt_b, difference.words_b)) return;
    difference.prompt_a.reset();
    difference.prompt_b.reset();
  }

  // What one did where the other did something else: both sides of the first place.
  static StepChange first_step(const std::vector<StepChange>& steps) {
    StepChange first = steps.front();
    if (first.kind != StepChange::Kind::removed) return first;
    const auto added = std::ranges::find_if_not(
        steps, [](StepChange::Kind kind) { return kind == StepChange::Kind::removed; },
        &StepChange::kind);
    if (added == steps.end() || added->kind != StepChange::Kind::added) return first;
    first.b = added->b;
    first.revision_b = added->revision_b;
    return first;
  }

  // Keeps the earliest: of the job, and of the run.
  void first(JobDifference& job, const std::string& where, const std::string& a,
             const std::string& b, std::uint64_t revision_a, std::uint64_t revision_b) {
    const auto order = [](std::uint64_t in_a, std::uint64_t in_b) {
      return in_a != 0 ? in_a : in_b;
    };
    const std::uint64_t now = order(revision_a, revision_b);
    if (order(job.revision_a, job.revision_b) == 0 || now < order(job.revision_a, job.revision_b)) {
      job.revision_a = revision_a;
      job.revision_b = revision_b;
    }
    if (out_.first && order(out_.first->revision_a, out_.first->revision_b) <= now) return;
    out_.first = FirstDifference{where, a, b, revision_a, revision_b};
  }

  RunSide& a_;
  RunSide& b_;
  RunDifference out_;
};

// A plan without its jobs, and one with one job alone.
std::string canonical_part(plan::Plan& plan, const plan::JobSpec* only) {
  auto jobs = std::exchange(plan.jobs, {});
  if (only != nullptr) plan.jobs.push_back(*only);
  std::string text = plan::canonical_json(plan);
  plan.jobs = std::move(jobs);
  return text;
}

Leaves job_leaves(plan::Plan& plan, std::size_t index) {
  const plan::JobSpec job = plan.jobs[index];
  Leaves leaves;
  for (reflect::Leaf& leaf : leaves_of_json(canonical_part(plan, &job))) {
    constexpr std::string_view prefix = "jobs[0].";
    if (!leaf.path.starts_with(prefix)) continue;
    leaf.path.erase(0, prefix.size());
    leaves.push_back(std::move(leaf));
  }
  return leaves;
}

// A plan has no events: the first difference is the first thing that is written down otherwise.
std::optional<FirstDifference> first_of_plans(const RunDifference& plans) {
  const auto told = [](const std::string& where, const FieldChange& field) {
    const auto side = [&](const std::string& value) {
      return value.empty() ? std::string() : field.path + " = " + value;
    };
    return FirstDifference{where, side(field.before), side(field.after), 0, 0};
  };
  if (!plans.fields.empty()) return told("plan", plans.fields.front());
  if (plans.jobs.empty()) return std::nullopt;
  const JobDifference& job = plans.jobs.front();
  if (!job.fields.empty()) return told(job.id_a, job.fields.front());
  return FirstDifference{job.id_a + job.id_b, job.id_a.empty() ? "" : "declared",
                         job.id_b.empty() ? "" : "declared", 0, 0};
}

}  // namespace

Result<RunDifference> difference_of(RunSide& a, RunSide& b) {
  return Comparison(a, b).run();
}

Result<RunDifference> difference_of(RunSide& a, const RunPiece& in_a, RunSide& b,
                                    const RunPiece& in_b) {
  if (in_a.job == 0 || in_b.job == 0 || in_a.attempt.has_value() != in_b.attempt.has_value())
    return Error{Errc::invalid, "compare a job with a job, and an attempt with an attempt"};
  if (in_a.job > a.state.jobs.size() || in_b.job > b.state.jobs.size())
    return Error{Errc::not_found, "one of the jobs was not declared at that moment"};
  Comparison comparison(a, b);
  return in_a.attempt ? comparison.attempts(in_a, in_b) : comparison.jobs({in_a.job, in_b.job});
}

Result<RunDifference> plan_difference(const std::string& path_a, const std::string& path_b) {
  plan::Plan a = PIEVT_TRY(plan::read_plan_file(path_a)).plan;
  plan::Plan b = PIEVT_TRY(plan::read_plan_file(path_b)).plan;
  RunDifference out;
  out.label_a = path_a;
  out.label_b = path_b;
  out.fields = changes_between(leaves_of_json(canonical_part(a, nullptr)),
                               leaves_of_json(canonical_part(b, nullptr)));
  std::unordered_map<std::string_view, std::size_t> by_id;
  for (std::size_t i = 0; i < b.jobs.size(); ++i) by_id.emplace(b.jobs[i].id, i);
  std::vector<bool> taken(b.jobs.size());
  for (std::size_t i = 0; i < a.jobs.size(); ++i) {
    JobDifference job;
    job.id_a = a.jobs[i].id;
    if (const auto found = by_id.find(job.id_a); found != by_id.end()) {
      job.id_b = job.id_a;
      taken[found->second] = true;
      job.fields = changes_between(job_leaves(a, i), job_leaves(b, found->second));
    }
    if (job.empty()) {
      ++out.same_jobs;
    } else {
      out.jobs.push_back(std::move(job));
    }
  }
  for (std::size_t i = 0; i < b.jobs.size(); ++i) {
    if (taken[i]) continue;
    JobDifference job;
    job.id_b = b.jobs[i].id;
    out.jobs.push_back(std::move(job));
  }
  out.first = first_of_plans(out);
  return out;
}

}  // namespace pievt::tools
