// Bringing a patch together with what is there: each file by itself, from its base, from what the
// user has, and from what the patch made of the base. No git sees the user's tree.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pievt/result.h"
#include "supervisor/workspace/git_view.h"

namespace pievt::workspace {

/// A file's content and kind, as git has it: 0100644, 0100755 or 0120000.
struct FileState {
  std::uint32_t mode = 0;
  std::string content;
  friend bool operator==(const FileState&, const FileState&) = default;
};

/// One path in three states; empty: it is not there.
struct ThreeWay {
  std::string path;
  std::optional<FileState> base, ours, theirs;
};

struct MergeStep {
  std::string path;
  enum class What : std::uint8_t { nothing, write, remove, conflict } what = What::nothing;
  FileState result;                 ///< for write
  std::optional<FileState> before;  ///< what the user has, and must still have then
  std::string conflict;             ///< why
};

/// Decides one path. Texts are merged line by line; where both changed the same lines, or a binary
/// file or a link changed on both sides, or one side removed what the other changed, it is a
/// conflict.
Result<MergeStep> merge(const GitView& git, const ThreeWay& file);

/// What is to be done so that the tree at `root` has the changes of `patch` against `commit`.
/// Errc::conflict: the patch does not fit its base.
Result<std::vector<MergeStep>> plan_merge(const GitView& git, const std::string& commit,
                                          const std::string& patch, const std::string& root);

/// What is at `path` below `root`. Errc::invalid for what is neither file nor link.
Result<std::optional<FileState>> state_of(int root, const std::string& path);

}  // namespace pievt::workspace
