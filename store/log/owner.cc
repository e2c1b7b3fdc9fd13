#include "store/log/owner.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "store/format/hash.h"
#include "store/log/fd.h"

namespace pievt {
namespace {

constexpr std::size_t program_bytes_max = 64;

// The beginning of a small file under /proc, which one call reads whole. Empty if it cannot be
// read.
std::string read_proc(const char* path) {
  const Fd fd(::open(path, O_RDONLY | O_CLOEXEC));
  std::array<char, 1024> buffer{};
  const ssize_t size = fd ? ::read(fd.get(), buffer.data(), buffer.size()) : 0;
  return std::string(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
}

std::string current_boot_text() {
  return read_proc("/proc/sys/kernel/random/boot_id").substr(0, 36);
}

std::optional<BootId> parse_boot_id(std::string_view uuid) {
  if (uuid.size() != 36) return std::nullopt;
  std::string digits;
  for (std::size_t i = 0; i < uuid.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash != (uuid[i] == '-')) return std::nullopt;
    if (!dash) digits += uuid[i];
  }
  const Result<std::vector<std::byte>> bytes = from_hex(digits);
  if (!bytes.ok()) return std::nullopt;
  BootId boot{};
  std::copy(bytes->begin(), bytes->end(), boot.begin());
  return boot;
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Field 22 of /proc/self/stat. The second field is the program's name in brackets, which may hold
// anything, so counting starts behind the last bracket.
std::optional<std::uint64_t> parse_start_ticks(std::string_view stat) {
  const std::size_t bracket = stat.rfind(')');
  if (bracket == std::string_view::npos) return std::nullopt;
  std::string_view rest = stat.substr(bracket + 1);
  for (int field = 2; field < 22; ++field) {
    const std::size_t space = rest.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(space + 1);
  }
  return parse_number<std::uint64_t>(rest.substr(0, rest.find(' ')));
}

// A name for one line of a record or a message: printable ASCII, not too long.
std::string printable(std::string_view name) {
  std::string text(name.substr(0, program_bytes_max));
  for (char& c : text) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return text;
}

std::string checksum_line(std::string_view facts) {
  return fmt::format("crc32c: {:08x}\n", crc32c(std::as_bytes(std::span(facts))));
}

// Takes the line `key: value` from the front of `text`.
std::optional<std::string_view> take_line(std::string_view& text, std::string_view key) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  if (!line.starts_with(key) || line.substr(key.size(), 2) != ": ") return std::nullopt;
  text.remove_prefix(end + 1);
  return line.substr(key.size() + 2);
}

std::string utc_text(std::int64_t wall_ns) {
  const std::time_t seconds = wall_ns / 1'000'000'000;
  std::tm parts{};
  if (::gmtime_r(&seconds, &parts) == nullptr) return "an unknown time";
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string duration_text(std::int64_t ns) {
  const std::int64_t seconds = ns / 1'000'000'000;
  const std::int64_t minutes = seconds / 60;
  const std::int64_t hours = minutes / 60;
  if (hours >= 24) return fmt::format("{} d {} h {} m", hours / 24, hours % 24, minutes % 60);
  if (hours > 0) return fmt::format("{} h {} m {} s", hours, minutes % 60, seconds % 60);
  if (minutes > 0) return fmt::format("{} m {} s", minutes, seconds % 60);
  return fmt::format("{} s", seconds);
}

// Of another PID namespace its number names nobody here, or somebody else.
bool is_elsewhere(const Owner& owner) {
  const std::uint64_t here = this_process("").pid_namespace;
  return owner.pid_namespace != 0 && here != 0 && owner.pid_namespace != here;
}

// Who it is and since when.
std::string holder_text(const std::optional<Owner>& owner, std::int64_t now_wall_ns) {
  std::string text;
  if (!owner || owner->pid == 0) {
    text = "another process that left no readable record (see `lslocks`)";
  } else {
    text = fmt::format("process {}", owner->pid);
    if (is_elsewhere(*owner)) text += " of another PID namespace: see `lslocks` on the host";
    if (!owner->program.empty()) text = fmt::format("{} ({})", owner->program, text);
  }
  if (owner && owner->acquired_wall_ns > 0) {
    // Clocks are set back at times; nobody has held a lock for a negative time.
    const std::int64_t held_ns = std::max<std::int64_t>(0, now_wall_ns - owner->acquired_wall_ns);
    text +=
        fmt::format(" since {}, for {}", utc_text(owner->acquired_wall_ns), duration_text(held_ns));
  }
  return text;
}

}  // namespace

BootId current_boot_id() {
  return parse_boot_id(current_boot_text()).value_or(BootId{});
}

Owner this_process(std::string_view program) {
  return describe_process(::getpid(), program);
}

Owner describe_process(std::int64_t pid, std::string_view program) {
  Owner owner;
  owner.pid = pid;
  owner.program = printable(program);
  const std::string folder = fmt::format("/proc/{}", pid);
  const auto start_ticks = parse_start_ticks(read_proc((folder + "/stat").c_str()));
  if (pid <= 0 || !start_ticks) return owner;
  owner.start_ticks = *start_ticks;
  owner.boot_id = current_boot_text();
  struct stat space {};
  if (::stat((folder + "/ns/pid").c_str(), &space) == 0) owner.pid_namespace = space.st_ino;
  return owner;
}

std::string to_record(const Owner& owner) {
  const std::string facts = fmt::format(
      "pid: {}\nstart_ticks: {}\nboot_id: {}\npid_namespace: {}\nprogram: {}\n"
      "acquired_wall_ns: {}\n",
      owner.pid, owner.start_ticks, owner.boot_id, owner.pid_namespace, printable(owner.program),
      owner.acquired_wall_ns);
  return facts + checksum_line(facts);
}

std::optional<Owner> parse_record(std::string_view text) {
  std::string_view rest = text;
  const auto pid = take_line(rest, "pid");
  const auto ticks = take_line(rest, "start_ticks");
  const auto boot = take_line(rest, "boot_id");
  const auto space = take_line(rest, "pid_namespace");
  const auto program = take_line(rest, "program");
  const auto acquired = take_line(rest, "acquired_wall_ns");
  if (!pid || !ticks || !boot || !space || !program || !acquired) return std::nullopt;
  if (rest != checksum_line(text.substr(0, text.size() - rest.size()))) return std::nullopt;
  const auto pid_value = parse_number<std::int64_t>(*pid);
  const auto ticks_value = parse_number<std::uint64_t>(*ticks);
  const auto space_value = parse_number<std::uint64_t>(*space);
  const auto acquired_value = parse_number<std::int64_t>(*acquired);
  if (!pid_value || !ticks_value || !space_value || !acquired_value) return std::nullopt;
  return Owner{*pid_value,   *ticks_value,        printable(*boot),
               *space_value, printable(*program), *acquired_value};
}

std::string supervised_sentence(std::string_view run, const std::optional<Owner>& owner,
                                std::int64_t now_wall_ns) {
  return fmt::format("run {} is being supervised by {}; wait for it, or stop it", run,
                     holder_text(owner, now_wall_ns));
}

std::string busy_sentence(const std::filesystem::path& store, const std::optional<Owner>& owner,
                          std::int64_t now_wall_ns) {
  return fmt::format(
      "the store {} is being written by {}; wait for it, or stop it: the lock goes with its "
      "process",
      store.string(), holder_text(owner, now_wall_ns));
}

}  // namespace pievt
