// Finding files by a pattern below a directory, within bounds.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace pievt::acceptance {

struct FoundFiles {
  std::vector<std::string> paths;  ///< relative to the directory, ascending
  std::string incomplete;          ///< why not everything was looked at; empty: it was
};

/// Everything below `directory` that is no directory and matches `pattern` (path_pattern.h), at
/// most `count_max`. Nothing is left out, neither hidden nor ignored files; symbolic links to
/// directories are not followed. Directories that cannot be read are said in `incomplete`.
FoundFiles find_files(const std::filesystem::path& directory, std::string_view pattern,
                      std::size_t count_max, std::chrono::steady_clock::time_point deadline);

}  // namespace pievt::acceptance
