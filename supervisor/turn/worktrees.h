// Attempts that work in a tree of their own: where it is, how it is made, what is kept of it, and
// when it goes.
//
// What an attempt made there becomes one patch artifact against the commit it started at. The tree
// itself goes when the attempt is settled, unless somebody has to look at it: then its job waits
// for a person, or the patch could not be made.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "supervisor/launch/attempt_files.h"
#include "supervisor/record/run_record.h"
#include "supervisor/turn/attribution.h"
#include "supervisor/workspace/git_files.h"
#include "supervisor/workspace/tree.h"

namespace pievt::supervisor {

/// What an attempt's worktree is to be, decided before it is asked for.
struct WorktreePlan {
  std::filesystem::path directory;  ///< the worktree itself
  workspace::Repository repository;
  std::string commit;
  std::uint32_t from_attempt = 0;
  std::optional<schema::BlobRef> patch{};  ///< of that attempt
  std::string cwd;                         ///< where in it the job works
  std::string error;                       ///< why there cannot be one
};

/// Where the worktree of an attempt is, if it has one.
std::filesystem::path worktree_path(const std::filesystem::path& store,
                                    const launch::AttemptName& name);

/// Decides it: the run's base commit in the job's repository, and what a retry starts from.
Result<WorktreePlan> plan_worktree(RunRecord& record, const std::filesystem::path& store,
                                   Subject subject);

/// Makes what was asked for and proposes WorktreeReady. The sentence that says why not, if so.
Result<std::string> make_worktree(RunRecord& record, const WorktreePlan& plan, Subject subject);

/// Stores what is different from the base commit as an artifact. `before` and `now`: walks of the
/// worktree. What cannot be stored is said in the artifact's reason.
Status keep_patch(RunRecord& record, Subject subject, const workspace::Tree& before,
                  workspace::Tree& now);

/// The latest patch artifact of an attempt.
struct PatchArtifact {
  std::uint32_t artifact = 0;
  std::uint64_t revision = 0;
  std::optional<schema::BlobRef> content{};  ///< absent: nothing was changed
  std::string reason;                        ///< why it is not whole; empty: it is
};
Result<std::optional<PatchArtifact>> find_patch(const Log& log, const std::string& run,
                                                const AttemptState& attempt, std::uint32_t job);

/// Whether the attempt's worktree may go.
bool may_remove_worktree(const RunState& run, Subject subject);

/// After WorktreeRemoveRequested is durable: removes it and proposes WorktreeRemoved.
Status remove_worktree(RunRecord& record, const std::filesystem::path& store, Subject subject);

}  // namespace pievt::supervisor
