// Where attempts work, in the loop: the place is made ready before the child is started, and goes
// when nobody needs it any more.
#include "supervisor/turn/supervisor.h"

namespace pievt::supervisor {

// Why there is no place to work in; empty: there is.
Result<std::string> Supervisor::prepare_place(const LiveAttempt& attempt) {
  if (attempt.subject.job == 0) return std::string();
  if (attempt.launch->worktree) {
    std::string error =
        PIEVT_TRY(make_worktree(record_, *attempt.launch->worktree, attempt.subject));
    if (!error.empty()) return error;
  }
  PIEVT_TRY(workspaces_.before(record_, attempt.subject, attempt.cwd));
  return std::string();
}

Status Supervisor::ask_to_remove_worktree(Subject subject) {
  if (subject.job == 0 || !may_remove_worktree(record_.state(), subject)) return {};
  const AttemptState& attempt = *find_attempt(record_.state(), subject.job, subject.attempt);
  if (attempt.launched_ns != 0) {
    // What could not be stored is kept where it is.
    PIEVT_TRY(record_.commit());
    const auto patch = PIEVT_TRY(find_patch(record_.log(), record_.run_id(), attempt, subject.job));
    if (!patch || !patch->reason.empty()) return {};
  }
  schema::WorktreeRemoveRequestedT intent;
  intent.path = attempt.worktree;
  PIEVT_TRY(record_.propose({std::move(intent), subject}));
  worktrees_to_remove_.push_back(subject);
  return {};
}

// After a commit.
Status Supervisor::remove_worktrees() {
  for (const Subject& subject : std::exchange(worktrees_to_remove_, {}))
    PIEVT_TRY(remove_worktree(record_, options_.store, subject));
  return {};
}

// What an earlier supervisor meant to remove, or had no time to.
Status Supervisor::recover_worktrees() {
  std::vector<Subject> left;
  for (const auto& job : record_.state().jobs)
    for (const auto& attempt : job->attempts)
      left.push_back({.job = job->number, .attempt = attempt->number});
  for (const Subject& subject : left) PIEVT_TRY(ask_to_remove_worktree(subject));
  return {};
}

}  // namespace pievt::supervisor
