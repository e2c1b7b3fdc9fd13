// How many files may be open: more for a supervisor of many children, as ever for the children.
//
// A child costs three descriptors for as long as it runs, and the usual soft limit of 1024 is there
// for programs that still use select(), not because more would cost anything. So the limit is
// raised, and each child gives it back for itself before it becomes its program (spawn.h). What is
// opened for children is kept in high numbers, so that the low ones stay free for who needs them.
#pragma once

#include <cstdint>

#include "pievt/result.h"
#include "supervisor/process/fd.h"

namespace pievt::process {

/// The soft limit of open files of this process at the hard one, for as long as this lives. One at
/// a time.
class RaisedFileLimit {
 public:
  /// Errc::io when the kernel refuses.
  static Result<RaisedFileLimit> raise();
  RaisedFileLimit(RaisedFileLimit&& other) noexcept;
  RaisedFileLimit& operator=(RaisedFileLimit&&) = delete;
  ~RaisedFileLimit();

  /// What the soft limit was, and is for children.
  std::uint64_t original() const { return original_; }

 private:
  explicit RaisedFileLimit(std::uint64_t original) : original_(original), owns_(true) {}

  std::uint64_t original_;
  bool owns_;
};

/// The same open file under a number that leaves the low ones free, where the limit has room for
/// that; else as it was. For what stays open as long as a child lives.
Fd kept_high(Fd fd);

}  // namespace pievt::process
