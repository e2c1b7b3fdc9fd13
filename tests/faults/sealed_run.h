// A run that has ended, with texts and captured output; that it is sealed and its bodies leave the
// store, as `pievt seal RUN --remove` has it; and what must hold at every moment of that. Used
// where the power goes (scenarios.cc) and where a real process is killed (seal_kill_test.cc).
//
// What is to be judged is known from here and not from what is found: the texts and the output are
// the same in every store.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "pievt/log.h"
#include "tests/faults/judge.h"

namespace pievt::faults {

inline constexpr const char* sealed_run = "r-1";

/// Appends the run. `shared`: a text that an event of another stream refers to; it is this run's
/// prompt, and stays in the store whatever becomes of the run.
Status write_sealed_run(Log& log, const std::string& shared);

/// Where it is sealed to.
std::filesystem::path sealed_file(const std::filesystem::path& store);

/// What the verb does: seals, records, removes. Said again it goes on where it was cut off.
Status seal_and_remove(const std::filesystem::path& store);

enum class Removed : std::uint8_t { perhaps, certainly };

/// Whether nothing of the run is lost in `store`, of which nothing is written:
///   - all its events are there;
///   - a sealed file under its name is whole and holds all of the run;
///   - the file that the store has recorded is there, as it was recorded;
///   - what is not in the store any more is recorded, and so in the file.
/// `certainly`: and nothing of it is in the store but the text `shared`, and nothing beside the
/// file.
Judgement judge_bodies(const std::filesystem::path& store, const std::string& shared,
                       Removed removed);

/// For a scenario whose first attempt has the shared text as its blob: as judge_bodies(), and
/// sealing again removes.
Judgement judge_sealed(const std::filesystem::path& root, std::span<const Attempt> attempts,
                       const Progress& progress);

}  // namespace pievt::faults
