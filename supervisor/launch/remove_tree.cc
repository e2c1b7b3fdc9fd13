// See remove_tree.h.
//
// A walk with an explicit stack. Below `depth_max` a directory is not entered but moved up to the
// top of the tree, where a later round finds it at depth one: so a chain of a million directories
// needs rounds, not descriptors.
#include "supervisor/launch/remove_tree.h"

#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "supervisor/process/fd.h"

namespace pievt::launch {
namespace {

/// Descriptors held at once; the usual limit of a process is 1024, and the loop has its own.
constexpr std::size_t depth_max = 48;

/// Rounds over the top. Each takes `depth_max` levels off every chain, so this is enough for five
/// million; who needs more is adding faster than we remove.
constexpr std::size_t rounds_max = 100'000;

struct CloseStream {
  void operator()(DIR* stream) const { ::closedir(stream); }
};

struct Level {
  std::string name;
  std::unique_ptr<DIR, CloseStream> stream;
  int fd() const { return ::dirfd(stream.get()); }
};

class Removal {
 public:
  Removal(int parent, const std::string& name, const std::filesystem::path& shown)
      : parent_(parent), name_(name), shown_(shown) {}

  Status run() {
    if (!open_top()) return failure_ ? Status(*failure_) : Status{};
    for (std::size_t round = 0; round < rounds_max; ++round) {
      progress_ = false;
      walk();
      if (::unlinkat(parent_, name_.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
      if (!progress_) return failure_ ? Status(*failure_) : Status(failed("remove", errno));
      failure_.reset();
      ::rewinddir(levels_.front().stream.get());
    }
    return Error{Errc::busy, fmt::format("{} does not get empty: something adds entries to it; "
                                         "end that and remove it again",
                                         shown_.string())};
  }

 private:
  Error failed(std::string_view verb, int number) const {
    return os_error(fmt::format("cannot {} {} or something in it", verb, shown_.string()), number);
  }

  void note(std::string_view verb, int number) {
    if (!failure_) failure_ = failed(verb, number);
  }

  /// False when there is nothing to walk: it is gone, or it cannot be opened (failure_).
  bool open_top() {
    if (::unlinkat(parent_, name_.c_str(), 0) == 0 || errno == ENOENT) return false;
    return enter(parent_, name_);
  }

  /// Opens a directory with the permissions we need, and pushes it. The descriptor that is checked
  /// and given permissions is the one that is walked, so a swapped link cannot misdirect either.
  bool enter(int directory, const std::string& name) {
    const process::Fd found(
        ::openat(directory, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat info {};
    if (!found.is_open() || ::fstat(found.get(), &info) != 0) return refuse("open", errno);
    if (levels_.empty()) device_ = info.st_dev;
    if (info.st_dev != device_) return refuse("enter the other file system in", EXDEV);
    const std::string handle = fmt::format("/proc/self/fd/{}", found.get());
    if ((info.st_mode & S_IRWXU) != S_IRWXU) ::chmod(handle.c_str(), S_IRWXU);
    const int readable = ::openat(found.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (readable < 0) return refuse("open", errno);
    std::unique_ptr<DIR, CloseStream> stream(::fdopendir(readable));
    if (!stream) {
      const int number = errno;
      ::close(readable);
      return refuse("read", number);
    }
    levels_.push_back({name, std::move(stream)});
    return true;
  }

  bool refuse(std::string_view verb, int number) {
    if (number != ENOENT) note(verb, number);
    return false;
  }

  /// From the top down and back up to it; the top stays open.
  void walk() {
    while (true) {
      const int here = levels_.back().fd();
      errno = 0;
      const dirent* entry = ::readdir(levels_.back().stream.get());
      if (entry == nullptr && errno != 0) note("read", errno);
      if (entry != nullptr) {
        remove_entry(here, entry->d_name);
        continue;
      }
      if (levels_.size() == 1) return;
      leave();
    }
  }

  void leave() {
    const std::string name = std::move(levels_.back().name);
    levels_.pop_back();
    if (::unlinkat(levels_.back().fd(), name.c_str(), AT_REMOVEDIR) == 0)
      progress_ = true;
    else
      refuse("remove", errno);
  }

  void remove_entry(int here, const std::string& name) {
    if (name == "." || name == "..") return;
    if (::unlinkat(here, name.c_str(), 0) == 0) {
      progress_ = true;
      return;
    }
    const int number = errno;
    struct stat info {};
    if (::fstatat(here, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISDIR(info.st_mode)) {
      refuse("remove", number);
      return;
    }
    if (levels_.size() < depth_max)
      enter(here, name);
    else
      move_to_top(here, name);
  }

  /// Moving a directory rewrites its "..", for which its owner needs write permission on it.
  void move_to_top(int here, const std::string& name) {
    const process::Fd found(
        ::openat(here, name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (found.is_open()) ::chmod(fmt::format("/proc/self/fd/{}", found.get()).c_str(), S_IRWXU);
    const int top = levels_.front().fd();
    for (int tries = 0; tries < 1000; ++tries) {
      const std::string fresh = fmt::format(".moved-up-{}", moved_++);
      if (::renameat2(here, name.c_str(), top, fresh.c_str(), RENAME_NOREPLACE) == 0) {
        progress_ = true;
        return;
      }
      if (errno != EEXIST) break;
    }
    refuse("move", errno);
  }

  int parent_;
  const std::string& name_;
  const std::filesystem::path& shown_;
  std::vector<Level> levels_;
  dev_t device_ = 0;
  std::uint64_t moved_ = 0;
  bool progress_ = false;
  std::optional<Error> failure_;
};

}  // namespace

Status remove_tree(int parent, const std::string& name, const std::filesystem::path& shown) {
  return Removal(parent, name, shown).run();
}

}  // namespace pievt::launch
