// The kernel's count of processes it killed for want of memory: the only trace a SIGKILL by the
// kernel leaves that a normal user can read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pievt/result.h"

namespace pievt::process {

/// Counts the kills in the smallest circle that can be read: our cgroup (version 2, then 1), else
/// the machine. The children are in our cgroup unless somebody moved them.
class OomCounter {
 public:
  /// Looks for a source. Errc::unsupported when the machine has none.
  static Result<OomCounter> open();

  /// The count now. nullopt when the source has become unreadable.
  std::optional<std::uint64_t> read() const;

  /// The file it is read from.
  const std::string& source() const { return source_; }

 private:
  explicit OomCounter(std::string source) : source_(std::move(source)) {}
  std::string source_;
};

/// Our cgroup below the mount point of one hierarchy, from the text of /proc/self/cgroup:
/// `controller` "" is version 2, "memory" version 1's. nullopt when there is no such line.
std::optional<std::string> cgroup_path(std::string_view text, std::string_view controller);

}  // namespace pievt::process
