// A FileSource that reads the disk.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "supervisor/plan/files.h"

namespace pievt::plan {

class DiskFiles : public FileSource {
 public:
  /// `directory`: where relative paths begin; empty for the current directory.
  explicit DiskFiles(std::string directory) : directory_(std::move(directory)) {}

  Result<std::string> read(const std::string& path, std::size_t bytes_max) override;
  Result<std::vector<std::string>> glob(const std::string& pattern, std::size_t files_max) override;

 private:
  std::string on_disk(const std::string& path) const;

  std::string directory_;
};

}  // namespace pievt::plan
