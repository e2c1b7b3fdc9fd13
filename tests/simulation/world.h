// Everything around a simulated supervisor that outlives it: time, the processes it started, the
// log, and the deaths that are due.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "tests/simulation/dice.h"
#include "tests/simulation/invariants.h"
#include "tests/simulation/memory_log.h"
#include "tests/simulation/scenario.h"

namespace pievt::simulation {

struct Child {
  Subject subject;
  Script script;
  std::uint32_t pid;
  std::uint64_t started_ms;
  std::optional<std::uint64_t> dies_ms;  ///< by its script or by a signal, in world time
  int exit_code = 0;
  int signal = 0;

  bool alive(std::uint64_t now_ms) const { return !dies_ms || *dies_ms > now_ms; }
};

class World {
 public:
  /// `death_at`: the one step to die at; without it, chance decides.
  explicit World(const Scenario& scenario, std::optional<std::uint64_t> death_at = {});

  std::uint64_t now_ms() const { return now_ms_; }
  std::uint64_t wall_ns() const { return 1'700'000'000'000'000'000 + now_ms_ * 1'000'000; }
  std::uint64_t boot_ns() const { return 1'000'000'000 + now_ms_ * 1'000'000; }
  void advance_to(std::uint64_t ms) { now_ms_ = std::max(now_ms_, ms); }

  /// A point where the supervisor may die: throws Death where it does.
  void step();
  std::uint64_t steps() const { return steps_; }
  std::uint64_t deaths() const { return deaths_; }

  Child& spawn(const std::string& marker, Subject subject);
  Child* find(const std::string& marker);
  void signal(Child& child, int number);
  bool any_alive() const;

  /// Whether the rest of the store leaves a place.
  bool has_place() const { return now_ms_ % 60'000 >= scenario_.busy_ms; }

  const Scenario& scenario() const { return scenario_; }
  MemoryLog log;
  Invariants invariants;
  std::size_t asked = 0;  ///< how many of the scenario's wishes were spoken

 private:
  const Scenario& scenario_;
  Dice dice_;
  std::optional<std::uint64_t> death_at_;
  std::uint64_t now_ms_ = 0, steps_ = 0, deaths_ = 0;
  std::uint32_t next_pid_ = 1000;
  std::map<std::string, Child> children_;
};

}  // namespace pievt::simulation
