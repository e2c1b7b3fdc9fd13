#include "supervisor/workspace/patch.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <set>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "supervisor/workspace/open_beneath.h"
#include "supervisor/workspace/run_git.h"

namespace pievt::workspace {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t difference_bytes_max = 512u << 20;
constexpr std::size_t ignore_file_bytes_max = 1u << 20;

Result<std::string> with_index(const GitView& git, const std::vector<std::string>& arguments,
                               std::string_view input) {
  std::string out;
  PIEVT_TRY(run_git(git.directory(), arguments,
                    {{"GIT_INDEX_FILE", (git.directory() / "patch.index").string()}}, input,
                    [&](std::span<const std::byte> bytes) {
                      out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
                      return Status();
                    }));
  while (out.ends_with('\n')) out.pop_back();
  return out;
}

// A path as fast-import reads one.
std::string in_quotes(std::string_view path) {
  std::string out = "\"";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      (out += '\\') += c;
    else if (byte < 0x20 || byte >= 0x7f)
      out += fmt::format("\\{:03o}", byte);
    else
      out += c;
  }
  return out + '"';
}

bool is_below(std::string_view path, const std::vector<std::string>& directories) {
  return std::ranges::any_of(directories, [&](const std::string& directory) {
    return path == directory || (path.starts_with(directory) && path[directory.size()] == '/');
  });
}

bool is_gits(std::string_view path) {
  return path.starts_with(".git/") || path == ".git" || path.find("/.git/") != path.npos;
}

// The commands that make the new tree of the old one.
class Import {
 public:
  Import(int root, std::string commit) : root_(root), head_(std::move(commit)) {}

  Status put(const Entry& entry) {
    const bool link = entry.kind == Kind::symlink;
    const std::string content =
        link ? PIEVT_TRY(read_link_beneath(root_, entry.path))
             : PIEVT_TRY(read_beneath(root_, entry.path, difference_bytes_max - bytes_));
    bytes_ += content.size();
    ++marks_;
    blobs_ += fmt::format("blob\nmark :{}\ndata {}\n", marks_, content.size());
    blobs_ += content;
    blobs_ += '\n';
    const bool runs = (entry.mode & 0100u) != 0;
    changes_ += fmt::format("M {} :{} {}\n",
                            link   ? "120000"
                            : runs ? "100755"
                                   : "100644",
                            marks_, in_quotes(entry.path));
    return {};
  }

  void remove(const std::string& path) { changes_ += fmt::format("D {}\n", in_quotes(path)); }
  bool empty() const { return changes_.empty(); }

  std::string script() {
    return blobs_ + fmt::format(
                        "commit refs/pievt/now\ncommitter pievt <pievt@localhost> 0 +0000\n"
                        "data 0\nfrom {}\n{}done\n",
                        head_, changes_);
  }

 private:
  int root_;
  std::string head_;
  std::string blobs_, changes_;
  std::size_t bytes_ = 0, marks_ = 0;
};

std::set<std::string> paths_of(const std::vector<TreeItem>& items) {
  std::set<std::string> paths;
  for (const TreeItem& item : items) paths.insert(item.path);
  return paths;
}

// The tree of what is there now.
Result<std::string> import_tree(const GitView& git, const CollectRequest& request,
                                const std::string& start, std::vector<std::string>& ignored) {
  const process::Fd root = PIEVT_TRY(open_root(request.after->root));
  const std::set<std::string> tracked = paths_of(PIEVT_TRY(git.list(request.commit)));
  const std::vector<Difference> differences = compare(*request.before, *request.after);
  std::vector<std::string> fresh;
  for (const Difference& seen : differences)
    if (seen.after != nullptr && !tracked.contains(seen.path())) fresh.push_back(seen.path());
  ignored = PIEVT_TRY(ignored_paths(git, request.after->root, fresh));
  const std::set<std::string> skip(ignored.begin(), ignored.end());
  const std::string commit =
      PIEVT_TRY(git.text({"commit-tree", start, "-p", request.commit, "-m", "start"}));
  Import import(root.get(), commit.substr(0, commit.find('\n')));
  for (const Difference& seen : differences) {
    const std::string& path = seen.path();
    if (is_gits(path) || !is_checkout_path(path) || is_below(path, request.carried) ||
        skip.contains(path))
      continue;
    if (seen.after == nullptr || seen.after->kind == Kind::other)
      import.remove(path);
    else
      PIEVT_TRY(import.put(*seen.after));
  }
  if (import.empty()) return start;
  PIEVT_TRY(git.text({"fast-import", "--quiet", "--done", "--force"}, import.script()));
  const std::string tree = PIEVT_TRY(git.text({"rev-parse", "refs/pievt/now^{tree}"}));
  return tree.substr(0, tree.find('\n'));
}

}  // namespace

