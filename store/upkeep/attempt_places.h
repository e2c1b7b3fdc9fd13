// Directories of attempts, attempts/<run>/<job>/<n>, and which of them are still needed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "pievt/log.h"
#include "pievt/query.h"
#include "store/log/owner.h"

namespace pievt {

struct AttemptPlaces {
  std::uint64_t directories = 0;
  std::uint64_t open = 0;    ///< attempts that are not judged, whether they have one or not
  std::uint64_t judged = 0;  ///< directories of attempts that are over: gc removes them
  /// What belongs to no attempt of this store. Nobody knows what it is, so gc leaves it.
  std::vector<std::filesystem::path> unknown;
};

AttemptPlaces find_attempt_places(const std::filesystem::path& store, const Log& log,
                                  const RunList& runs);

/// A run that a living process works on: it holds the lock of the run's directory, whether it is
/// the one who writes to the store at the moment or not.
struct SupervisedRun {
  std::string run;
  Owner supervisor;
};

/// Those of others; this process knows of itself.
std::vector<SupervisedRun> find_supervised(const std::filesystem::path& store);

}  // namespace pievt
