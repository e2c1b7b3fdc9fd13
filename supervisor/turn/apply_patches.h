// Bringing what attempts made in worktrees of their own into the user's tree: one patch after the
// other, each with an intent and a result in the record, and never a half of one.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "supervisor/process/fd.h"
#include "supervisor/record/run_record.h"

namespace pievt::supervisor {

/// A patch that could be applied.
struct AcceptedPatch {
  Subject subject;  ///< job, attempt and artifact
  std::string job;
  std::string commit;  ///< its base
  std::string target;  ///< the repository's work tree
  schema::BlobRef content;
};

struct PatchChoice {
  std::vector<AcceptedPatch> patches;  ///< in the order of their jobs
  std::vector<std::string> without;    ///< jobs that were accepted and changed nothing
};

/// The patches of jobs that succeeded, or of those named. Errc::invalid: a named job was not
/// accepted, had no worktree, or its patch could not be stored.
Result<PatchChoice> accepted_patches(RunRecord& record, const std::vector<std::uint32_t>& jobs);

struct Application {
  schema::ApplyResult result = schema::ApplyResult::unknown;
  std::vector<std::string> files;      ///< that were changed, or would be
  std::vector<std::string> conflicts;  ///< `path: why`
  std::string detail;
};

enum class ApplyMode : std::uint8_t { apply, dry_run };

/// Applies one, or only says what would happen. Proposes and commits PatchApplyRequested before
/// anything is touched and PatchApplied after. Errors are the store's; what the tree refuses is a
/// result.
Result<Application> apply_patch(RunRecord& record, const AcceptedPatch& patch, ApplyMode mode);

/// One apply at a time, and what an interrupted one left is completed or undone first: sentences
/// that say so. Errc::busy: another one is at work.
class ApplyLock {
 public:
  static Result<ApplyLock> take(const std::filesystem::path& store);
  const std::vector<std::string>& recovered() const { return recovered_; }

 private:
  explicit ApplyLock(process::Fd lock) : lock_(std::move(lock)) {}
  process::Fd lock_;
  std::vector<std::string> recovered_;
};

}  // namespace pievt::supervisor
