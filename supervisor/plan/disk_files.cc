// See disk_files.h. Nothing here blocks: a named pipe where a prompt should be is refused, not
// waited for.
#include "supervisor/plan/disk_files.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "supervisor/plan/glob.h"

namespace pievt::plan {
namespace {

namespace fs = std::filesystem;

/// Directory entries one pattern may look at, so that `/**` ends.
constexpr std::size_t entries_max = 1'000'000;

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

Error too_large(std::uintmax_t bytes, std::size_t bytes_max) {
  return {Errc::invalid, fmt::format("has {} bytes; at most {} are read", bytes, bytes_max)};
}

/// One pattern being matched against the disk.
class Walk {
 public:
  Walk(std::string root, std::vector<std::string> parts, std::size_t files_max)
      : root_(std::move(root)), parts_(std::move(parts)), files_max_(files_max) {}

  /// Looks for parts [at, ...) below `below`, a path as it will be shown.
  void go(const std::string& below, std::size_t at) {
    if (at == parts_.size() || stopped()) return;
    const std::string& part = parts_[at];
    if (part == "**") return go_down(below, at);
    if (!has_wildcard(part)) return found(below + part, at);
    for (const std::string& name : names_in(below))
      if (name.starts_with('.') == part.starts_with('.') && glob_matches(part, name))
        found(below + name, at);
  }

  bool too_many_entries() const { return entries_ > entries_max; }
  std::set<std::string>& files() { return files_; }

 private:
  bool stopped() const { return too_many_entries() || files_.size() > files_max_; }

  void go_down(const std::string& below, std::size_t at) {
    go(below, at + 1);
    for (const std::string& name : names_in(below)) {
      std::error_code error;
      // A link to a directory is not followed: it may lead back up.
      if (!name.starts_with('.') &&
          fs::symlink_status(root_ + below + name, error).type() == fs::file_type::directory)
        go(below + name + "/", at);
    }
  }

  void found(const std::string& path, std::size_t at) {
    std::error_code error;
    const fs::file_type type = fs::status(root_ + path, error).type();
    if (at + 1 < parts_.size()) {
      if (type == fs::file_type::directory) go(path + "/", at + 1);
    } else if (type == fs::file_type::regular) {
      files_.insert(path);
    }
  }

  std::vector<std::string> names_in(const std::string& below) {
    std::vector<std::string> names;
    std::error_code error;
    const std::string path = root_ + below;
    for (fs::directory_iterator at(path.empty() ? "." : path, error), end; !error && at != end;
         at.increment(error)) {
      if (++entries_ > entries_max) break;
      names.push_back(at->path().filename().string());
    }
    return names;
  }

  std::string root_;
  std::vector<std::string> parts_;
  std::size_t files_max_;
  std::size_t entries_ = 0;
  std::set<std::string> files_;
};

}  // namespace

std::string DiskFiles::on_disk(const std::string& path) const {
  if (path.starts_with('/') || directory_.empty()) return path;
  return directory_.ends_with('/') ? directory_ + path : directory_ + "/" + path;
}

Result<std::string> DiskFiles::read(const std::string& path, std::size_t bytes_max) {
  const Fd fd(::open(on_disk(path).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return os_error("cannot be opened", errno);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return os_error("cannot be looked at", errno);
  if (!S_ISREG(status.st_mode)) return Error{Errc::invalid, "is not a regular file"};
  const auto size = static_cast<std::uintmax_t>(status.st_size);
  if (size > bytes_max) return too_large(size, bytes_max);
  // One byte more than expected, so that a file which grows meanwhile is noticed.
  std::string bytes(static_cast<std::size_t>(size) + 1, '\0');
  std::size_t have = 0;
  while (have <= bytes_max) {
    if (have == bytes.size()) bytes.resize(std::min(have * 2, bytes_max + 1));
    const ssize_t got = ::read(fd.get(), bytes.data() + have, bytes.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return os_error("cannot be read", errno);
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  if (have > bytes_max) return too_large(have, bytes_max);
  bytes.resize(have);
  return bytes;
}

Result<std::vector<std::string>> DiskFiles::glob(const std::string& pattern,
                                                 std::size_t files_max) {
  std::vector<std::string> parts;
  std::string_view rest = pattern;
  while (!rest.empty()) {
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    if (slash > 0) parts.emplace_back(rest.substr(0, slash));
    rest.remove_prefix(std::min(slash + 1, rest.size()));
  }
  if (!parts.empty() && parts.back() == "**") parts.emplace_back("*");  // everything below
  const bool absolute = pattern.starts_with('/');
  Walk walk(absolute ? "" : on_disk(""), std::move(parts), files_max);
  walk.go(absolute ? "/" : "", 0);
  if (walk.too_many_entries())
    return Error{Errc::invalid,
                 fmt::format("looks at more than {} files and directories", entries_max)};
  if (walk.files().size() > files_max)
    return Error{Errc::invalid, fmt::format("matches more than {} files", files_max)};
  return std::vector<std::string>(walk.files().begin(), walk.files().end());
}

}  // namespace pievt::plan
