// Whether a store that went through something still keeps its promises. Used on every image a power
// cut can leave, and after every fault.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "tests/faults/world.h"

namespace pievt::faults {

/// What is wrong with a store, in a sentence; empty when all is well.
struct Judgement {
  std::string wrong;
  /// The store itself says that it is damaged: it refuses to open or to be read, or `verify` has
  /// findings. Nobody is told anything false.
  bool detected = false;

  bool ok() const { return wrong.empty(); }
};

/// What an error makes of whoever was `doing` something ("opening to back up"), and where a
/// judgement was made.
Judgement failed(std::string_view doing, const Error& error);
Judgement within(std::string_view where, Judgement judgement);

/// Whether a store after a fault keeps its promises:
///   - it opens: for reading (once it was promised to exist) and for writing;
///   - what is visible is the attempts from the first on, whole, in order, without a gap;
///   - everything that was promised to be on the disk is visible;
///   - `verify` finds nothing but what was removed on purpose, and views saved and folded are the
///     same;
///   - every attempt said again under its id has the positions it has, or gets them now;
///   - after that everything is there exactly once, also after another opening.
/// Streams of runs are not of attempts (sealed_run.h).
Judgement judge(const std::filesystem::path& store, std::span<const Attempt> attempts,
                const Progress& progress);

/// Whether the store in `copy`, which is only read, is whole and shows the attempts from the first
/// on, at least the first `promised` of them.
Judgement judge_copy(const std::filesystem::path& copy, std::span<const Attempt> attempts,
                     std::size_t promised);

/// Copies of the store in `root`, of which a power cut left what it left: a backup that is one is
/// whole, and goes on; a restored store that is there is whole, and another one can be made.
Judgement judge_backup(const std::filesystem::path& root, std::span<const Attempt> attempts,
                       const Progress& progress);
Judgement judge_restored(const std::filesystem::path& root, std::span<const Attempt> attempts,
                         const Progress& progress);

}  // namespace pievt::faults
