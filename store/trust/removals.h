// Which runs had their texts and output removed after they were sealed, told event by event, and
// what a walk through the log found to be absent until it knows the whole of it: the event that
// says so comes behind those whose texts are gone.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pievt/sealed.h"

namespace pievt {

/// A fold of the events RunSealed of the stream `store`.
class Removals {
 public:
  /// An event of any stream; others are passed over.
  void see(std::string_view stream, const EventView& event);

  const RemovedRuns& runs() const { return runs_; }
  const RemovedRun* find(std::string_view run) const;

 private:
  RemovedRuns runs_;
};

enum class AbsentKind : std::uint8_t { text, output };

/// Things that are not there. Of each run only the first ones are kept; all are counted.
template <class Thing>
class Absences {
 public:
  explicit Absences(std::size_t kept_max) : kept_max_(kept_max) {}

  /// `revision`: of the event that refers to it. `thing`: what to say where it is a loss.
  void add(std::string_view run, Revision revision, AbsentKind kind, Thing thing) {
    auto found = runs_.find(run);
    if (found == runs_.end()) found = runs_.emplace(run, Run{}).first;
    Run& one = found->second;
    one.all.emplace_back(revision.value, kind);
    if (one.kept.size() < kept_max_) one.kept.emplace_back(revision.value, std::move(thing));
  }

  struct Outcome {
    std::array<std::uint64_t, 2> removed{};  ///< by kind: gone on purpose
    std::array<std::uint64_t, 2> lost{};
    std::vector<Thing> things;  ///< of the lost ones, as far as they were kept
  };

  /// What it was in the end, by run; `found` may be null.
  Outcome outcome(std::string_view run, const RemovedRun* found) const {
    Outcome result;
    const auto one = runs_.find(run);
    if (one == runs_.end()) return result;
    const std::uint64_t covered = found == nullptr ? 0 : found->events;
    for (const auto& [revision, kind] : one->second.all)
      ++(revision <= covered ? result.removed : result.lost)[static_cast<std::size_t>(kind)];
    for (const auto& [revision, thing] : one->second.kept)
      if (revision > covered) result.things.push_back(thing);
    return result;
  }

  std::vector<std::string> runs() const {
    std::vector<std::string> ids;
    for (const auto& [id, run] : runs_) ids.push_back(id);
    return ids;
  }

 private:
  struct Run {
    std::vector<std::pair<std::uint64_t, AbsentKind>> all;
    std::vector<std::pair<std::uint64_t, Thing>> kept;
  };
  std::size_t kept_max_;
  std::map<std::string, Run, std::less<>> runs_;
};

}  // namespace pievt
