#include "supervisor/turn/worktrees.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "supervisor/launch/directory.h"
#include "supervisor/launch/remove_tree.h"
#include "supervisor/turn/blob_text.h"
#include "supervisor/turn/launcher.h"
#include "supervisor/workspace/patch.h"
#include "supervisor/workspace/worktree.h"

namespace pievt::supervisor {
namespace {

namespace fs = std::filesystem;
using schema::JobStatus;

std::string job_directory(const RunState& run, const JobState& job) {
  const bool own = job.declared != nullptr && !job.declared->cwd.empty();
  return own ? job.declared->cwd : run.cwd;
}

// All attempts of a run in one repository start at one commit: that of the first.
std::string base_commit(const RunState& run, const workspace::Repository& repository) {
  for (const auto& job : run.jobs) {
    for (const auto& attempt : job->attempts) {
      if (attempt->base_commit.empty()) continue;
      const auto other = workspace::find_repository(job_directory(run, *job));
      if (other && other->common_directory == repository.common_directory)
        return attempt->base_commit;
    }
  }
  return workspace::read_heads(repository).commit;
}

Result<workspace::GitView> view_of(const WorktreePlan& plan) {
  fs::path view = plan.directory;
  view += ".git-view";
  return workspace::GitView::create(view, workspace::object_format(plan.repository),
                                    {plan.repository.common_directory / "objects"});
}

// Each directory on the way is entered by itself, so that no link leads elsewhere.
Status make_parents(const fs::path& store, const fs::path& directory) {
  process::Fd at = PIEVT_TRY(launch::open_directory(store));
  fs::path shown = store;
  for (const fs::path& part : directory.parent_path().lexically_relative(store)) {
    shown /= part;
    at =
        PIEVT_TRY(launch::make_directory(at.get(), part.string(), shown, launch::Existing::accept));
  }
  return {};
}

Result<workspace::MadeWorktree> make(RunRecord& record, const WorktreePlan& plan,
                                     const schema::JobDeclaredT& declared) {
  PIEVT_TRY(make_parents(record.log().info().directory, plan.directory));
  const workspace::GitView git = PIEVT_TRY(view_of(plan));
  workspace::WorktreeRequest request{plan.repository, plan.commit, {}, plan.directory, {}};
  for (const auto& carried : declared.carry) {
    request.carry.push_back({carried->path, carried->how == schema::CarryHow::link
                                                ? workspace::Carried::How::link
                                                : workspace::Carried::How::copy});
  }
  if (plan.patch) {
    const std::string patch = PIEVT_TRY(blob_text(record.log(), *plan.patch));
    request.tree = PIEVT_TRY(workspace::patched_tree(git, plan.commit, patch));
  }
  return workspace::make_worktree(git, request);
}

// The patch, from where work began.
Result<workspace::Collected> collect(RunRecord& record, const WorktreePlan& plan,
                                     const schema::JobDeclaredT& declared,
                                     const workspace::Tree& before, workspace::Tree& now) {
  const workspace::GitView git = PIEVT_TRY(view_of(plan));
  workspace::CollectRequest request{plan.commit, {}, &before, &now, {}};
  for (const auto& carried : declared.carry) request.carried.push_back(carried->path);
  if (plan.patch) {
    const std::string patch = PIEVT_TRY(blob_text(record.log(), *plan.patch));
    request.start_tree = PIEVT_TRY(workspace::patched_tree(git, plan.commit, patch));
  }
  return workspace::collect(git, request);
}

}  // namespace

fs::path worktree_path(const fs::path& store, const launch::AttemptName& name) {
  return store / "worktrees" / launch::path_component(name.run) / launch::path_component(name.job) /
         std::to_string(name.number) / "tree";
}

Result<WorktreePlan> plan_worktree(RunRecord& record, const fs::path& store, Subject subject) {
  const RunState& run = record.state();
  const JobState& job = *find_job(run, subject.job);
  WorktreePlan plan;
  plan.directory = worktree_path(store, attempt_name(run, subject));
  const fs::path cwd = job_directory(run, job);
  const auto repository = workspace::find_repository(cwd);
  plan.cwd = plan.directory.string();
  if (!repository) {
    plan.error = fmt::format(
        "{} is in no git repository, so there can be no worktree; leave out "
        "\"isolation\", or make a repository with a commit",
        cwd.string());
    return plan;
  }
  plan.repository = *repository;
  plan.cwd = (plan.directory / cwd.lexically_relative(repository->work_tree)).lexically_normal();
  if (plan.cwd.ends_with('/')) plan.cwd.pop_back();
  const AttemptState* known = find_attempt(run, subject.job, subject.attempt);
  plan.commit = known != nullptr && !known->base_commit.empty() ? known->base_commit
                                                                : base_commit(run, *repository);
  if (plan.commit.empty())
    plan.error = fmt::format(
        "the repository of {} has no commit to start a worktree at; commit "
        "something first",
        cwd.string());
  const bool goes_on =
      job.declared->retry != nullptr && job.declared->retry->tree == schema::RetryTree::previous;
  if (!goes_on || subject.attempt < 2) return plan;
  const AttemptState* previous = find_attempt(run, subject.job, subject.attempt - 1);
  if (previous == nullptr) return plan;
  const auto patch = PIEVT_TRY(find_patch(record.log(), run.run_id, *previous, subject.job));
  if (!patch || !patch->reason.empty() || !patch->content) return plan;
  plan.patch = patch->content;
  plan.from_attempt = previous->number;
  return plan;
}

Result<std::string> make_worktree(RunRecord& record, const WorktreePlan& plan, Subject subject) {
  const auto began = std::chrono::steady_clock::now();
  schema::WorktreeReadyT ready;
  ready.path = plan.directory.string();
  ready.error = plan.error;
  if (ready.error.empty()) {
    const JobState& job = *find_job(record.state(), subject.job);
    const auto made = make(record, plan, *job.declared);
    if (!made.ok() && made.error().code == Errc::no_space) return made.error();
    if (made.ok()) {
      ready.files = made->files;
      ready.carried = made->carried;
      std::error_code error;
      if (!fs::is_directory(plan.cwd, error))
        ready.error = fmt::format("the job's directory is not in commit {}: {} would be missing",
                                  plan.commit, plan.cwd);
    } else {
      ready.error = made.error().what;
    }
  }
  ready.duration_ms =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                     std::chrono::steady_clock::now() - began)
                                     .count());
  std::string error = ready.error;
  PIEVT_TRY(record.propose({std::move(ready), subject}));
  return error;
}

