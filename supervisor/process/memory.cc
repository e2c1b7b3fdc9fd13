#include "supervisor/process/memory.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "supervisor/process/oom_counter.h"
#include "supervisor/process/proc_files.h"

namespace pievt::process {
namespace {

std::optional<std::uint64_t> number_in(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return std::nullopt;
  text.remove_prefix(begin);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;  // "max": there is no limit
  return number;
}

std::optional<std::uint64_t> line_kib(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.starts_with(name)) return number_in(line.substr(name.size()));
  }
  return std::nullopt;
}

std::optional<std::uint64_t> number_of_file(const std::string& path) {
  const Result<std::string> text = read_proc_text(path);
  return text.ok() ? number_in(*text) : std::nullopt;
}

}  // namespace

std::optional<Memory> parse_meminfo(std::string_view text) {
  const auto total = line_kib(text, "MemTotal:");
  const auto available = line_kib(text, "MemAvailable:");
  if (!total || !available) return std::nullopt;
  return Memory{*total << 10, *available << 10};
}

std::optional<Memory> read_memory() {
  const Result<std::string> meminfo = read_proc_text("/proc/meminfo");
  if (!meminfo.ok()) return std::nullopt;
  std::optional<Memory> memory = parse_meminfo(*meminfo);
  if (!memory) return std::nullopt;
  const Result<std::string> groups = read_proc_text("/proc/self/cgroup");
  const auto group = cgroup_path(groups.ok() ? *groups : std::string(), "");
  for (const std::string& directory :
       {"/sys/fs/cgroup" + group.value_or(""), std::string("/sys/fs/cgroup")}) {
    const auto limit = number_of_file(directory + "/memory.max");
    const auto used = number_of_file(directory + "/memory.current");
    if (!limit || !used) continue;
    memory->total_bytes = std::min(memory->total_bytes, *limit);
    // Files that were read and can be forgotten count as used; they are in nobody's way.
    const Result<std::string> stat = read_proc_text(directory + "/memory.stat");
    const std::uint64_t cached = stat.ok() ? parse_counter(*stat, "inactive_file").value_or(0) : 0;
    const std::uint64_t held = *used > cached ? *used - cached : 0;
    memory->available_bytes = std::min(memory->available_bytes, *limit > held ? *limit - held : 0);
    break;
  }
  return memory;
}

}  // namespace pievt::process
