#include "store/trust/backup_marker.h"

#include <cerrno>
#include <charconv>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "store/log/fd.h"

namespace pievt {
namespace {

constexpr std::size_t marker_bytes_max = 4096;

std::string_view marker_line(std::string_view text, std::string_view key) {
  const std::string begin = fmt::format("\n{}: ", key);
  const std::size_t at = text.find(begin);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + begin.size());
  return text.substr(0, text.find('\n'));
}

}  // namespace

std::string to_text(const BackupMarker& marker) {
  return fmt::format(
      "pievt backup\nid: {}\ngoal: {}\nOnly `pievt backup` adds to it; `pievt restore` makes a "
      "store of it. Where its log ends before the goal, it was cut off.\n",
      marker.store_id, marker.goal.value);
}

Result<std::optional<BackupMarker>> read_backup_marker(const std::filesystem::path& directory) {
  const std::filesystem::path file = directory / backup_marker;
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd && (errno == ENOENT || errno == ENOTDIR)) return std::optional<BackupMarker>();
  std::string text(marker_bytes_max, '\0');
  const ssize_t got = fd ? ::read(fd.get(), text.data(), text.size()) : -1;
  if (got < 0) return os_error(fmt::format("cannot read {}", file.string()), errno);
  text.resize(static_cast<std::size_t>(got));
  BackupMarker marker{std::string(marker_line(text, "id")), {}};
  const std::string_view goal = marker_line(text, "goal");
  std::from_chars(goal.data(), goal.data() + goal.size(), marker.goal.value);
  return std::optional(std::move(marker));
}

std::optional<Sequence> unfinished_backup(const std::filesystem::path& directory, Sequence head) {
  const auto marker = read_backup_marker(directory);
  if (!marker.ok() || !*marker || (*marker)->goal <= head) return std::nullopt;
  return (*marker)->goal;
}

}  // namespace pievt
