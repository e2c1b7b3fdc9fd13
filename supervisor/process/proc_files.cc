// See proc_files.h. /proc files have no size and may change between two reads; each is read once,
// from the start to its end, and parsed afterwards.
#include "supervisor/process/proc_files.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "supervisor/process/fd.h"
#include "supervisor/process/limits.h"

namespace pievt::process {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view next_word(std::string_view& text) {
  const std::size_t begin = std::min(text.find_first_not_of(" \t\n"), text.size());
  const std::size_t end = std::min(text.find_first_of(" \t\n", begin), text.size());
  const std::string_view word = text.substr(begin, end - begin);
  text.remove_prefix(end);
  return word;
}

/// The numbers that name entries of a directory of /proc, ascending.
std::vector<pid_t> numbers_in(DIR* directory) {
  std::vector<pid_t> numbers;
  while (const dirent* entry = ::readdir(directory))
    if (const auto value = number<pid_t>(entry->d_name)) numbers.push_back(*value);
  std::ranges::sort(numbers);
  return numbers;
}

enum class EnvironmentRead : std::uint8_t { has, has_not, nothing_there, hidden };

/// Returns up to `size` bytes, 0 at the end, -1 with errno; never interrupted.
ssize_t read_some(int fd, char* to, std::size_t size) {
  ssize_t got = 0;
  do {
    got = ::read(fd, to, size);
  } while (got < 0 && errno == EINTR);
  return got;
}

EnvironmentRead search_environ(const std::string& path, std::string_view entry) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  // Whatever else keeps us from looking, a lack of descriptors say, must not pass for a clean look.
  const auto is_gone = [] { return errno == ENOENT || errno == ESRCH; };
  if (!fd.is_open()) return is_gone() ? EnvironmentRead::nothing_there : EnvironmentRead::hidden;
  std::array<char, 16u << 10> buffer;
  EntrySearch search(entry);
  bool empty = true;
  for (;;) {
    const ssize_t got = read_some(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && !is_gone()) return EnvironmentRead::hidden;
    if (got <= 0) break;
    empty = false;
    if (search.feed({buffer.data(), static_cast<std::size_t>(got)})) break;
  }
  if (empty) return EnvironmentRead::nothing_there;
  return search.finish() ? EnvironmentRead::has : EnvironmentRead::has_not;
}

/// For a process whose first thread has ended: what its other threads show.
EnvironmentLook look_through_threads(pid_t pid, std::string_view entry) {
  const Directory tasks(::opendir(fmt::format("/proc/{}/task", pid).c_str()));
  if (!tasks) return errno == ENOENT ? EnvironmentLook::has_not : EnvironmentLook::hidden;
  EnvironmentLook answer = EnvironmentLook::has_not;
  for (const pid_t thread : numbers_in(tasks.get())) {
    if (thread == pid) continue;
    const auto read = search_environ(fmt::format("/proc/{}/task/{}/environ", pid, thread), entry);
    if (read == EnvironmentRead::has) return EnvironmentLook::has;
    if (read == EnvironmentRead::has_not) return EnvironmentLook::has_not;
    if (read == EnvironmentRead::hidden) answer = EnvironmentLook::hidden;
  }
  return answer;
}

}  // namespace

std::optional<ProcStat> parse_stat(std::string_view text) {
  const std::size_t open = text.find(" (");
  const std::size_t close = text.rfind(") ");
  if (open == std::string_view::npos || close == std::string_view::npos || close < open)
    return std::nullopt;
  ProcStat stat;
  const auto pid = number<pid_t>(text.substr(0, open));
  stat.comm = text.substr(open + 2, close - open - 2);

  std::string_view rest = text.substr(close + 2);
  const std::string_view state = next_word(rest);      // field 3
  const auto parent = number<pid_t>(next_word(rest));  // field 4
  for (int field = 5; field < 20; ++field) next_word(rest);
  const auto threads = number<std::uint64_t>(next_word(rest));  // field 20
  next_word(rest);
  const auto start = number<std::uint64_t>(next_word(rest));   // field 22
  const auto memory = number<std::uint64_t>(next_word(rest));  // field 23
  for (int field = 24; field < 50; ++field) next_word(rest);
  const auto environment_start = number<std::uint64_t>(next_word(rest));  // field 50
  const auto environment_end = number<std::uint64_t>(next_word(rest));    // field 51
  if (!pid || state.size() != 1 || !parent || !threads || !start) return std::nullopt;
  if (!memory || !environment_start || !environment_end) return std::nullopt;
  stat.pid = *pid;
  stat.state = state.front();
  stat.parent_pid = *parent;
  stat.threads = *threads;
  stat.start_ticks = *start;
  stat.memory_bytes = *memory;
  stat.environment_start = *environment_start;
  stat.environment_end = *environment_end;
  return stat;
}

Result<ProcStat> read_stat(pid_t pid) {
  const std::string path = fmt::format("/proc/{}/stat", pid);
  Result<std::string> text = read_proc_text(path);
  if (!text.ok()) return std::move(text).error();
  std::optional<ProcStat> stat = parse_stat(*text);
  if (!stat)
    return Error{Errc::unsupported,
                 fmt::format("{} is not what Linux writes there; is /proc mounted?", path)};
  return *std::move(stat);
}

std::optional<std::uint64_t> parse_counter(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    std::string_view name = next_word(line);
    if (name.ends_with(':')) name.remove_suffix(1);
    if (name == key) return number<std::uint64_t>(next_word(line));
  }
  return std::nullopt;
}

