// What happens in one simulation: a run, what each of its children will do, what people ask for,
// and how often the supervisor dies. All of it drawn from one seed; a child's script depends on its
// job and attempt alone, so that a death before it changes nothing about it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pievt/run_state.h"

namespace pievt::simulation {

struct Line {
  std::uint64_t at_ms;  ///< from the child's start
  std::string text;
};

struct Script {
  bool spawn_fails = false;
  std::vector<Line> says;
  std::optional<std::uint64_t> exits_ms;  ///< nothing: it hangs
  int exit_code = 0;
  int signal = 0;  ///< somebody else's
  /// From TERM to its end; nothing: only KILL ends it.
  std::optional<std::uint64_t> obeys_ms;
};

enum class Wish : std::uint8_t { drain, stop, pause, go_on, cancel };

struct Asked {
  std::uint64_t at_ms;
  Wish wish;
  std::uint32_t job;  ///< of a cancel
};

struct Scenario {
  explicit Scenario(std::uint64_t seed);

  std::uint64_t seed;
  schema::RunPlannedT planned;
  std::vector<schema::JobDeclaredT> jobs;
  std::vector<Asked> asked;  ///< in the order of time
  /// While this time of every minute the rest of the store takes all places.
  std::uint64_t busy_ms = 0;
  unsigned death_percent = 0;  ///< of the points where it may die
  bool resumes = false;        ///< once, when it was stopped

  Script script(std::uint32_t job, std::uint32_t attempt) const;
};

}  // namespace pievt::simulation
