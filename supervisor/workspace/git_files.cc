#include "supervisor/workspace/git_files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <set>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/process/fd.h"

namespace pievt::workspace {
namespace {

namespace fs = std::filesystem;

// Packed refs of very large repositories are some MiB; nothing else comes near.
constexpr std::size_t file_bytes_max = 64u << 20;
constexpr std::size_t refs_max = 200'000;

// Whoever can write there can put a pipe in a file's place.
std::optional<std::string> read_file(const fs::path& path) {
  const process::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat facts {};
  if (!fd.is_open() || ::fstat(fd.get(), &facts) != 0 || !S_ISREG(facts.st_mode))
    return std::nullopt;
  std::string text;
  std::array<char, 16 << 10> buffer{};
  while (text.size() <= file_bytes_max) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return std::nullopt;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

// A `.git` file names the real directory: linked worktrees and submodules.
std::optional<fs::path> named_directory(const fs::path& file, std::string_view prefix) {
  const auto text = read_file(file);
  if (!text || !text->starts_with(prefix)) return std::nullopt;
  const fs::path named(trimmed(std::string_view(*text).substr(prefix.size())));
  if (named.empty()) return std::nullopt;
  return (file.parent_path() / named).lexically_normal();
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

// What `file` holds is an id or `ref: name`; names lead to another file, a few times at most.
std::string resolve(const Repository& repository, std::string name,
                    const std::map<std::string, std::string>& packed) {
  for (int step = 0; step < 5; ++step) {
    if (name.find("..") != std::string::npos || name.starts_with('/')) return {};
    auto text = read_file(repository.git_directory / name);
    if (!text) text = read_file(repository.common_directory / name);
    if (!text) {
      const auto found = packed.find(name);
      return found == packed.end() ? std::string() : found->second;
    }
    const std::string_view value = trimmed(*text);
    if (is_object_id(value)) return std::string(value);
    if (!value.starts_with("ref:")) return {};
    name = trimmed(value.substr(4));
  }
  return {};
}

std::map<std::string, std::string> packed_refs(const Repository& repository) {
  std::map<std::string, std::string> refs;
  const auto text = read_file(repository.common_directory / "packed-refs");
  if (!text) return refs;
  std::string_view rest = *text;
  while (!rest.empty() && refs.size() < refs_max) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos || !is_object_id(line.substr(0, space))) continue;
    refs.emplace(trimmed(line.substr(space + 1)), line.substr(0, space));
  }
  return refs;
}

}  // namespace

bool is_object_id(std::string_view text) {
  const auto hexadecimal = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return (text.size() == 40 || text.size() == 64) && std::ranges::all_of(text, hexadecimal);
}

std::optional<Repository> find_repository(const fs::path& directory) {
  for (fs::path at = directory.lexically_normal();; at = at.parent_path()) {
    if (at.filename().empty() && at.has_parent_path() && at != at.root_path()) continue;
    const fs::path dot_git = at / ".git";
    std::error_code ignored;
    const fs::file_type kind = fs::status(dot_git, ignored).type();
    Repository found{at, {}, {}};
    if (kind == fs::file_type::directory) {
      found.git_directory = dot_git;
    } else if (kind == fs::file_type::regular) {
      if (auto named = named_directory(dot_git, "gitdir:")) found.git_directory = *named;
    }
    if (!found.git_directory.empty() && read_file(found.git_directory / "HEAD")) {
      found.common_directory =
          named_directory(found.git_directory / "commondir", "").value_or(found.git_directory);
      if (is_folder(found.common_directory / "objects")) return found;
    }
    if (at == at.root_path() || at.empty()) return std::nullopt;
  }
}

std::map<std::string, std::string> read_refs(const Repository& repository) {
  std::map<std::string, std::string> refs = packed_refs(repository);
  const fs::path base = repository.common_directory;
  std::error_code error;
  auto at = fs::recursive_directory_iterator(base / "refs",
                                             fs::directory_options::skip_permission_denied, error);
  for (; !error && at != fs::recursive_directory_iterator() && refs.size() < refs_max;
       at.increment(error)) {
    if (!at->is_regular_file(error)) continue;
    const std::string name = at->path().lexically_relative(base).generic_string();
    const std::string id = resolve(repository, name, refs);
    if (!id.empty()) refs[name] = id;
  }
  return refs;
}

Heads read_heads(const Repository& repository) {
  const std::map<std::string, std::string> refs = read_refs(repository);
  Heads heads;
  heads.commit = resolve(repository, "HEAD", refs);
  if (const auto text = read_file(repository.git_directory / "HEAD")) {
    constexpr std::string_view prefix = "ref: refs/heads/";
    const std::string_view value = trimmed(*text);
    if (value.starts_with(prefix)) heads.branch = value.substr(prefix.size());
  }
  std::set<std::string> tips;
  if (!heads.commit.empty()) tips.insert(heads.commit);
  for (const auto& [name, id] : refs)
    if (name.starts_with("refs/heads/")) tips.insert(id);
  heads.tips.assign(tips.begin(), tips.end());
  return heads;
}

std::string object_format(const Repository& repository) {
  const auto text = read_file(repository.common_directory / "config");
  if (!text) return "sha1";
  std::string lower = *text;
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  const std::size_t at = lower.find("objectformat");
  const std::size_t end = at == std::string::npos ? at : lower.find('\n', at);
  const bool longer =
      at != std::string::npos && lower.substr(at, end - at).find("sha256") != std::string::npos;
  return longer ? "sha256" : "sha1";
}

}  // namespace pievt::workspace
