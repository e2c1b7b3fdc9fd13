// What is in a directory tree at one moment, without asking git: git would read its configuration
// there and run what that names, and it does not see what is ignored.
//
// Contents are not read. Every change of a file moves its change time, which no program can set, so
// comparing what statx says of two moments misses nothing; only what differs is hashed. A time
// stamp is as coarse as the kernel's tick, so a file that changed just before the walk is hashed
// in it: a change within the same tick could not be told otherwise.
//
// Of git's own directory only what makes git run commands is part of the tree: configuration,
// hooks, info. Objects, refs and the index are git's work.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pievt/event.h"
#include "pievt/result.h"

namespace pievt::workspace {

enum class Kind : std::uint8_t { file, symlink, other };

/// One file, link or special file. Directories are not entries: what is in them is.
struct Entry {
  std::string path;  ///< relative to the root
  Kind kind = Kind::file;
  std::uint32_t mode = 0;  ///< permission bits
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;
  std::uint64_t inode = 0;
  std::optional<schema::Digest> digest{};  ///< of the content or of the link's target, if known
};

struct Tree {
  std::string root;
  std::vector<Entry> entries;  ///< ascending by path
  std::uint64_t bytes = 0;
  std::uint64_t unreadable = 0;  ///< directories that could not be read
  bool partial = false;          ///< a limit cut the walk short
  std::uint64_t duration_ms = 0;
  /// What changed from here on (wall clock) may have changed again within the same tick.
  std::int64_t fresh_from_ns = 0;

  const Entry* find(std::string_view path) const;
};

struct WalkOptions {
  std::vector<std::string> skip{};  ///< relative paths of directories that are not entered
  std::uint64_t entries_max = 2'000'000;
  std::chrono::milliseconds time_max{10'000};
};

/// Everything below `root`, hidden and ignored files and names in any encoding included; of a
/// `.git` directory what is said above. Symbolic links are entries and are never followed. A file
/// that vanishes meanwhile is not there. Errors: `root` cannot be opened.
Result<Tree> walk(const std::string& root, const WalkOptions& options = {});

/// Gives entries that look the same as in `before` the digest they had there.
void keep_digests(const Tree& before, Tree& now);

enum class Change : std::uint8_t { created, modified, deleted, type_changed, mode_changed };

/// One path that is not as it was. An entry is null where there is none; both live in the trees.
struct Difference {
  Change change;
  const Entry* before = nullptr;
  const Entry* after = nullptr;

  const std::string& path() const { return after != nullptr ? after->path : before->path; }
};

/// What is different in `after`, ascending by path. Contents are read from `after.root` where
/// metadata differ, and the digests are kept in `after`. A file whose metadata alone changed while
/// its content is known to be the same is no difference.
std::vector<Difference> compare(const Tree& before, Tree& after);

/// SHA-256 of the file at `path` below `root`, or of a link's target. Nothing where it cannot be
/// read, is larger than 1 GiB, or is neither file nor link.
std::optional<schema::Digest> digest_of(int root, const Entry& entry);

/// A tree as bytes, for a supervisor that goes on where another died.
std::string encode(const Tree& tree);
Result<Tree> decode(std::string_view bytes);

}  // namespace pievt::workspace
