#include "store/upkeep/stage.h"

#include <vector>

#include <fmt/format.h>

#include "store/upkeep/place.h"

namespace pievt {
namespace {

namespace fs = std::filesystem;

// A name that changes its meaning again and again is somebody's who works there.
constexpr int takes_max = 8;

bool is_held_under(const fs::path& directory, const WriterLock& lock) {
  const auto there = WriterLock::current_owner(directory);
  return there && *there == lock.owner();
}

}  // namespace

bool is_lock_file(const fs::path& file) {
  return file.filename() == "LOCK";
}

Result<Stage> Stage::take(const fs::path& directory, std::string_view program) {
  for (int attempt = 1;; ++attempt) {
    std::error_code failed;
    if (fs::is_symlink(fs::symlink_status(directory, failed))) {
      return Error{Errc::invalid, fmt::format("{} is a symbolic link, and what is made there is "
                                              "made in a directory; move it away",
                                              directory.string())};
    }
    PIEVT_TRY(make_directory(directory));
    Result<WriterLock> lock =
        WriterLock::acquire(directory, this_process(program), brief_lock_wait);
    const bool again = attempt < takes_max;
    if (!lock.ok()) {
      // Removed between being made and being opened.
      if (lock.error().code == Errc::not_found && again) continue;
      return lock.error();
    }
    if (is_held_under(directory, *lock)) return Stage(directory, std::move(*lock));
    if (!again) {
      return Error{Errc::busy, fmt::format("{} is made and removed by somebody else; try again",
                                           directory.string())};
    }
  }
}

Result<bool> Stage::is_new() const {
  std::error_code failed;
  for (fs::directory_iterator at(path_, failed), end; !failed && at != end; at.increment(failed))
    if (!is_lock_file(at->path())) return false;
  if (failed) return os_error(fmt::format("cannot read {}", path_.string()), failed.value());
  return true;
}

Status Stage::clear() const {
  std::error_code failed;
  std::vector<fs::path> content;
  for (fs::directory_iterator at(path_, failed), end; !failed && at != end; at.increment(failed))
    if (!is_lock_file(at->path())) content.push_back(at->path());
  if (failed) return os_error(fmt::format("cannot read {}", path_.string()), failed.value());
  for (const fs::path& one : content) PIEVT_TRY(remove_directory(one));
  return {};
}

Status Stage::remove() const {
  return remove_directory(path_);
}

Status Stage::publish(const fs::path& to) const {
  return publish_stage(path_, to);
}

}  // namespace pievt
