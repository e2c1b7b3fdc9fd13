// See agent_dir.h.
#include "supervisor/launch/agent_dir.h"

#include <cerrno>
#include <optional>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "supervisor/launch/agent_json.h"
#include "supervisor/launch/directory.h"
#include "supervisor/launch/user_agent.h"

namespace pievt::launch {
namespace {

enum class Presence : std::uint8_t { present, absent };

/// Whether `path` leads to something. A link that leads nowhere is an error: what is made through
/// it would appear at a place nobody looks at.
Result<Presence> look_for(const std::filesystem::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0) return Presence::present;
  if (errno != ENOENT) return os_error(fmt::format("cannot examine {}", path.string()), errno);
  if (::lstat(path.c_str(), &info) != 0) return Presence::absent;
  return Error{
      Errc::invalid,
      fmt::format("{} is a symbolic link that leads nowhere; correct or remove it", path.string())};
}

Status make_user_directory(const std::filesystem::path& path) {
  std::error_code failed;
  if (std::filesystem::is_directory(path, failed)) return {};
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), failed);
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return os_error(fmt::format("cannot make pi's directory {}", path.string()), errno);
}

/// Makes an empty auth.json as pi does. It appears whole: a pi that starts at this moment must not
/// read half of it, and one that makes it first wins.
Status make_auth_file(const std::filesystem::path& user_directory) {
  const std::filesystem::path auth = user_directory / "auth.json";
  if (PIEVT_TRY(look_for(auth)) == Presence::present) return {};
  const process::Fd directory = PIEVT_TRY(open_directory(user_directory));
  const std::string fresh = fmt::format(".auth.json.{}", ::gettid());
  ::unlinkat(directory.get(), fresh.c_str(), 0);
  const process::Fd file =
      PIEVT_TRY(write_new_file(directory.get(), fresh, "{}", user_directory / fresh));
  // The user's, and stays: after a power cut it must not be there and empty.
  if (::fsync(file.get()) != 0)
    return os_error(fmt::format("cannot make {} durable", auth.string()), errno);
  const bool linked =
      ::linkat(directory.get(), fresh.c_str(), directory.get(), "auth.json", 0) == 0;
  const int number = errno;
  ::unlinkat(directory.get(), fresh.c_str(), 0);
  if (linked || number == EEXIST) return {};
  return os_error(fmt::format("cannot make {}", auth.string()), number);
}

/// Links to where the user's file really is. The user's own pi may run in a directory of links too
/// (a batch started by an agent of a batch), and that one may be gone first.
Status link_to(int directory, const std::string& name, const AgentDirRequest& request) {
  std::error_code failed;
  const std::filesystem::path target =
      std::filesystem::canonical(request.user_directory / name, failed);
  if (failed)
    return os_error(fmt::format("cannot find {}", (request.user_directory / name).string()),
                    failed.value());
  if (::symlinkat(target.c_str(), directory, name.c_str()) == 0) return {};
  if (errno == EEXIST)
    return Error{Errc::conflict, fmt::format("{} holds {} already; an attempt starts with a fresh "
                                             "directory",
                                             request.directory.string(), name)};
  return os_error(
      fmt::format("cannot link {} to {}", (request.directory / name).string(), target.string()),
      errno);
}

Status write_settings(int directory, const AgentDirRequest& request, AgentDirReport& report) {
  const std::filesystem::path users = request.user_directory / "settings.json";
  auto text = read_user_file(users);
  std::optional<std::string_view> user;
  if (text.ok()) user = *text;
  if (!text.ok() && text.error().code != Errc::not_found)
    report.warnings.push_back(text.error().what +
                              "; pi's default settings are used, as pi itself would");
  GeneratedSettings settings = generate_settings(user, request.version, request.mode);
  report.dropped = std::move(settings.dropped);
  for (std::string& warning : settings.warnings) report.warnings.push_back(std::move(warning));
  PIEVT_TRY(write_new_file(directory, "settings.json", settings.text,
                           request.directory / "settings.json"));
  return {};
}

Status check_paths(const AgentDirRequest& request) {
  for (const auto* path : {&request.directory, &request.user_directory})
    if (!path->is_absolute() || !path->has_filename())
      return Error{Errc::invalid,
                   fmt::format("'{}' is no absolute path of a directory; links would lead astray",
                               path->string())};
  return {};
}

}  // namespace

Status prepare_user_agent_dir(const std::filesystem::path& user_directory) {
  PIEVT_TRY(make_user_directory(user_directory));
  PIEVT_TRY(make_auth_file(user_directory));
  return make_user_directory(user_directory / "bin");
}

Result<AgentDirReport> prepare_agent_dir(const AgentDirRequest& request) {
  PIEVT_TRY(check_paths(request));
  PIEVT_TRY(prepare_user_agent_dir(request.user_directory));

  const process::Fd parent = PIEVT_TRY(open_directory(request.directory.parent_path()));
  const process::Fd directory = PIEVT_TRY(make_directory(
      parent.get(), request.directory.filename().string(), request.directory, Existing::accept));
  AgentDirReport report;
  PIEVT_TRY(write_settings(directory.get(), request, report));
  PIEVT_TRY(link_to(directory.get(), "auth.json", request));
  PIEVT_TRY(link_to(directory.get(), "bin", request));
  const auto models = look_for(request.user_directory / "models.json");
  if (!models.ok())
    report.warnings.push_back(models.error().what + "; providers of models.json are not known");
  else if (*models == Presence::present)
    PIEVT_TRY(link_to(directory.get(), "models.json", request));
  return report;
}

}  // namespace pievt::launch
