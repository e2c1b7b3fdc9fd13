#include "supervisor/turn/apply_patches.h"

#include <algorithm>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <fmt/format.h>

#include "supervisor/turn/worktrees.h"
#include "supervisor/workspace/change_files.h"
#include "supervisor/workspace/patch.h"

namespace pievt::supervisor {
namespace {

namespace fs = std::filesystem;
using schema::ApplyResult;
using workspace::MergeStep;

fs::path apply_directory(const fs::path& store) {
  return store / "apply";
}

std::string directory_of_job(const RunState& run, const JobState& job) {
  const bool own = job.declared != nullptr && !job.declared->cwd.empty();
  return own ? job.declared->cwd : run.cwd;
}

Result<std::vector<MergeStep>> plan_steps(RunRecord& record, const AcceptedPatch& patch,
                                          const std::string& name) {
  const auto repository = workspace::find_repository(patch.target);
  if (!repository || repository->work_tree != patch.target)
    return Error{Errc::not_found, fmt::format("{} is no git repository any more", patch.target)};
  const std::vector<std::byte> bytes = PIEVT_TRY(record.log().get_blob(patch.content));
  const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto git = PIEVT_TRY(workspace::GitView::create(
      apply_directory(record.log().info().directory) / (name + ".git"),
      workspace::object_format(*repository), {repository->common_directory / "objects"}));
  return workspace::plan_merge(git, patch.commit, text, patch.target);
}

void sum_up(const std::vector<MergeStep>& steps, Application& out) {
  for (const MergeStep& step : steps) {
    if (step.what == MergeStep::What::conflict)
      out.conflicts.push_back(fmt::format("{}: {}", step.path, step.conflict));
    else if (step.what != MergeStep::What::nothing)
      out.files.push_back(step.path);
  }
  if (!out.conflicts.empty()) {
    out.result = ApplyResult::conflict;
    out.detail = fmt::format("{} of {} files conflict; nothing was changed", out.conflicts.size(),
                             steps.size());
  } else if (out.files.empty()) {
    out.result = ApplyResult::nothing_to_do;
    out.detail = "everything in it is there already";
  } else {
    out.result = ApplyResult::applied;
  }
}

void refuse(Application& out, const Error& error) {
  out.result = error.code == Errc::conflict ? ApplyResult::conflict : ApplyResult::refused;
  out.detail = error.what;
  out.files.clear();
}

// An event has a bound; the patch itself says the rest.
std::vector<std::string> shortened(const std::vector<std::string>& all) {
  constexpr std::size_t bytes_max = 24'000;
  std::vector<std::string> some;
  std::size_t bytes = 0;
  for (const std::string& one : all) {
    bytes += one.size() + 16;
    if (bytes > bytes_max) {
      some.push_back(fmt::format("… and {} more", all.size() - some.size()));
      break;
    }
    some.push_back(one);
  }
  return some;
}

}  // namespace

Result<PatchChoice> accepted_patches(RunRecord& record, const std::vector<std::uint32_t>& jobs) {
  const RunState& run = record.state();
  PatchChoice choice;
  for (const auto& job : run.jobs) {
    const bool named = std::ranges::find(jobs, job->number) != jobs.end();
    if (!jobs.empty() && !named) continue;
    const auto wrong = [&](std::string_view why) {
      return Error{Errc::invalid, fmt::format("job {} of run {} has no patch to apply: {}", job->id,
                                              run.run_id, why)};
    };
    const bool accepted = job->phase == state::JobPhase::finished &&
                          job->status == schema::JobStatus::succeeded && !job->attempts.empty();
    if (!accepted && named) return wrong("it did not succeed");
    if (!accepted) continue;
    const AttemptState& attempt = *job->attempts.back();
    if (attempt.isolation != schema::Isolation::worktree) {
      if (named) return wrong("it worked in the directory itself, not in a worktree");
      continue;
    }
    const auto patch = PIEVT_TRY(find_patch(record.log(), run.run_id, attempt, job->number));
    if (!patch || !patch->reason.empty())
      return wrong(patch ? patch->reason : std::string("none was stored"));
    if (!patch->content) {
      choice.without.push_back(job->id);
      continue;
    }
    const auto repository = workspace::find_repository(directory_of_job(run, *job));
    if (!repository) return wrong("its directory is in no git repository any more");
    choice.patches.push_back(
        {{.job = job->number, .attempt = attempt.number, .artifact = patch->artifact},
         job->id,
         attempt.base_commit,
         repository->work_tree.string(),
         *patch->content});
  }
  return choice;
}

Result<Application> apply_patch(RunRecord& record, const AcceptedPatch& patch, ApplyMode mode) {
  const std::string name =
      fmt::format("{}-{}-{}", record.run_id(), patch.subject.job, patch.subject.attempt);
  Application out;
  const auto steps = plan_steps(record, patch, name);
  if (steps.ok())
    sum_up(*steps, out);
  else
    refuse(out, steps.error());
  if (mode == ApplyMode::dry_run) return out;

  schema::PatchApplyRequestedT intent;
  intent.target = patch.target;
  intent.base_commit = patch.commit;
  intent.files = static_cast<std::uint32_t>(out.files.size() + out.conflicts.size());
  intent.asked_by = std::make_unique<schema::RequesterT>();
  intent.asked_by->uid = ::getuid();
  intent.asked_by->pid = static_cast<std::uint32_t>(::getpid());
  intent.asked_by->program = "pievt apply";
  const Revision asked = PIEVT_TRY(record.propose({std::move(intent), patch.subject}));
  PIEVT_TRY(record.commit());
  if (out.result == ApplyResult::applied) {
    const fs::path journal = apply_directory(record.log().info().directory) / name;
    const Status changed = workspace::change_files(journal, patch.target, *steps);
    if (!changed.ok()) refuse(out, changed.error());
  }
  schema::PatchAppliedT done;
  done.result = out.result;
  done.files = shortened(out.files);
  done.conflicts = shortened(out.conflicts);
  done.detail = out.detail;
  PIEVT_TRY(
      record.propose({std::move(done), patch.subject, {.causation = asked, .correlation = {}}}));
  PIEVT_TRY(record.commit());
  return out;
}

Result<ApplyLock> ApplyLock::take(const fs::path& store) {
  const fs::path directory = apply_directory(store);
  std::error_code error;
  fs::create_directories(directory, error);
  fs::permissions(directory, fs::perms::owner_all, error);
  process::Fd lock(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock.is_open()) return os_error(fmt::format("cannot open {}", directory.string()), errno);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
    return Error{Errc::busy, "another pievt apply is at work in this store; wait for it"};
  ApplyLock taken(std::move(lock));
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    if (entry.path().extension() == ".git") {
      fs::remove_all(entry.path(), error);
      continue;
    }
    const auto recovered = PIEVT_TRY(workspace::recover_change(entry.path()));
    taken.recovered_.push_back(
        fmt::format("an apply that was interrupted ({}) was {}", entry.path().filename().string(),
                    recovered == workspace::Recovered::completed ? "completed" : "undone"));
  }
  return taken;
}

}  // namespace pievt::supervisor
