// Directories, files and small programs for the tests of this folder.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <sys/stat.h>

#include <gtest/gtest.h>

#include "supervisor/process/spawn.h"

namespace pievt::launch::testing {

/// A fresh directory, removed at the end of the test.
class TempDir {
 public:
  TempDir() {
    std::string path =
        (std::filesystem::canonical(std::filesystem::temp_directory_path()) / "launch-XXXXXX")
            .string();
    EXPECT_NE(::mkdtemp(path.data()), nullptr);
    path_ = path;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

inline std::filesystem::path write_file(const std::filesystem::path& path, std::string_view text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// An executable shell script.
inline std::filesystem::path write_script(const std::filesystem::path& path,
                                          std::string_view body) {
  write_file(path, "#!/bin/sh\n" + std::string(body));
  EXPECT_EQ(::chmod(path.c_str(), 0755), 0);
  return path;
}

/// Type and permissions, as ls counts them; 0 when there is nothing.
inline mode_t mode_of(const std::filesystem::path& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
}

inline std::vector<process::Variable> usual_environment() {
  return {{"PATH", "/usr/local/bin:/usr/bin:/bin"}, {"HOME", "/nonexistent"}};
}

}  // namespace pievt::launch::testing
