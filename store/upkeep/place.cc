#include "store/upkeep/place.h"

#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "store/log/fd.h"
#include "store/log/store_files.h"

namespace pievt {
namespace {

namespace fs = std::filesystem;

// Without a slash at its end, so that it has a name and a parent.
fs::path absolute_path(const fs::path& path) {
  std::error_code failed;
  // Of a path that does not exist weakly_canonical() makes no absolute one.
  const fs::path from_root = fs::absolute(path, failed);
  fs::path full = fs::weakly_canonical(from_root, failed);
  if (failed) full = from_root.lexically_normal();
  return full.has_filename() ? full : full.parent_path();
}

bool is_within(const fs::path& inner, const fs::path& outer) {
  const auto [end, unused] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
  return end == outer.end();
}

}  // namespace

Result<bool> is_vacant(const fs::path& directory) {
  std::error_code failed;
  const fs::file_status status = fs::status(directory, failed);
  if (status.type() == fs::file_type::not_found) return true;
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
  const fs::path one = absolute_path(store), other = absolute_path(copy);
  if (!is_within(one, other) && !is_within(other, one)) return {};
  return Error{Errc::invalid, fmt::format("{} and {} lie in each other; name another directory",
                                          one.string(), other.string())};
}

Status make_directory(const fs::path& directory) {
  const fs::path full = absolute_path(directory);
  if (::mkdir(full.c_str(), 0700) != 0 && errno != EEXIST)
    return os_error(fmt::format("cannot create {}", full.string()), errno);
  return sync_directory(full.parent_path());
}

fs::path stage_of(const fs::path& to, std::string_view doing) {
  return absolute_path(to).string() + fmt::format(".{}", doing);
}

Status publish_stage(const fs::path& stage, const fs::path& to) {
  const fs::path full = absolute_path(to);
  // Over an empty directory this succeeds, over anything else it does not.
  if (::rename(stage.c_str(), full.c_str()) != 0) {
    if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR) return check_vacant(full);
    return os_error(fmt::format("cannot rename {} to {}", stage.string(), full.string()), errno);
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
