// See oom_counter.h. A line of /proc/self/cgroup is "number:controllers:path"; the controllers are
// separated by commas, and there are none in version 2.
#include "supervisor/process/oom_counter.h"

#include <array>

#include "supervisor/process/proc_files.h"

namespace pievt::process {
namespace {

bool names(std::string_view controllers, std::string_view wanted) {
  if (wanted.empty()) return controllers.empty();
  const std::string list = "," + std::string(controllers) + ",";
  return list.find("," + std::string(wanted) + ",") != std::string::npos;
}

std::optional<std::uint64_t> kills_in(const std::string& path) {
  const Result<std::string> text = read_proc_text(path);
  return text.ok() ? parse_counter(*text, "oom_kill") : std::nullopt;
}

}  // namespace

std::optional<std::string> cgroup_path(std::string_view text, std::string_view controller) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) continue;
    if (names(line.substr(first + 1, second - first - 1), controller))
      return std::string(line.substr(second + 1));
  }
  return std::nullopt;
}

Result<OomCounter> OomCounter::open() {
  const Result<std::string> cgroups = read_proc_text("/proc/self/cgroup");
  const std::string text = cgroups.ok() ? *cgroups : std::string();
  const auto unified = cgroup_path(text, "");
  const auto memory = cgroup_path(text, "memory");
  // In a container the path may be the host's while only our own group is mounted: then the mount
  // point itself is ours.
  const std::array<std::string, 5> candidates{
      unified ? "/sys/fs/cgroup" + *unified + "/memory.events" : std::string(),
      "/sys/fs/cgroup/memory.events",
      memory ? "/sys/fs/cgroup/memory" + *memory + "/memory.oom_control" : std::string(),
      memory ? std::string("/sys/fs/cgroup/memory/memory.oom_control") : std::string(),
      "/proc/vmstat"};
  for (const std::string& path : candidates)
    if (!path.empty() && kills_in(path)) return OomCounter(path);
  return Error{Errc::unsupported,
               "the kernel tells nowhere how many processes it killed for want of memory; such "
               "ends will be reported as ended by an unknown sender"};
}

std::optional<std::uint64_t> OomCounter::read() const {
  return kills_in(source_);
}

}  // namespace pievt::process
