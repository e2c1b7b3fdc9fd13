#include "supervisor/workspace/merge.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <map>

#include <fcntl.h>
#include <sys/stat.h>

#include <fmt/format.h>

#include "supervisor/workspace/open_beneath.h"
#include "supervisor/workspace/patch.h"
#include "supervisor/workspace/run_git.h"

namespace pievt::workspace {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t merged_bytes_max = 512u << 20;
constexpr std::uint32_t link_mode = 0120000;

bool is_text(const FileState& file) {
  return file.mode != link_mode && file.content.find('\0') == std::string::npos;
}

MergeStep conflict(MergeStep step, std::string why) {
  step.what = MergeStep::What::conflict;
  step.conflict = std::move(why);
  return step;
}

MergeStep write(MergeStep step, FileState result) {
  step.what = MergeStep::What::write;
  step.result = std::move(result);
  return step;
}

std::string scratch(const GitView& git, const char* name, const std::string& content) {
  const fs::path path = git.directory() / name;
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
  return path.string();
}

// Both sides changed a text.
Result<MergeStep> merge_lines(const GitView& git, const ThreeWay& file, MergeStep step) {
  const std::string base = file.base ? file.base->content : std::string();
  std::string merged;
  const int conflicts = PIEVT_TRY(ask_git(
      git.directory(),
      {"merge-file", "-p", "--quiet", scratch(git, "merge.ours", file.ours->content),
       scratch(git, "merge.base", base), scratch(git, "merge.theirs", file.theirs->content)},
      {}, {}, [&](std::span<const std::byte> bytes) {
        merged.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        return Status();
      }));
  if (conflicts > 0)
    return conflict(std::move(step), fmt::format("{} place{} changed on both sides", conflicts,
                                                 conflicts == 1 ? "" : "s"));
  // A mode that only one side changed is that one's.
  const std::uint32_t base_mode = file.base ? file.base->mode : file.ours->mode;
  const std::uint32_t mode = file.theirs->mode != base_mode ? file.theirs->mode : file.ours->mode;
  FileState result{mode, std::move(merged)};
  if (file.ours == result) return step;
  return write(std::move(step), std::move(result));
}

struct RawChange {
  std::string path;
  std::uint32_t old_mode = 0, new_mode = 0;
  std::string old_object, new_object;
};

// ":100644 100644 <old> <new> M\0path\0" for each.
Result<std::vector<RawChange>> raw_changes(std::string_view said) {
  std::vector<RawChange> all;
  const auto damaged = [] { return Error{Errc::corrupt, "git's list of changes makes no sense"}; };
  while (!said.empty()) {
    const std::size_t head_end = said.find('\0');
    const std::size_t path_end = head_end == said.npos ? said.npos : said.find('\0', head_end + 1);
    if (path_end == said.npos || head_end < 17 || said[0] != ':') return damaged();
    const std::string_view head = said.substr(1, head_end - 1);
    RawChange change;
    change.path = said.substr(head_end + 1, path_end - head_end - 1);
    std::from_chars(head.data(), head.data() + 6, change.old_mode, 8);
    std::from_chars(head.data() + 7, head.data() + 13, change.new_mode, 8);
    const std::size_t space = head.find(' ', 14), second = head.find(' ', space + 1);
    if (space == head.npos || second == head.npos) return damaged();
    change.old_object = head.substr(14, space - 14);
    change.new_object = head.substr(space + 1, second - space - 1);
    if (!is_checkout_path(change.path))
      return Error{Errc::invalid,
                   fmt::format("the patch changes {}, which cannot be made safely", change.path)};
    all.push_back(std::move(change));
    said.remove_prefix(path_end + 1);
  }
  return all;
}

}  // namespace

Result<std::optional<FileState>> state_of(int root, const std::string& path) {
  const process::Fd parent = open_parent(root, path, Parents::must_exist);
  struct stat facts {};
  if (!parent.is_open() && (errno == ENOENT || errno == ENOTDIR)) return std::optional<FileState>();
  if (!parent.is_open()) return os_error(fmt::format("cannot look at {}", path), errno);
  if (::fstatat(parent.get(), base_name(path).c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return std::optional<FileState>();
    return os_error(fmt::format("cannot look at {}", path), errno);
  }
  FileState state;
  if (S_ISLNK(facts.st_mode)) {
    state.mode = link_mode;
    state.content = PIEVT_TRY(read_link_beneath(root, path));
  } else if (S_ISREG(facts.st_mode)) {
    state.mode = (facts.st_mode & 0100) != 0 ? 0100755 : 0100644;
    state.content = PIEVT_TRY(read_beneath(root, path, merged_bytes_max));
  } else {
    return Error{Errc::invalid, fmt::format("{} is neither a file nor a link", path)};
  }
  return std::optional(std::move(state));
}

Result<MergeStep> merge(const GitView& git, const ThreeWay& file) {
  MergeStep step;
  step.path = file.path;
  step.before = file.ours;
  if (file.ours == file.theirs) return step;
  if (file.ours == file.base) {
    if (file.theirs) return write(std::move(step), *file.theirs);
    step.what = MergeStep::What::remove;
    return step;
  }
  if (file.theirs == file.base) return step;
  if (!file.theirs) return conflict(std::move(step), "removed by the patch, changed here");
  if (!file.ours) return conflict(std::move(step), "changed by the patch, removed here");
  const bool texts =
      is_text(*file.ours) && is_text(*file.theirs) && (!file.base || is_text(*file.base));
  if (!texts) return conflict(std::move(step), "changed on both sides, and it is no text");
  return merge_lines(git, file, std::move(step));
}

Result<std::vector<MergeStep>> plan_merge(const GitView& git, const std::string& commit,
                                          const std::string& patch, const std::string& root) {
  const std::string tree = PIEVT_TRY(patched_tree(git, commit, patch));
  const std::string said = PIEVT_TRY(git.text({"diff-tree", "-r", "-z", "--raw", "--full-index",
                                               "--abbrev=64", "--no-renames", commit, tree}));
  const std::vector<RawChange> changes = PIEVT_TRY(raw_changes(said));
  const process::Fd directory = PIEVT_TRY(open_root(root));
  std::vector<ThreeWay> files;
  std::vector<std::string> objects;
  std::vector<std::optional<FileState>*> places;
  files.reserve(changes.size());
  for (const RawChange& change : changes) {
    ThreeWay& file = files.emplace_back();
    file.path = change.path;
    file.ours = PIEVT_TRY(state_of(directory.get(), change.path));
    const auto want = [&](std::uint32_t mode, const std::string& object,
                          std::optional<FileState>& into) {
      if (mode == 0) return;
      into = FileState{mode, {}};
      objects.push_back(object);
      places.push_back(&into);
    };
    want(change.old_mode, change.old_object, file.base);
    want(change.new_mode, change.new_object, file.theirs);
  }
  PIEVT_TRY(git.contents(objects, [&](std::size_t i, std::string_view content) {
    (*places[i])->content = content;
    return Status();
  }));
  std::vector<MergeStep> steps;
  for (const ThreeWay& file : files) steps.push_back(PIEVT_TRY(merge(git, file)));
  return steps;
}

}  // namespace pievt::workspace
