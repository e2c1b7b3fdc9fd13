// What an attempt made of a commit, as one patch, and back again.
//
// A patch is git's own format with binary files, whole object names and its base beside it, so that
// anybody can read or apply it without pievt. It is made from file contents that we read ourselves:
// git sees objects in a repository of ours, never the tree they came from.
#pragma once

#include <string>
#include <vector>

#include "pievt/result.h"
#include "supervisor/workspace/git_view.h"
#include "supervisor/workspace/tree.h"

namespace pievt::workspace {

/// The tree that `patch` makes of `commit`. Errc::conflict when it is no patch against it.
Result<std::string> patched_tree(const GitView& git, const std::string& commit,
                                 std::string_view patch);

struct Collected {
  std::string patch;                 ///< empty: nothing is different
  std::vector<std::string> paths;    ///< that differ from the commit
  std::vector<std::string> ignored;  ///< new files that git ignores: not part of it
};

struct CollectRequest {
  std::string commit;                ///< the base
  std::string start_tree;            ///< what was there when work began; empty: the commit's tree
  const Tree* before;                ///< a walk of it then
  Tree* after;                       ///< a walk of it now, in `after->root`
  std::vector<std::string> carried;  ///< paths that were brought along and are not part of it
};

/// Everything that is different from the commit, however it came to be. Left out: what was carried
/// along, what git ignores and the commit does not have, and git's own directory. Errc::invalid
/// when it is larger than 512 MiB.
Result<Collected> collect(const GitView& git, const CollectRequest& request);

/// Of `paths`, those that the `.gitignore` files below `root` (read without following links) tell
/// git to ignore. Works in a directory of its own in the view.
Result<std::vector<std::string>> ignored_paths(const GitView& git, const std::string& root,
                                               const std::vector<std::string>& paths);

/// The content of a regular file below `root`. Errc::not_found where there is none, Errc::invalid
/// when it is larger.
Result<std::string> read_beneath(int root, const std::string& path, std::size_t bytes_max);

/// A link's target.
Result<std::string> read_link_beneath(int root, const std::string& path);

}  // namespace pievt::workspace