Result<std::string> read_beneath(int root, const std::string& path, std::size_t bytes_max) {
  const process::Fd fd = open_beneath(root, path, O_RDONLY | O_NONBLOCK);
  struct stat facts {};
  if (!fd.is_open()) return os_error(fmt::format("cannot read {}", path), errno);
  if (::fstat(fd.get(), &facts) != 0 || !S_ISREG(facts.st_mode))
    return Error{Errc::invalid, fmt::format("{} is no regular file", path)};
  std::string text;
  std::array<char, 64 << 10> buffer;
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return os_error(fmt::format("cannot read {}", path), errno);
    if (got == 0) return text;
    if (text.size() + static_cast<std::size_t>(got) > bytes_max)
      return Error{Errc::invalid, fmt::format("{} is too large: at most {} MiB can be taken over",
                                              path, difference_bytes_max >> 20)};
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

Result<std::string> read_link_beneath(int root, const std::string& path) {
  const process::Fd parent = open_parent(root, path, Parents::must_exist);
  std::array<char, 4096> target{};
  const ssize_t size = parent.is_open() ? ::readlinkat(parent.get(), base_name(path).c_str(),
                                                       target.data(), target.size())
                                        : -1;
  if (size < 0) return os_error(fmt::format("cannot read the link {}", path), errno);
  return std::string(target.data(), static_cast<std::size_t>(size));
}

Result<std::string> patched_tree(const GitView& git, const std::string& commit,
                                 std::string_view patch) {
  PIEVT_TRY(with_index(git, {"read-tree", commit}, {}));
  if (!patch.empty()) {
    auto applied = with_index(git, {"apply", "--cached", "--whitespace=nowarn", "-"}, patch);
    if (!applied.ok())
      return Error{Errc::conflict, fmt::format("the patch does not fit commit {}: {}", commit,
                                               applied.error().what)};
  }
  return with_index(git, {"write-tree"}, {});
}

Result<Collected> collect(const GitView& git, const CollectRequest& request) {
  Collected collected;
  std::string start = request.start_tree;
  if (start.empty()) {
    start = PIEVT_TRY(git.text({"rev-parse", request.commit + "^{tree}"}));
    start = start.substr(0, start.find('\n'));
  }
  const std::string tree = PIEVT_TRY(import_tree(git, request, start, collected.ignored));
  collected.patch =
      PIEVT_TRY(git.text({"diff-tree", "-p", "--binary", "--full-index", "--no-renames",
                          "--no-color", "--no-ext-diff", "--no-textconv", request.commit, tree},
                         {}, 2 * difference_bytes_max));
  const std::string names = PIEVT_TRY(
      git.text({"diff-tree", "-r", "-z", "--name-only", "--no-renames", request.commit, tree}));
  for (std::size_t at = 0; at < names.size();) {
    const std::size_t end = std::min(names.find('\0', at), names.size());
    collected.paths.push_back(names.substr(at, end - at));
    at = end + 1;
  }
  return collected;
}

// git itself reads the patterns, in a directory that holds copies of them and nothing else.
Result<std::vector<std::string>> ignored_paths(const GitView& git, const std::string& root,
                                               const std::vector<std::string>& paths) {
  if (paths.empty()) return std::vector<std::string>();
  const process::Fd from = PIEVT_TRY(open_root(root));
  const fs::path scratch = git.directory() / "ignores";
  std::error_code error;
  fs::remove_all(scratch, error);
  fs::create_directories(scratch, error);
  std::set<std::string> directories{""};
  for (const std::string& path : paths)
    for (std::size_t at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1))
      directories.insert(path.substr(0, at + 1));
  for (const std::string& directory : directories) {
    const auto text = read_beneath(from.get(), directory + ".gitignore", ignore_file_bytes_max);
    if (!text.ok() || !is_safe_path(directory + ".gitignore")) continue;
    fs::create_directories(scratch / directory, error);
    std::ofstream(scratch / directory / ".gitignore", std::ios::binary) << *text;
  }
  std::string input;
  for (const std::string& path : paths) (input += path) += '\0';
  std::string out;
  PIEVT_TRY(ask_git(git.directory(), {"check-ignore", "--no-index", "-z", "--stdin"},
                    {{"GIT_WORK_TREE", scratch.string()}}, input,
                    [&](std::span<const std::byte> bytes) {
                      out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
                      return Status();
                    }));  // exit 1: none of them
  std::vector<std::string> ignored;
  for (std::size_t at = 0; at < out.size();) {
    const std::size_t end = std::min(out.find('\0', at), out.size());
    ignored.push_back(out.substr(at, end - at));
    at = end + 1;
  }
  return ignored;
}

}  // namespace pievt::workspace
