// At most one supervisor a run. Several processes may write one store, so the store's own lock does
// not keep a second one away from a run that is being supervised.
//
// It is a WriterLock on the run's directory below attempts/: of the kernel, gone with its process,
// and with a record of its owner that tells everybody whether a run that is not over is running or
// interrupted.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "pievt/result.h"
#include "store/log/writer_lock.h"
#include "supervisor/process/fd.h"

namespace pievt::launch {

/// Where a run has its files while it is supervised: its lock, its control socket, its attempts.
std::filesystem::path run_directory(const std::filesystem::path& store, std::string_view run);

/// Makes that directory (mode 0700) where it is not there.
Result<process::Fd> make_run_directory(const std::filesystem::path& store, std::string_view run);

class RunLock {
 public:
  /// busy: another process supervises the run; the sentence says which and since when.
  static Result<RunLock> acquire(const std::filesystem::path& store, std::string_view run,
                                 std::string_view program);

  RunLock(RunLock&&) noexcept = default;
  RunLock& operator=(RunLock&&) = delete;
  /// Takes the directory away with it where nothing else is in it.
  ~RunLock();

 private:
  RunLock(WriterLock lock, std::filesystem::path directory)
      : lock_(std::move(lock)), directory_(std::move(directory)) {}
  std::optional<WriterLock> lock_;
  std::filesystem::path directory_;
};

/// Who supervises the run now, of those that can be seen from here. A hint.
std::optional<Owner> supervisor_of(const std::filesystem::path& store, std::string_view run);

}  // namespace pievt::launch
