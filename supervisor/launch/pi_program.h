// Which pi is there, and of which version.
#pragma once

#include <string>
#include <vector>

#include "pievt/result.h"
#include "supervisor/launch/pi_version.h"
#include "supervisor/process/clock.h"
#include "supervisor/process/spawn.h"

namespace pievt::launch {

struct PiProgram {
  std::string path;  ///< absolute
  PiVersion version;
};

/// The version in what `pi --version` printed: the first line that is nothing but a version, or
/// "pi" and a version. 0.73 prints it on standard error when its input is no terminal, so both
/// texts are searched. nullopt when there is no such line.
std::optional<PiVersion> version_in_output(std::string_view output, std::string_view error);

/// How long `pi --version` may take: cold starts of Node on a busy machine take seconds.
inline constexpr std::chrono::seconds probe_limit_s{15};

/// Finds `name_or_path` as a child with `environment` would (a path is relative to our working
/// directory) and asks for its version. Starts it once, with a private empty directory for what
/// it may write, without network, and blocks until it has ended; whatever it leaves running is
/// killed. Some tenths of a second.
///
/// Each error tells what, where, and what to do: Errc::not_found (not on PATH), Errc::invalid (not
/// executable), Errc::unsupported (older than `oldest_supported`, failed, or printed no version),
/// Errc::busy (did not answer within `limit`), Errc::io.
Result<PiProgram> probe_pi(const std::string& name_or_path,
                           const std::vector<process::Variable>& environment,
                           std::chrono::milliseconds limit = probe_limit_s);

}  // namespace pievt::launch
