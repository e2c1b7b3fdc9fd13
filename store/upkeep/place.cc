#include "store/upkeep/place.h"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "pievt/upkeep.h"
#include "store/log/fd.h"
#include "store/log/store_files.h"

namespace pievt {
namespace {

namespace fs = std::filesystem;

bool is_within(const fs::path& inner, const fs::path& outer) {
  const auto [end, unused] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
  return end == outer.end();
}

}  // namespace

fs::path resolved(const fs::path& path) {
  std::error_code failed;
  // Of a path that does not exist weakly_canonical() makes no absolute one.
  const fs::path from_root = fs::absolute(path, failed);
  fs::path full = fs::weakly_canonical(from_root, failed);
  if (failed) full = from_root.lexically_normal();
  return full.has_filename() ? full : full.parent_path();
}

Result<bool> is_there(const fs::path& path) {
  std::error_code failed;
  const fs::file_status status = fs::status(path, failed);
  if (status.type() == fs::file_type::not_found) return false;
  if (status.type() == fs::file_type::none)
    return os_error(fmt::format("cannot look at {}", path.string()), failed.value());
  return true;
}

bool is_unfinished_file(const fs::path& file, std::string_view name) {
  const std::string there = file.filename().string();
  return there.starts_with(fmt::format("{}.", name)) && there.ends_with(".tmp");
}

Result<bool> is_vacant(const fs::path& directory) {
  std::error_code failed;
  if (!PIEVT_TRY(is_there(directory))) {
    const fs::path name = directory.has_filename() ? directory : directory.parent_path();
    if (!fs::is_symlink(fs::symlink_status(name, failed))) return true;
    return Error{Errc::invalid,
                 fmt::format("{} is a symbolic link to {}, and there is nothing; "
                             "make that directory, or name another one",
                             name.string(), fs::read_symlink(name, failed).string())};
  }
  const fs::file_status status = fs::status(directory, failed);
  if (status.type() != fs::file_type::directory) {
    return Error{Errc::invalid, fmt::format("{} is not a directory", directory.string())};
  }
  const bool empty = fs::is_empty(directory, failed);
  if (failed) {
    return Error{Errc::io, fmt::format("cannot read {}: {}", directory.string(), failed.message())};
  }
  return empty;
}

Status check_vacant(const fs::path& directory) {
  if (PIEVT_TRY(is_vacant(directory))) return {};
  return Error{Errc::invalid, fmt::format("{} is there and is not empty; nothing is ever "
                                          "overwritten: name another directory",
                                          directory.string())};
}

Status check_apart(const fs::path& store, const fs::path& copy) {
  const fs::path one = resolved(store), other = resolved(copy);
  if (!is_within(one, other) && !is_within(other, one)) return {};
  return Error{Errc::invalid, fmt::format("{} and {} lie in each other; name another directory",
                                          one.string(), other.string())};
}

Status make_directory(const fs::path& directory) {
  const fs::path full = resolved(directory);
  if (::mkdir(full.c_str(), 0700) != 0 && errno != EEXIST)
    return os_error(fmt::format("cannot create {}", full.string()), errno);
  return sync_directory(full.parent_path());
}

fs::path stage_of(const fs::path& to, std::string_view doing) {
  return resolved(to).string() + fmt::format(".{}", doing);
}

Status publish_stage(const fs::path& stage, const fs::path& to) {
  const fs::path full = resolved(to);
  // Over an empty directory this succeeds, over anything else it does not.
  if (::rename(stage.c_str(), full.c_str()) != 0) {
    const int error = errno;
    // Whoever has the name by now is told of; that nothing was put there is an error in any case.
    if (error == ENOTEMPTY || error == EEXIST || error == ENOTDIR) PIEVT_TRY(check_vacant(full));
    return os_error(fmt::format("cannot rename {} to {}", stage.string(), full.string()), error);
  }
  return sync_directory(full.parent_path());
}

Status remove_durably(const fs::path& file) {
  if (::unlink(file.c_str()) != 0 && errno != ENOENT)
    return os_error(fmt::format("cannot remove {}", file.string()), errno);
  return sync_directory(file.parent_path());
}

Status remove_directory(const fs::path& directory) {
  std::error_code failed;
  fs::remove_all(directory, failed);
  if (!failed) return {};
  return Error{Errc::io, fmt::format("cannot remove {}: {}", directory.string(), failed.message())};
}

Result<std::string> read_small_file(const fs::path& file) {
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return os_error(fmt::format("cannot read {}", file.string()), errno);
  std::string text(64u << 10, '\0');
  const ssize_t got = ::read(fd.get(), text.data(), text.size());
  if (got < 0) return os_error(fmt::format("cannot read {}", file.string()), errno);
  text.resize(static_cast<std::size_t>(got));
  return text;
}

}  // namespace pievt