Status keep_patch(RunRecord& record, Subject subject, const workspace::Tree& before,
                  workspace::Tree& now) {
  const fs::path store = record.log().info().directory;
  const WorktreePlan plan = PIEVT_TRY(plan_worktree(record, store, subject));
  const JobState& job = *find_job(record.state(), subject.job);
  const auto collected = collect(record, plan, *job.declared, before, now);
  schema::ArtifactRecordedT artifact;
  artifact.kind = schema::ArtifactKind::patch;
  artifact.name = fmt::format("{}-{}.patch", job.id, subject.attempt);
  if (collected.ok()) {
    artifact.size = collected->patch.size();
    if (!collected->patch.empty()) artifact.content = PIEVT_TRY(record.put_text(collected->patch));
  } else {
    if (collected.error().code == Errc::no_space) return collected.error();
    artifact.reason = collected.error().what;
  }
  subject.artifact = record.state().artifacts + 1;
  PIEVT_TRY(record.propose({std::move(artifact), subject}));
  return {};
}

Result<std::optional<PatchArtifact>> find_patch(const Log& log, const std::string& run,
                                                const AttemptState& attempt, std::uint32_t job) {
  std::optional<PatchArtifact> found;
  auto reader = log.read_stream(run_stream(run), {attempt.first_revision});
  while (reader.next()) {
    const schema::Head& head = reader.event().head();
    const auto* artifact = reader.event().envelope->payload_as_ArtifactRecorded();
    if (artifact == nullptr || artifact->kind() != schema::ArtifactKind::patch ||
        head.job() != job || head.attempt() != attempt.number)
      continue;
    found.emplace();
    found->artifact = head.artifact();
    found->revision = reader.event().revision().value;
    if (artifact->content() != nullptr) found->content = *artifact->content();
    if (artifact->reason() != nullptr) found->reason = artifact->reason()->str();
  }
  PIEVT_TRY(Status(reader.status()));
  return found;
}

bool may_remove_worktree(const RunState& run, Subject subject) {
  const JobState* job = find_job(run, subject.job);
  const AttemptState* attempt = find_attempt(run, subject.job, subject.attempt);
  if (job == nullptr || attempt == nullptr || attempt->worktree.empty() ||
      attempt->phase != state::AttemptPhase::classified)
    return false;
  const bool for_a_person =
      job->phase == state::JobPhase::finished &&
      (job->status == JobStatus::blocked || job->status == JobStatus::needs_review) &&
      job->attempts.back()->number == subject.attempt;
  return !for_a_person;
}

Status remove_worktree(RunRecord& record, const fs::path& store, Subject subject) {
  const launch::AttemptName name = attempt_name(record.state(), subject);
  const fs::path directory = worktree_path(store, name).parent_path();
  schema::WorktreeRemovedT removed;
  removed.path = worktree_path(store, name).string();
  const auto parent = launch::open_directory(directory.parent_path());
  if (parent.ok()) {
    const Status gone =
        launch::remove_tree(parent->get(), directory.filename().string(), directory);
    if (!gone.ok()) removed.error = gone.error().what;
    std::error_code ignored;  // the directories of its job and run, when they are empty
    fs::remove(directory.parent_path(), ignored);
    fs::remove(directory.parent_path().parent_path(), ignored);
  }
  PIEVT_TRY(record.propose({std::move(removed), subject}));
  return {};
}

}  // namespace pievt::supervisor
