// A work tree of an attempt's own: the files of a commit, and a repository of its own that borrows
// the user's objects.
//
// It is not one of git's linked worktrees: those share configuration, hooks, refs and stash with
// the user's repository, and whoever works in one can write all of them. Here a worker can commit,
// branch and configure as it likes, and the user's repository does not notice.
//
// Files are written by us, from objects: no filter, no hook, no attribute has a say.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pievt/result.h"
#include "supervisor/workspace/git_view.h"

namespace pievt::workspace {

struct Carried {
  std::string path;  ///< relative to the repository
  enum class How : std::uint8_t { copy, link } how = How::copy;
};

struct WorktreeRequest {
  Repository repository;
  std::string commit;
  std::string tree;                 ///< what its files are, where not those of the commit
  std::filesystem::path directory;  ///< does not exist; its parent does, and is ours alone
  std::vector<Carried> carry;
};

struct MadeWorktree {
  std::uint64_t files = 0;
  std::uint32_t carried = 0;
};

/// Makes it. `git` sees the repository's objects. After an error a part may be there.
/// Errc::invalid: a path of the commit cannot be made; Errc::not_found: a path to carry is not
/// there; Errc::conflict: it is in the commit.
Result<MadeWorktree> make_worktree(const GitView& git, const WorktreeRequest& request);

/// Copies the file, link or directory `path` from one directory to another, without following
/// links. The number of files.
Result<std::uint32_t> copy_beneath(int from, int to, const std::string& path);

/// Writes a new file or, for mode 0120000, a link. Directories on the way are made.
Status write_beneath(int root, const std::string& path, std::uint32_t mode,
                     std::string_view content);

}  // namespace pievt::workspace
