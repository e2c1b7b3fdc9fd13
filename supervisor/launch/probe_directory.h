// A private directory for pi to be asked something in, where it finds nothing and leaves nothing.
#pragma once

#include <filesystem>
#include <utility>

#include "pievt/result.h"

namespace pievt::launch {

/// Made among the temporary files (TMPDIR), removed with all that is in it. What cannot be removed
/// stays there, where others clean up.
class ProbeDirectory {
 public:
  /// Where TMPDIR names no directory, in /tmp, as everything else does. io: it cannot be made.
  static Result<ProbeDirectory> create();

  ProbeDirectory(ProbeDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  ProbeDirectory(const ProbeDirectory&) = delete;
  ProbeDirectory& operator=(const ProbeDirectory&) = delete;
  ProbeDirectory& operator=(ProbeDirectory&&) = delete;
  ~ProbeDirectory();

  const std::filesystem::path& path() const { return path_; }

 private:
  explicit ProbeDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace pievt::launch
