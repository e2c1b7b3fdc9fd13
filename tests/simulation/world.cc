#include "tests/simulation/world.h"

#include <algorithm>
#include <csignal>

#include <fmt/format.h>

namespace pievt::simulation {
namespace {

// So that a run whose supervisor dies at every second step still comes to its end.
constexpr std::uint64_t deaths_max = 40;

}  // namespace

World::World(const Scenario& scenario, std::optional<std::uint64_t> death_at)
    : scenario_(scenario), dice_(~scenario.seed), death_at_(death_at) {}

void World::step() {
  ++steps_;
  const bool dies = death_at_ ? steps_ == *death_at_
                              : deaths_ < deaths_max && dice_.chance(scenario_.death_percent);
  if (!dies) return;
  ++deaths_;
  // Nobody is there for a while: children end, backoffs pass.
  now_ms_ += dice_.chance(50) ? 0 : dice_.between(1, 20'000);
  throw Death{};
}

Child& World::spawn(const std::string& marker, Subject subject) {
  for (const auto& [other, child] : children_) {
    if (child.subject.job == subject.job && child.alive(now_ms_))
      throw Broken(fmt::format("{} is started while {} runs", marker, other));
  }
  Child child{subject, scenario_.script(subject.job, subject.attempt), next_pid_++, now_ms_, {}};
  if (child.script.exits_ms) {
    child.dies_ms = now_ms_ + *child.script.exits_ms;
    child.exit_code = child.script.exit_code;
    child.signal = child.script.signal;
  }
  const auto [at, fresh] = children_.insert_or_assign(marker, std::move(child));
  if (!fresh) throw Broken(marker + " is started twice");
  return at->second;
}

Child* World::find(const std::string& marker) {
  const auto found = children_.find(marker);
  return found == children_.end() ? nullptr : &found->second;
}

void World::signal(Child& child, int number) {
  if (!child.alive(now_ms_)) return;
  const auto end = number == SIGKILL ? std::optional<std::uint64_t>(0) : child.script.obeys_ms;
  if (!end || (child.dies_ms && *child.dies_ms <= now_ms_ + *end)) return;
  child.dies_ms = now_ms_ + *end;
  child.signal = number;
}

bool World::any_alive() const {
  return std::ranges::any_of(children_,
                             [&](const auto& item) { return item.second.alive(now_ms_); });
}

}  // namespace pievt::simulation
