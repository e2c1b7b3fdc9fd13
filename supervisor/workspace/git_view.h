// git, asked for objects and for nothing else.
//
// git runs what its configuration names: file system monitors, filters, hooks, pagers, external
// diffs, aliases. The configuration lies where workers can write. So git is never shown a
// repository or a work tree that somebody else can write to: it gets a bare repository of ours,
// made for the purpose, whose configuration is ours and which borrows the objects of the others.
// Its environment holds nothing of the user's, and no command below needs a work tree.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pievt/result.h"
#include "supervisor/workspace/git_files.h"

namespace pievt::workspace {

/// One path of a commit.
struct TreeItem {
  std::string path;
  std::uint32_t mode = 0;  ///< 0100644, 0100755, 0120000 (link), 0160000 (submodule)
  std::string object;

  friend bool operator==(const TreeItem&, const TreeItem&) = default;
};

class GitView {
 public:
  /// Makes the bare repository in `directory`, which must not exist; its parent is a private
  /// directory of ours. `objects`: directories of objects that are borrowed. The directory is
  /// removed with the view.
  static Result<GitView> create(const std::filesystem::path& directory, const std::string& format,
                                const std::vector<std::filesystem::path>& objects);
  GitView(GitView&&) noexcept;
  GitView& operator=(GitView&&) = delete;
  ~GitView();

  const std::filesystem::path& directory() const { return directory_; }

  using Sink = std::function<Status(std::span<const std::byte>)>;

  /// Runs `git <arguments>` in the view with `input` on its standard input and hands its output to
  /// `sink` as it comes. Errc::io with git's own last words when it fails, Errc::not_found when
  /// there is no git, Errc::busy when it took longer than ten minutes and was killed.
  Status run(const std::vector<std::string>& arguments, std::string_view input,
             const Sink& sink) const;

  /// The same, with the output as text. Errc::invalid when it is larger than `bytes_max`.
  Result<std::string> text(const std::vector<std::string>& arguments, std::string_view input = {},
                           std::size_t bytes_max = 256u << 20) const;

  /// Everything in the tree of `commit`. Paths that git lets nobody check out (`..`, `.git`) are
  /// refused: Errc::invalid.
  Result<std::vector<TreeItem>> list(const std::string& commit) const;

  /// Calls `take` with each object's content, in the order asked for.
  using Take = std::function<Status(std::size_t index, std::string_view content)>;
  Status contents(const std::vector<std::string>& objects, const Take& take) const;

  /// Commits that can be reached from `now` and not from `before`, oldest first, at most `max`.
  Result<std::vector<std::string>> new_commits(const std::vector<std::string>& before,
                                               const std::vector<std::string>& now,
                                               std::size_t max) const;

 private:
  explicit GitView(std::filesystem::path directory) : directory_(std::move(directory)) {}

  std::filesystem::path directory_;
};

/// The files of a repository directory without a user's configuration, in `directory`, which is
/// made. What GitView and a worker's own repository have in common.
Status make_repository(const std::filesystem::path& directory, const std::string& format,
                       const std::vector<std::filesystem::path>& objects,
                       std::string_view configuration);

/// Whether git lets a tree hold the path: is_safe_path, and no component that any file system could
/// take for `.git`.
bool is_checkout_path(std::string_view path);

}  // namespace pievt::workspace
