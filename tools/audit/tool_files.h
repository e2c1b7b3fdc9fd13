// Which files an attempt's tools wrote, and what stands in them, told from the arguments of calls
// that worked. What a shell wrote is not seen here, only what its commands name (shell_targets.h).
#pragma once

#include <functional>
#include <map>
#include <vector>

#include "tools/audit/material.h"

namespace pievt::audit {

/// A text by reference; not_found where it is not there.
using ReadBlob = std::function<Result<std::vector<std::byte>>(const schema::BlobRef&)>;

/// Both by job.
struct FilesOfTools {
  std::map<std::uint32_t, std::vector<ToolFile>> written;
  std::map<std::uint32_t, std::vector<ShellFile>> shell;
};

/// Arguments are read while they are few and small; beyond that a file's size is not known, and of
/// a shell's command its first line is looked at.
FilesOfTools tool_files(const ReadBlob& read, const RunStory& story);

}  // namespace pievt::audit
