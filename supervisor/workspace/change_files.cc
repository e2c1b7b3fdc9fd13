#include "supervisor/workspace/change_files.h"

#include <cerrno>
#include <fstream>
#include <set>
#include <sstream>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "supervisor/workspace/open_beneath.h"
#include "supervisor/workspace/worktree.h"

namespace pievt::workspace {
namespace {

namespace fs = std::filesystem;

// One line of the journal: what happens to a path, and where its new content waits.
struct Line {
  std::string path;
  std::string waiting;  ///< beside it; empty: it is removed
};

// Fields end with NUL, which no path holds.
std::string encode(const std::string& root, const std::vector<Line>& lines) {
  std::string out = root + '\0';
  for (const Line& line : lines) {
    (out += line.path) += '\0';
    (out += line.waiting) += '\0';
  }
  return out;
}

struct Journal {
  std::string root;
  std::vector<Line> lines;
};

Result<Journal> decode(const std::string& text) {
  Journal journal;
  std::vector<std::string> fields;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\0', at);
    if (end == std::string::npos) break;  // was being written when the machine stopped
    fields.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  if (fields.empty()) return journal;
  journal.root = fields[0];
  for (std::size_t i = 1; i + 1 < fields.size(); i += 2) {
    const bool safe =
        is_safe_path(fields[i]) && (fields[i + 1].empty() || is_safe_path(fields[i + 1]));
    if (!safe) return Error{Errc::corrupt, "the journal of an unfinished apply is damaged"};
    journal.lines.push_back({fields[i], fields[i + 1]});
  }
  return journal;
}

Status sync_file(int fd, const std::string& path) {
  if (::fsync(fd) == 0) return {};
  return os_error(fmt::format("cannot make {} durable", path), errno);
}

Status write_durably(const fs::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  const process::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file || !fd.is_open()) return os_error(fmt::format("cannot write {}", path.string()), errno);
  PIEVT_TRY(sync_file(fd.get(), path));
  const process::Fd directory(
      ::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return sync_file(directory.get(), path.parent_path());
}

std::string beside(const std::string& path, const std::string& mark, std::size_t number) {
  const std::size_t last = path.rfind('/');
  const std::string name = fmt::format(".pievt-apply-{}-{}", mark, number);
  return last == std::string::npos ? name : path.substr(0, last + 1) + name;
}

Status stage(int root, const Line& line, const FileState& state) {
  PIEVT_TRY(write_beneath(root, line.waiting, state.mode, state.content));
  const process::Fd fd = open_beneath(root, line.waiting, O_RDONLY | O_NONBLOCK);
  return fd.is_open() ? sync_file(fd.get(), line.waiting) : Status();  // a link cannot be synced
}

void unstage(int root, const std::vector<Line>& lines) {
  for (const Line& line : lines) {
    if (line.waiting.empty()) continue;
    const process::Fd parent = open_parent(root, line.waiting, Parents::must_exist);
    if (parent.is_open()) ::unlinkat(parent.get(), base_name(line.waiting).c_str(), 0);
  }
}

// Directories that became empty go as git lets them go.
void remove_empty_parents(int root, std::string path) {
  for (std::size_t at = path.rfind('/'); at != std::string::npos; at = path.rfind('/')) {
    path.resize(at);
    const process::Fd parent = open_parent(root, path, Parents::must_exist);
    if (!parent.is_open() || ::unlinkat(parent.get(), base_name(path).c_str(), AT_REMOVEDIR) != 0)
      return;
  }
}

// Can be repeated: what was done already is found done.
Status put_in_place(int root, const Line& line) {
  const process::Fd parent = open_parent(root, line.path, Parents::must_exist);
  if (!parent.is_open() && line.waiting.empty()) return {};
  if (!parent.is_open()) return os_error(fmt::format("cannot reach {}", line.path), errno);
  const std::string name = base_name(line.path);
  if (line.waiting.empty()) {
    if (::unlinkat(parent.get(), name.c_str(), 0) != 0 && errno != ENOENT)
      return os_error(fmt::format("cannot remove {}", line.path), errno);
    remove_empty_parents(root, line.path);
  } else if (::renameat(parent.get(), base_name(line.waiting).c_str(), parent.get(),
                        name.c_str()) != 0 &&
             errno != ENOENT) {
    return os_error(fmt::format("cannot replace {}", line.path), errno);
  }
  return sync_file(parent.get(), line.path);
}

Status still_as_before(int root, const std::vector<MergeStep>& steps) {
  for (const MergeStep& step : steps) {
    if (step.what != MergeStep::What::write && step.what != MergeStep::What::remove) continue;
    const auto now = state_of(root, step.path);
    if (!now.ok() || *now != step.before)
      return Error{Errc::conflict, fmt::format("{} was changed meanwhile; nothing was applied, try "
                                               "again",
                                               step.path)};
  }
  return {};
}

Status stage_all(int root, const std::vector<MergeStep>& steps, const std::vector<Line>& lines) {
  std::size_t i = 0;
  for (const MergeStep& step : steps) {
    if (step.what == MergeStep::What::remove) ++i;
    if (step.what == MergeStep::What::write) PIEVT_TRY(stage(root, lines[i++], step.result));
  }
  return still_as_before(root, steps);
}

}  // namespace

Status change_files(const fs::path& journal, const std::string& root_path,
                    const std::vector<MergeStep>& steps) {
  const process::Fd root = PIEVT_TRY(open_root(root_path));
  const std::string mark = journal.filename().string();
  std::vector<Line> lines;
  for (const MergeStep& step : steps) {
    if (step.what == MergeStep::What::write)
      lines.push_back({step.path, beside(step.path, mark, lines.size())});
    else if (step.what == MergeStep::What::remove)
      lines.push_back({step.path, {}});
  }
  if (lines.empty()) return {};
  if (::mkdir(journal.c_str(), 0700) != 0)
    return os_error(fmt::format("cannot make the journal {}", journal.string()), errno);
  std::error_code ignored;
  Status staged = write_durably(journal / "steps", encode(root_path, lines));
  if (staged.ok()) staged = stage_all(root.get(), steps, lines);
  if (staged.ok()) staged = write_durably(journal / "go", {});
  if (!staged.ok()) {
    unstage(root.get(), lines);
    fs::remove_all(journal, ignored);
    return staged;
  }
  for (const Line& line : lines) PIEVT_TRY(put_in_place(root.get(), line));
  fs::remove_all(journal, ignored);
  return {};
}

Result<Recovered> recover_change(const fs::path& journal) {
  std::error_code ignored;
  const bool go = fs::exists(journal / "go", ignored);
  std::ifstream file(journal / "steps", std::ios::binary);
  const Journal known = PIEVT_TRY(decode((std::ostringstream() << file.rdbuf()).str()));
  if (!known.root.empty()) {
    const process::Fd root = PIEVT_TRY(open_root(known.root));
    if (go) {
      for (const Line& line : known.lines) PIEVT_TRY(put_in_place(root.get(), line));
    } else {
      unstage(root.get(), known.lines);
    }
  }
  fs::remove_all(journal, ignored);
  return go ? Recovered::completed : Recovered::undone;
}

}  // namespace pievt::workspace
