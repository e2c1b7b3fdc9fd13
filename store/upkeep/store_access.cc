#include "store/upkeep/store_access.h"

#include <cerrno>
#include <fstream>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "pievt/shell_word.h"
#include "store/log/store_files.h"
#include "store/upkeep/place.h"

namespace pievt {
namespace {

namespace fs = std::filesystem;

class Access {
 public:
  explicit Access(const fs::path& store) : store_(store) {}

  std::vector<Diagnosis> examine() {
    directory(store_);
    directory(log_directory(store_));
    lock();
    head();
    if (found_.empty())
      found_.push_back({"access", Diagnosis::Kind::fine, "a writer could begin here", {}});
    return std::move(found_);
  }

 private:
  void finding(std::string topic, std::string what, std::string next) {
    found_.push_back(
        {std::move(topic), Diagnosis::Kind::finding, std::move(what), std::move(next)});
  }

  // Who owns a thing can open it; who does not has to ask who does.
  void denied(const fs::path& path, const struct stat& status, std::string_view wanted) {
    const int error = errno;
    std::string what = fmt::format("{} cannot be {} by this user", path.string(), wanted);
    if (error == EROFS) {
      return finding("access",
                     fmt::format("{} is on a file system that is mounted read-only; it can be read",
                                 path.string()),
                     "mount it for writing, or: " + store_command("backup DEST", store_));
    }
    if (status.st_uid != ::geteuid()) {
      what += fmt::format(", and belongs to user {}", status.st_uid);
      return finding(
          "access", std::move(what),
          fmt::format("sudo -u '#{}' {}", status.st_uid, store_command("doctor", store_)));
    }
    finding("access", std::move(what), fmt::format("chmod u+rwX {}", shell_word(path)));
  }

  void directory(const fs::path& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return;  // what is not there is told of elsewhere
    if (::faccessat(AT_FDCWD, path.c_str(), R_OK | W_OK | X_OK, AT_EACCESS) != 0)
      denied(path, status, "read and written");
  }

  void lock() {
    const fs::path file = store_ / "LOCK";
    struct stat status {};
    if (::lstat(file.c_str(), &status) != 0) return;
    if (!S_ISREG(status.st_mode)) {
      return finding(
          "locks",
          fmt::format("LOCK is {}, and nobody can write before it is a file again",
                      S_ISLNK(status.st_mode) ? "a symbolic link" : "not a plain file"),
          fmt::format("{} {}", S_ISDIR(status.st_mode) ? "rm -r" : "rm", shell_word(file)));
    }
    if (::faccessat(AT_FDCWD, file.c_str(), R_OK | W_OK, AT_EACCESS) != 0 && errno != EROFS)
      denied(file, status, "opened");
  }

  void head() {
    const fs::path file = store_ / "HEAD";
    struct stat status {};
    if (::lstat(file.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return;
    finding("head", "HEAD is a directory, and no writer can make its own there",
            fmt::format("rm -r {}", shell_word(file)));
  }

  fs::path store_;
  std::vector<Diagnosis> found_;
};

}  // namespace

std::vector<Diagnosis> examine_access(const fs::path& store) {
  return Access(store).examine();
}

bool is_stopped(const Owner& owner) {
  const Owner self = this_process("");
  if (owner.pid <= 0 || owner.pid_namespace != self.pid_namespace ||
      owner.boot_id != self.boot_id ||
      describe_process(owner.pid, "").start_ticks != owner.start_ticks)
    return false;
  std::ifstream in(fmt::format("/proc/{}/stat", owner.pid));
  std::string line;
  std::getline(in, line);
  // The state follows the program's name, which may have any character in it.
  const std::size_t end = line.rfind(')');
  return end != std::string::npos && end + 2 < line.size() &&
         (line[end + 2] == 'T' || line[end + 2] == 't');
}

}  // namespace pievt