Result<std::string> read_proc_text(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.is_open()) return os_error(fmt::format("cannot read {}", path), errno);
  std::string text;
  std::array<char, 4096> buffer;
  while (text.size() < limits::proc_text_bytes_max) {
    const ssize_t got = read_some(fd.get(), buffer.data(), buffer.size());
    // A process that ends between open and read gives ESRCH: it is not there, like ENOENT.
    if (got < 0 && errno == ESRCH)
      return os_error(Errc::not_found, fmt::format("cannot read {}", path), errno);
    if (got < 0) return os_error(fmt::format("cannot read {}", path), errno);
    if (got == 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  text.resize(std::min(text.size(), limits::proc_text_bytes_max));
  return text;
}

Result<std::string> read_boot_id() {
  Result<std::string> text = read_proc_text("/proc/sys/kernel/random/boot_id");
  if (!text.ok()) return text;
  while (!text->empty() && text->back() == '\n') text->pop_back();
  if (text->size() != 36)
    return Error{Errc::unsupported, "/proc/sys/kernel/random/boot_id holds no boot id"};
  return text;
}

Result<std::uint64_t> read_pid_namespace() {
  struct stat info {};
  if (::stat("/proc/self/ns/pid", &info) != 0)
    return os_error("cannot tell our pid namespace from /proc/self/ns/pid", errno);
  return std::uint64_t{info.st_ino};
}

Result<std::vector<pid_t>> list_processes() {
  const Directory directory(::opendir("/proc"));
  if (!directory) return os_error("cannot list processes in /proc", errno);
  return numbers_in(directory.get());
}

Result<std::vector<pid_t>> list_children_of(pid_t thread) {
  const std::string text =
      PIEVT_TRY(read_proc_text(fmt::format("/proc/self/task/{}/children", thread)));
  if (text.size() == limits::proc_text_bytes_max)
    return Error{Errc::unsupported, "more children than can be listed"};
  std::vector<pid_t> children;
  std::string_view rest = text;
  for (auto word = next_word(rest); !word.empty(); word = next_word(rest)) {
    if (const auto pid = number<pid_t>(word)) children.push_back(*pid);
  }
  return children;
}

std::optional<pid_t> parse_last_pid(std::string_view text) {
  for (int word = 1; word < 5; ++word) next_word(text);
  return number<pid_t>(next_word(text));
}

Result<pid_t> read_last_pid() {
  const std::string text = PIEVT_TRY(read_proc_text("/proc/loadavg"));
  if (const std::optional<pid_t> pid = parse_last_pid(text)) return *pid;
  return Error{Errc::unsupported, "/proc/loadavg is not what Linux writes there"};
}

bool EntrySearch::feed(std::string_view piece) {
  while (!found_ && !piece.empty()) {
    const std::size_t end = piece.find('\0');
    take(piece.substr(0, end));
    if (end == std::string_view::npos) break;
    end_entry();
    piece.remove_prefix(end + 1);
  }
  return found_;
}

bool EntrySearch::finish() {
  if (!found_ && matched_ > 0) end_entry();
  return found_;
}

void EntrySearch::take(std::string_view part) {
  differs_ = differs_ || entry_.substr(matched_, part.size()) != part;
  if (!differs_) matched_ += part.size();
}

void EntrySearch::end_entry() {
  found_ = found_ || (!differs_ && matched_ == entry_.size());
  matched_ = 0;
  differs_ = false;
}

EnvironmentLook look_at_environment(pid_t pid, std::string_view entry) {
  const EnvironmentRead read = search_environ(fmt::format("/proc/{}/environ", pid), entry);
  if (read == EnvironmentRead::has) return EnvironmentLook::has;
  if (read == EnvironmentRead::has_not) return EnvironmentLook::has_not;
  const Result<ProcStat> stat = read_stat(pid);
  if (!stat.ok())
    return stat.error().code == Errc::not_found ? EnvironmentLook::has_not
                                                : EnvironmentLook::hidden;
  // A zombie's environ belongs to root and cannot be opened by others, so this comes first.
  if (stat->state == 'Z')
    return stat->threads > 1 ? look_through_threads(pid, entry) : EnvironmentLook::has_not;
  if (read == EnvironmentRead::hidden) return EnvironmentLook::hidden;
  if (stat->memory_bytes == 0) return EnvironmentLook::has_not;  // the kernel's, or just ended
  const bool is_laid_out = stat->environment_end != 0;
  const bool is_empty = stat->environment_end == stat->environment_start;
  return is_laid_out && is_empty ? EnvironmentLook::has_not : EnvironmentLook::not_yet;
}

std::optional<std::string> environment_value(pid_t pid, std::string_view name) {
  const Fd fd(::open(fmt::format("/proc/{}/environ", pid).c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.is_open()) return std::nullopt;
  std::string text;
  std::array<char, 16u << 10> buffer;
  while (text.size() < limits::environment_bytes_max) {
    const ssize_t got = read_some(fd.get(), buffer.data(), buffer.size());
    if (got < 0) return std::nullopt;
    if (got == 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  if (text.empty()) return std::nullopt;
  for (std::string_view rest = text; !rest.empty();) {
    std::string_view entry = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(entry.size() + 1, rest.size()));
    if (!entry.starts_with(name) || entry.size() == name.size() || entry[name.size()] != '=')
      continue;
    entry.remove_prefix(name.size() + 1);
    return std::string(entry);
  }
  return std::string();
}

std::string command_excerpt(pid_t pid, std::size_t bytes_max) {
  Result<std::string> text = read_proc_text(fmt::format("/proc/{}/cmdline", pid));
  if (!text.ok()) return {};
  std::string line = std::move(text).value();
  while (!line.empty() && line.back() == '\0') line.pop_back();
  line.resize(std::min(line.size(), bytes_max));
  for (char& c : line) {
    if (c == '\0') c = ' ';
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f) c = '?';
  }
  return line;
}

}  // namespace pievt::process
