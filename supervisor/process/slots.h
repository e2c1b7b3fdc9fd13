// Places for children that all supervisors of one store share. A place is a file that somebody
// holds a lock on, so the kernel keeps the count: however a supervisor ends, its places are free.
// There is no daemon to ask and no number that could be wrong.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "pievt/result.h"
#include "supervisor/process/fd.h"

namespace pievt::process {

/// One place, taken for as long as this lives. Children do not inherit it.
class Slot {
 public:
  explicit Slot(Fd lock) : lock_(std::move(lock)) {}

 private:
  Fd lock_;
};

class Slots {
 public:
  /// `directory` is made if it is not there. `count`: how many places whoever asks here may take
  /// from; supervisors that were told other numbers each keep to their own.
  static Result<Slots> open(const std::filesystem::path& directory, std::uint32_t count);

  /// A place, or nothing while all are taken. Never waits.
  Result<std::optional<Slot>> take();

  std::uint32_t count() const { return count_; }

 private:
  Slots(std::filesystem::path directory, std::uint32_t count)
      : directory_(std::move(directory)), count_(count) {}
  std::filesystem::path directory_;
  std::uint32_t count_;
};

}  // namespace pievt::process
