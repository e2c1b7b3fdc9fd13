#include "supervisor/workspace/worktree.h"

#include <cerrno>
#include <fstream>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "supervisor/workspace/open_beneath.h"
#include "supervisor/workspace/patch.h"
#include "supervisor/workspace/run_git.h"

namespace pievt::workspace {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t link_mode = 0120000;
constexpr std::uint32_t submodule_mode = 0160000;
constexpr std::size_t refs_max = 10'000;
constexpr std::uint32_t carried_files_max = 200'000;
constexpr std::size_t carried_file_bytes_max = 1u << 30;

Status write_all(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return os_error(fmt::format("cannot write {}", path), errno);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

std::string trimmed(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

// Who commits is the user; nothing else of the configuration is taken over. `git config --file`
// reads one file and runs nothing.
std::string identity_of(const GitView& git, const Repository& repository) {
  std::string out;
  std::error_code ignored;
  const fs::path copy = git.directory() / "user.config";
  fs::copy_file(repository.common_directory / "config", copy, fs::copy_options::overwrite_existing,
                ignored);
  for (const char* key : {"name", "email"}) {
    const auto said = git.text(
        {"config", "--file", copy.string(), "--no-includes", "--get", fmt::format("user.{}", key)});
    if (!said.ok() || said->find_first_of("\"\\") != std::string::npos) continue;
    const std::string value = trimmed(*said);
    if (!value.empty() && value.find('\n') == std::string::npos)
      out += fmt::format("\t{} = \"{}\"\n", key, value);
  }
  return out.empty() ? out : "[user]\n" + out;
}

Status write_text(const fs::path& path, std::string_view text) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (file) return {};
  return os_error(fmt::format("cannot write {}", path.string()), errno);
}

Status make_own_repository(const GitView& git, const WorktreeRequest& request) {
  const Repository& user = request.repository;
  const fs::path own = request.directory / ".git";
  const fs::path objects = user.common_directory / "objects";
  PIEVT_TRY(make_repository(own, object_format(user), {objects},
                            identity_of(git, user) + "[core]\n\tbare = false\n"
                                                     "\tlogallrefupdates = true\n"));
  std::string packed = "# pack-refs with: peeled fully-peeled sorted \n";
  const auto refs = read_refs(user);
  if (refs.size() <= refs_max)
    for (const auto& [name, id] : refs) packed += fmt::format("{} {}\n", id, name);
  PIEVT_TRY(write_text(own / "packed-refs", packed));
  const std::string branch = read_heads(user).branch;
  if (branch.empty() || !is_safe_path(branch)) {
    PIEVT_TRY(write_text(own / "HEAD", request.commit + "\n"));
  } else {
    PIEVT_TRY(write_text(own / "HEAD", fmt::format("ref: refs/heads/{}\n", branch)));
    PIEVT_TRY(write_text(own / "refs/heads" / branch, request.commit + "\n"));
  }
  std::error_code ignored;
  if (fs::exists(git.directory() / "shallow", ignored))
    fs::copy_file(git.directory() / "shallow", own / "shallow", ignored);
  fs::create_directories(own / "info", ignored);
  // Nobody but us has written there yet.
  return run_git(own, {"read-tree", request.commit}, {}, {}, [](auto) { return Status(); });
}

Result<std::uint32_t> copy_directory(int from, int to, const std::string& path,
                                     std::uint32_t files);

Result<std::uint32_t> copy_entry(int from, int to, const std::string& path, std::uint32_t files) {
  const process::Fd parent = open_parent(from, path, Parents::must_exist);
  struct stat facts {};
  if (!parent.is_open() ||
      ::fstatat(parent.get(), base_name(path).c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0)
    return os_error(fmt::format("cannot carry {} into the worktree", path), errno);
  if (files >= carried_files_max)
    return Error{Errc::invalid, fmt::format("more than {} files are to be carried into the "
                                            "worktree; link directories instead",
                                            carried_files_max)};
  if (S_ISDIR(facts.st_mode)) return copy_directory(from, to, path, files);
  if (S_ISLNK(facts.st_mode)) {
    const std::string target = PIEVT_TRY(read_link_beneath(from, path));
    PIEVT_TRY(write_beneath(to, path, link_mode, target));
  } else if (S_ISREG(facts.st_mode)) {
    const std::string content = PIEVT_TRY(read_beneath(from, path, carried_file_bytes_max));
    PIEVT_TRY(write_beneath(to, path, facts.st_mode & 0777, content));
  } else {
    return files;
  }
  return files + 1;
}

Result<std::uint32_t> copy_directory(int from, int to, const std::string& path,
                                     std::uint32_t files) {
  process::Fd fd = open_beneath(from, path, O_RDONLY | O_DIRECTORY);
  if (!fd.is_open()) return os_error(fmt::format("cannot carry {}", path), errno);
  static_cast<void>(open_parent(to, path + "/x", Parents::make));
  std::vector<std::string> names;
  DIR* directory = ::fdopendir(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
  if (directory == nullptr) return os_error(fmt::format("cannot carry {}", path), errno);
  while (const dirent* entry = ::readdir(directory)) names.emplace_back(entry->d_name);
  ::closedir(directory);
  for (const std::string& name : names) {
    if (name == "." || name == ".." || name == ".git") continue;
    files = PIEVT_TRY(copy_entry(from, to, path + "/" + name, files));
  }
  return files;
}

Status carry(const WorktreeRequest& request, int to, MadeWorktree& made) {
  if (request.carry.empty()) return {};
  const process::Fd from = PIEVT_TRY(open_root(request.repository.work_tree.string()));
  for (const Carried& carried : request.carry) {
    if (!is_checkout_path(carried.path))
      return Error{Errc::invalid, fmt::format("{} cannot be carried: it must be a path below the "
                                              "repository",
                                              carried.path)};
    if (carried.how == Carried::How::link) {
      const fs::path target = request.repository.work_tree / carried.path;
      PIEVT_TRY(write_beneath(to, carried.path, link_mode, target.string()));
      ++made.carried;
    } else {
      made.carried = PIEVT_TRY(copy_entry(from.get(), to, carried.path, made.carried));
    }
  }
  return {};
}

}  // namespace

Status write_beneath(int root, const std::string& path, std::uint32_t mode,
                     std::string_view content) {
  const process::Fd parent = open_parent(root, path, Parents::make);
  const std::string name = base_name(path);
  if (!parent.is_open())
    return os_error(fmt::format("cannot make the directory of {}", path), errno);
  if (mode == link_mode) {
    if (::symlinkat(std::string(content).c_str(), parent.get(), name.c_str()) == 0) return {};
    return os_error(errno == EEXIST ? Errc::conflict : Errc::io,
                    fmt::format("cannot make the link {}", path), errno);
  }
  const process::Fd fd(::openat(parent.get(), name.c_str(),
                                O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                                (mode & 0100u) != 0 ? 0777 : 0666));
  if (!fd.is_open())
    return os_error(errno == EEXIST ? Errc::conflict : Errc::io,
                    fmt::format("cannot make {}", path), errno);
  return write_all(fd.get(), content, path);
}

Result<std::uint32_t> copy_beneath(int from, int to, const std::string& path) {
  return copy_entry(from, to, path, 0);
}

Result<MadeWorktree> make_worktree(const GitView& git, const WorktreeRequest& request) {
  const std::vector<TreeItem> items =
      PIEVT_TRY(git.list(request.tree.empty() ? request.commit : request.tree));
  if (::mkdir(request.directory.c_str(), 0700) != 0)
    return os_error(fmt::format("cannot make the worktree {}", request.directory.string()), errno);
  const process::Fd root = PIEVT_TRY(open_root(request.directory.string()));
  MadeWorktree made;
  std::vector<std::string> objects;
  std::vector<const TreeItem*> wanted;
  for (const TreeItem& item : items) {
    if (item.mode == submodule_mode) {  // somebody else's commit: git leaves a directory as well
      static_cast<void>(open_parent(root.get(), item.path + "/x", Parents::make));
      continue;
    }
    objects.push_back(item.object);
    wanted.push_back(&item);
  }
  PIEVT_TRY(git.contents(objects, [&](std::size_t i, std::string_view content) {
    ++made.files;
    return write_beneath(root.get(), wanted[i]->path, wanted[i]->mode, content);
  }));
  PIEVT_TRY(carry(request, root.get(), made));
  PIEVT_TRY(make_own_repository(git, request));
  return made;
}

}  // namespace pievt::workspace
