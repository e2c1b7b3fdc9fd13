// An empty directory that stands for a store and goes with its test.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "pievt/result.h"

namespace pievt::test {

class TemporaryStore {
 public:
  TemporaryStore() {
    std::string name = (std::filesystem::temp_directory_path() / "pievt-log-XXXXXX").string();
    PIEVT_ASSERT(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  TemporaryStore(const TemporaryStore&) = delete;
  TemporaryStore& operator=(const TemporaryStore&) = delete;
  ~TemporaryStore() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace pievt::test
