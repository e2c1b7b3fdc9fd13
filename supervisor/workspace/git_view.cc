#include "supervisor/workspace/git_view.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <set>

#include <fmt/format.h>

#include "supervisor/workspace/open_beneath.h"
#include "supervisor/workspace/run_git.h"

namespace pievt::workspace {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view configuration = "[core]\n\tbare = true\n";

Status write_file(const fs::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (file) return {};
  return os_error(fmt::format("cannot write {}", path.string()), errno);
}

// "<id> <type> <size>\n<content>\n" for each object, in pieces as they come.
class BatchReader {
 public:
  BatchReader(const std::vector<std::string>& objects, const GitView::Take& take)
      : objects_(objects), take_(take) {}

  Status feed(std::span<const std::byte> bytes) {
    buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    std::size_t at = 0;
    for (;;) {
      const std::size_t line_end = buffer_.find('\n', at);
      if (line_end == std::string::npos) break;
      const std::string_view head = std::string_view(buffer_).substr(at, line_end - at);
      std::size_t size = 0;
      const std::size_t space = head.rfind(' ');
      const char* digits = head.data() + (space == std::string_view::npos ? 0 : space + 1);
      const auto read = std::from_chars(digits, head.data() + head.size(), size);
      if (index_ >= objects_.size() || read.ec != std::errc() || head.find(" blob ") == head.npos)
        return Error{Errc::corrupt, fmt::format("git cannot give an object: {}", head)};
      if (buffer_.size() - line_end - 1 < size + 1) break;
      PIEVT_TRY(take_(index_++, std::string_view(buffer_).substr(line_end + 1, size)));
      at = line_end + 1 + size + 1;
    }
    buffer_.erase(0, at);
    return {};
  }

  bool complete() const { return index_ == objects_.size() && buffer_.empty(); }

 private:
  const std::vector<std::string>& objects_;
  const GitView::Take& take_;
  std::string buffer_;
  std::size_t index_ = 0;
};

}  // namespace

bool is_checkout_path(std::string_view path) {
  if (!is_safe_path(path)) return false;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    std::string part(path.substr(0, slash));
    std::ranges::transform(part, part.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    if (part == ".git" || part == "git~1") return false;
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  }
  return true;
}

Status make_repository(const fs::path& directory, const std::string& format,
                       const std::vector<fs::path>& objects, std::string_view extra) {
  std::error_code error;
  for (const char* part : {"objects/info", "objects/pack", "refs/heads", "refs/tags"}) {
    fs::create_directories(directory / part, error);
    if (error)
      return os_error(fmt::format("cannot make {}", (directory / part).string()), error.value());
  }
  fs::permissions(directory, fs::perms::owner_all, error);
  std::string alternates;
  for (const fs::path& path : objects) {
    if (path.string().find('\n') != std::string::npos)
      return Error{Errc::unsupported,
                   "git cannot borrow objects from a directory with a line break in its name"};
    alternates += path.string() + "\n";
  }
  const bool longer = format == "sha256";
  PIEVT_TRY(write_file(directory / "objects/info/alternates", alternates));
  PIEVT_TRY(
      write_file(directory / "config",
                 fmt::format("{}[core]\n\trepositoryformatversion = {}\n{}", extra, longer ? 1 : 0,
                             longer ? "[extensions]\n\tobjectformat = sha256\n" : "")));
  return write_file(directory / "HEAD", "ref: refs/heads/main\n");
}

Result<GitView> GitView::create(const fs::path& directory, const std::string& format,
                                const std::vector<fs::path>& objects) {
  GitView view(directory);
  PIEVT_TRY(make_repository(directory, format, objects, configuration));
  for (const fs::path& path : objects) {
    // The border of a shallow clone is not in its objects.
    std::error_code ignored;
    if (fs::is_regular_file(path.parent_path() / "shallow", ignored))
      fs::copy_file(path.parent_path() / "shallow", directory / "shallow", ignored);
  }
  return view;
}

GitView::GitView(GitView&& other) noexcept : directory_(std::move(other.directory_)) {
  other.directory_.clear();
}

GitView::~GitView() {
  // Ours alone, without anything a worker could have put there.
  std::error_code ignored;
  if (!directory_.empty()) fs::remove_all(directory_, ignored);
}

Status GitView::run(const std::vector<std::string>& arguments, std::string_view input,
                    const Sink& sink) const {
  return run_git(directory_, arguments, {}, input, sink);
}

Result<std::string> GitView::text(const std::vector<std::string>& arguments, std::string_view input,
                                  std::size_t bytes_max) const {
  std::string out;
  PIEVT_TRY(run(arguments, input, [&](std::span<const std::byte> bytes) -> Status {
    if (out.size() + bytes.size() > bytes_max)
      return Error{Errc::invalid,
                   fmt::format("git {} says more than {} MiB", arguments[0], bytes_max >> 20)};
    out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }));
  return out;
}

Result<std::vector<TreeItem>> GitView::list(const std::string& commit) const {
  const std::string listing =
      PIEVT_TRY(text({"ls-tree", "-r", "-z", "--full-tree", commit + "^{tree}"}));
  std::vector<TreeItem> items;
  std::string_view rest = listing;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\0'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const std::size_t tab = line.find('\t');
    const std::size_t last = line.substr(0, std::min(tab, line.size())).rfind(' ');
    TreeItem item;
    if (tab == std::string_view::npos || last == std::string_view::npos ||
        std::from_chars(line.data(), line.data() + 6, item.mode, 8).ec != std::errc())
      return Error{Errc::corrupt, fmt::format("git lists what cannot be read: {}", line)};
    item.object = line.substr(last + 1, tab - last - 1);
    item.path = line.substr(tab + 1);
    if (!is_checkout_path(item.path))
      return Error{Errc::invalid, fmt::format("commit {} holds the path {}, which cannot be made "
                                              "safely",
                                              commit, item.path)};
    items.push_back(std::move(item));
  }
  std::ranges::sort(items, {}, &TreeItem::path);
  return items;
}

Status GitView::contents(const std::vector<std::string>& objects, const Take& take) const {
  if (objects.empty()) return {};
  std::string input;
  for (const std::string& object : objects) input += object + "\n";
  BatchReader reader(objects, take);
  PIEVT_TRY(run({"cat-file", "--batch"}, input,
                [&](std::span<const std::byte> bytes) { return reader.feed(bytes); }));
  if (reader.complete()) return {};
  return Error{Errc::corrupt, "git gave fewer objects than it was asked for"};
}

Result<std::vector<std::string>> GitView::new_commits(const std::vector<std::string>& before,
                                                      const std::vector<std::string>& now,
                                                      std::size_t max) const {
  const std::set<std::string> known(before.begin(), before.end());
  std::string input;
  for (const std::string& id : now)
    if (!known.contains(id)) input += id + "\n";
  if (input.empty()) return std::vector<std::string>();
  for (const std::string& id : before) input += "^" + id + "\n";
  const std::string said = PIEVT_TRY(
      text({"rev-list", "--topo-order", fmt::format("--max-count={}", max), "--stdin"}, input));
  std::vector<std::string> commits;
  for (std::size_t at = 0; at < said.size();) {
    const std::size_t end = said.find('\n', at);
    commits.push_back(said.substr(at, end - at));
    at = end == std::string::npos ? said.size() : end + 1;
  }
  std::ranges::reverse(commits);
  return commits;
}

}  // namespace pievt::workspace
