// The walk: getdents64 and statx, one open directory at a time.
#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervisor/workspace/open_beneath.h"
#include "supervisor/workspace/tree.h"

namespace pievt::workspace {
namespace {

using Clock = std::chrono::steady_clock;

// Longer than the kernel's coarsest tick.
constexpr std::int64_t tick_ns = 20'000'000;

struct DirectoryEntry {
  std::uint64_t inode;
  std::int64_t offset;
  std::uint16_t size;
  std::uint8_t type;
};
constexpr std::size_t name_at = 19;

// Which part of a repository's own directory is being walked.
enum class Inside : std::uint8_t {
  tree,
  git,       // .git itself, and repositories below .git/modules and .git/worktrees
  modules,   // directories whose names are free, in which repositories lie
  commands,  // hooks, info: everything in it counts
};

struct Pending {
  std::string path;  // empty: the root
  Inside inside;
};

class Walker {
 public:
  Walker(Tree& tree, int root, const WalkOptions& options)
      : tree_(tree), root_(root), options_(options), end_(Clock::now() + options.time_max) {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    tree_.fresh_from_ns = now.tv_sec * 1'000'000'000 + now.tv_nsec - tick_ns;
  }

  void run() {
    pending_.push_back({"", Inside::tree});
    while (!pending_.empty() && !tree_.partial) {
      const Pending next = std::move(pending_.back());
      pending_.pop_back();
      read_directory(next);
      if (Clock::now() > end_) tree_.partial = true;
    }
    std::ranges::sort(tree_.entries, {}, &Entry::path);
  }

 private:
  void read_directory(const Pending& directory) {
    const process::Fd fd = open_beneath(root_, directory.path, O_RDONLY | O_DIRECTORY);
    if (!fd.is_open()) {
      if (errno != ENOENT) ++tree_.unreadable;
      return;
    }
    for (;;) {
      const long got = ::syscall(SYS_getdents64, fd.get(), buffer_.data(), buffer_.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno != ENOENT) ++tree_.unreadable;
      if (got <= 0) return;
      for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
        const auto* entry = reinterpret_cast<const DirectoryEntry*>(buffer_.data() + at);
        const char* name = reinterpret_cast<const char*>(buffer_.data() + at + name_at);
        at += entry->size;
        take(fd.get(), directory, name, entry->type);
      }
    }
  }

  void take(int fd, const Pending& directory, std::string_view name, unsigned type) {
    if (name == "." || name == "..") return;
    std::string path;
    path.reserve(directory.path.size() + 1 + name.size());
    if (!directory.path.empty()) path.append(directory.path).push_back('/');
    path.append(name);
    struct statx facts {};
    if (type == DT_UNKNOWN || type != DT_DIR) {
      if (!wanted_file(directory.inside, name) && type != DT_UNKNOWN) return;
      const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC;
      const unsigned mask =
          STATX_TYPE | STATX_MODE | STATX_SIZE | STATX_MTIME | STATX_CTIME | STATX_INO;
      if (::statx(fd, name.data(), flags, mask, &facts) != 0) {
        if (errno != ENOENT) ++tree_.unreadable;
        return;
      }
    }
    if (type == DT_DIR || S_ISDIR(facts.stx_mode)) return enter(directory, name, std::move(path));
    if (wanted_file(directory.inside, name)) add(std::move(path), facts);
  }

  static bool wanted_file(Inside inside, std::string_view name) {
    if (inside == Inside::tree || inside == Inside::commands) return true;
    return name == "config" || name == "config.worktree";
  }

  void enter(const Pending& directory, std::string_view name, std::string path) {
    if (std::ranges::find(options_.skip, path) != options_.skip.end()) return;
    if (const auto inside = inside_of(directory.inside, name))
      pending_.push_back({std::move(path), *inside});
  }

  static std::optional<Inside> inside_of(Inside parent, std::string_view name) {
    const bool commands = name == "hooks" || name == "info";
    const bool repositories = name == "modules" || name == "worktrees";
    switch (parent) {
      case Inside::tree:
        return name == ".git" ? Inside::git : Inside::tree;
      case Inside::commands:
        return Inside::commands;
      case Inside::git:
        if (commands) return Inside::commands;
        return repositories ? std::optional(Inside::modules) : std::nullopt;
      case Inside::modules:
        if (commands) return Inside::commands;
        if (name == "objects" || name == "refs" || name == "logs") return std::nullopt;
        return Inside::modules;
    }
    return std::nullopt;
  }

  static std::int64_t ns_of(const statx_timestamp& time) {
    return time.tv_sec * 1'000'000'000 + time.tv_nsec;
  }

  void add(std::string path, const struct statx& facts) {
    if (tree_.entries.size() >= options_.entries_max) {
      tree_.partial = true;
      return;
    }
    Entry entry;
    entry.path = std::move(path);
    entry.kind = S_ISREG(facts.stx_mode)   ? Kind::file
                 : S_ISLNK(facts.stx_mode) ? Kind::symlink
                                           : Kind::other;
    entry.mode = facts.stx_mode & 07777u;
    entry.size = facts.stx_size;
    entry.modified_ns = ns_of(facts.stx_mtime);
    entry.changed_ns = ns_of(facts.stx_ctime);
    entry.inode = facts.stx_ino;
    tree_.bytes += entry.kind == Kind::file ? entry.size : 0;
    if (entry.changed_ns >= tree_.fresh_from_ns) entry.digest = digest_of(root_, entry);
    tree_.entries.push_back(std::move(entry));
  }

  Tree& tree_;
  int root_;
  const WalkOptions& options_;
  Clock::time_point end_;
  std::vector<Pending> pending_;
  alignas(std::uint64_t) std::array<std::byte, 128 << 10> buffer_{};
};

}  // namespace

Result<Tree> walk(const std::string& root, const WalkOptions& options) {
  const Clock::time_point began = Clock::now();
  const process::Fd fd = PIEVT_TRY(open_root(root));
  Tree tree;
  tree.root = root;
  const auto walker = std::make_unique<Walker>(tree, fd.get(), options);
  walker->run();
  tree.duration_ms = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began).count());
  return tree;
}

}  // namespace pievt::workspace
