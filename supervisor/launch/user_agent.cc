// See user_agent.h.
#include "supervisor/launch/user_agent.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <string_view>

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "supervisor/process/fd.h"

namespace pievt::launch {
namespace {

/// Larger than any file of pi's that is read here, and small enough to hold.
constexpr std::size_t user_file_bytes_max = 4u << 20;

std::string_view value_of(const std::vector<process::Variable>& environment,
                          std::string_view name) {
  const auto found = std::ranges::find(environment, name, &process::Variable::name);
  return found == environment.end() ? std::string_view{} : std::string_view(found->value);
}

std::string home_of(const std::vector<process::Variable>& environment) {
  const std::string_view home = value_of(environment, "HOME");
  if (!home.empty()) return std::string(home);
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 16384> buffer{};
  const int failed = ::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found);
  if (failed != 0 || found == nullptr || found->pw_dir == nullptr) return {};
  return found->pw_dir;
}

Status clean_lock(const std::filesystem::path& lock, std::vector<std::filesystem::path>& removed) {
  struct stat info {};
  if (::lstat(lock.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return {};
    return os_error(fmt::format("cannot examine {}", lock.string()), errno);
  }
  if (!S_ISDIR(info.st_mode)) return {};
  if (std::time(nullptr) - info.st_mtim.tv_sec <= lock_stale_s.count()) return {};
  if (::rmdir(lock.c_str()) == 0) {
    removed.push_back(lock);
    return {};
  }
  // Not empty: nothing pi made. Gone: another pi or supervisor was quicker.
  if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOENT) return {};
  return os_error(fmt::format("cannot remove {}, which a killed pi left", lock.string()), errno);
}

}  // namespace

Result<std::filesystem::path> user_agent_dir(const std::vector<process::Variable>& environment) {
  const std::string_view named = value_of(environment, "PI_CODING_AGENT_DIR");
  const bool in_home = named.empty() || named == "~" || named.starts_with("~/");
  std::filesystem::path directory(named);
  if (in_home) {
    const std::filesystem::path home = home_of(environment);
    directory = named.empty() ? home / ".pi" / "agent"
                              : home / named.substr(std::min<std::size_t>(named.size(), 2));
  }
  if (directory.is_absolute()) return directory.lexically_normal();
  return Error{Errc::invalid,
               fmt::format("pi's directory would be the relative path {}; set {} to an absolute "
                           "path",
                           directory.string(), in_home ? "HOME" : "PI_CODING_AGENT_DIR")};
}

Result<std::string> read_user_file(const std::filesystem::path& path) {
  // O_NONBLOCK because opening a named pipe would wait for its other end.
  const process::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.is_open()) return os_error(fmt::format("cannot open {}", path.string()), errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0)
    return os_error(fmt::format("cannot examine {}", path.string()), errno);
  if (!S_ISREG(info.st_mode))
    return Error{Errc::invalid, fmt::format("{} is not a plain file", path.string())};
  std::string text;
  std::array<char, 16384> buffer{};
  while (text.size() <= user_file_bytes_max) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return os_error(fmt::format("cannot read {}", path.string()), errno);
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return Error{Errc::invalid,
               fmt::format("{} is longer than {} bytes", path.string(), user_file_bytes_max)};
}

Result<std::vector<std::filesystem::path>> clean_stale_locks(
    const std::filesystem::path& user_directory) {
  const std::filesystem::path auth = user_directory / "auth.json";
  std::vector<std::filesystem::path> locks{auth.string() + ".lock"};
  std::error_code failed;
  const std::filesystem::path real = std::filesystem::canonical(auth, failed);
  if (!failed && real != auth) locks.emplace_back(real.string() + ".lock");
  std::vector<std::filesystem::path> removed;
  for (const auto& lock : locks) PIEVT_TRY(clean_lock(lock, removed));
  return removed;
}

}  // namespace pievt::launch
