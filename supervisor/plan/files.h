// The files a plan names: prompts, context, matrices. An interface, so that everything here runs
// without a disk in tests and fuzzers.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "pievt/result.h"

namespace pievt::plan {

/// Paths are relative to the plan file's directory, or absolute. One thread.
class FileSource {
 public:
  virtual ~FileSource() = default;

  /// All bytes of a regular file. Errc::not_found; Errc::invalid if it is larger than `bytes_max`
  /// or not a regular file; Errc::io. The sentence names neither path nor position: the caller
  /// does.
  virtual Result<std::string> read(const std::string& path, std::size_t bytes_max) = 0;

  /// The regular files whose path fits a pattern (see glob.h; `**` alone between two slashes goes
  /// down any number of directories), sorted by bytes, written as the pattern is. A name that
  /// begins with a dot fits only what begins with a dot. Errc::invalid if there are more than
  /// `files_max`.
  virtual Result<std::vector<std::string>> glob(const std::string& pattern,
                                                std::size_t files_max) = 0;
};

}  // namespace pievt::plan
