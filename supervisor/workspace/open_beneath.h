// Opening what lies below a directory, never anything else: no symbolic link is followed on the
// way, `..` leads nowhere. A worker can put links anywhere in its tree, at any moment, so it is the
// kernel that must look, not a check before.
#pragma once

#include <string>
#include <string_view>

#include "pievt/result.h"
#include "supervisor/process/fd.h"

namespace pievt::workspace {

/// Whether `path` is one that we take from others (a commit, a plan, a record) and use below a
/// directory: relative, without empty, `.` or `..` components, without NUL, at most 4,095 bytes.
bool is_safe_path(std::string_view path);

/// The directory by its path; links on the way to it are followed, because where it lies is the
/// user's choice.
Result<process::Fd> open_root(const std::string& path);

/// openat() of `path`, as is_safe_path demands, with O_CLOEXEC and O_NOFOLLOW added. An empty path
/// is the directory itself. The descriptor is -1 and errno says why where it cannot be opened.
process::Fd open_beneath(int root, const std::string& path, int flags, unsigned mode = 0);

/// Opens the directory that holds `path`, making those on the way (0777 less the umask) where
/// `make` says so. Failure as above.
enum class Parents : bool { must_exist, make };
process::Fd open_parent(int root, const std::string& path, Parents parents);

/// The last component.
std::string base_name(const std::string& path);

}  // namespace pievt::workspace
