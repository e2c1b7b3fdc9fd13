// How much memory this machine, or the group this process is confined to, has and has left.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace pievt::process {

struct Memory {
  std::uint64_t total_bytes = 0;
  std::uint64_t available_bytes = 0;
};

/// Asks /proc/meminfo and the limits of the control group, whichever is less. Nothing where the
/// kernel does not tell.
std::optional<Memory> read_memory();

/// Of the text of /proc/meminfo. Exposed for its tests.
std::optional<Memory> parse_meminfo(std::string_view text);

}  // namespace pievt::process
