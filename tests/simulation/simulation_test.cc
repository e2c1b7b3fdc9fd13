// The supervisor's decisions under every kind of luck: children that end, fail, hang, fall silent
// or ask for patience, people who interfere, a store that has no place, and a supervisor that dies
// before and after everything it does, and is followed by another one.
//
// PIEVT_SEEDS=10000 is the long run; PIEVT_SEED=n repeats one.
#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "pievt/run_state.h"
#include "tests/simulation/sim_supervisor.h"
#include "tests/store/seed.h"

namespace pievt::simulation {
namespace {

std::vector<std::uint8_t> packed(const RunState& run) {
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(state::RunState::Pack(builder, &run));
  return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

/// Supervisors, one after the other, until the run is over.
void see_through(World& world) {
  for (;;) {
    try {
      SimSupervisor supervisor(world);
      supervisor.run();
      if (packed(supervisor.state()) != packed(world.log.state()))
        throw Broken("what the supervisor knows is not what its log says");
      return;
    } catch (const Death&) {
    }
  }
}

/// As `pievt resume` does with a run that was stopped.
void resume(World& world) {
  for (bool done = false; !done;) {
    try {
      SimSupervisor::reopen(world);
      done = true;
    } catch (const Death&) {
      done = world.log.state().phase != state::RunPhase::finished;
    }
  }
}

std::uint64_t live_through(World& world) {
  see_through(world);
  if (world.scenario().resumes && world.log.state().ending == schema::RunEnding::stopped) {
    resume(world);
    see_through(world);
  }
  if (world.any_alive()) throw Broken("a child outlives its run");
  if (packed(world.log.state()) != packed(world.invariants.state()))
    throw Broken("two folds of the same events differ");
  return world.log.digest();
}

/// One seed: as its dice say, twice, and then with a death at each single step in turn.
void try_seed(std::uint64_t seed, std::uint64_t stride) {
  const Scenario scenario(seed);
  World first(scenario), second(scenario);
  const std::uint64_t digest = live_through(first);
  if (live_through(second) != digest) throw Broken("the same seed gave another log");
  World undisturbed(scenario, UINT64_MAX);
  live_through(undisturbed);
  for (std::uint64_t at = 1 + seed % stride; at <= undisturbed.steps(); at += stride) {
    try {
      World world(scenario, at);
      live_through(world);
    } catch (const Broken& broken) {
      throw Broken(fmt::format("with a death at step {}: {}", at, broken.what()));
    }
  }
}

/// All of them, on all processors: simulated worlds share nothing. What went wrong, and with which.
std::vector<std::string> try_seeds(const std::vector<std::uint64_t>& seeds, std::uint64_t stride) {
  std::vector<std::string> failures(seeds.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t at = next++; at < seeds.size(); at = next++) {
      try {
        try_seed(seeds[at], stride);
      } catch (const std::exception& broken) {
        failures[at] = fmt::format("{}; {}", broken.what(), test::how_to_repeat(seeds[at]));
      }
    }
  };
  {
    std::vector<std::jthread> workers;
    while (workers.size() < std::max(1u, std::thread::hardware_concurrency()))
      workers.emplace_back(work);
  }
  std::erase(failures, "");
  return failures;
}

// Where a supervisor dies moves with the seed. So the more seeds there are, the fewer places of
// each are enough; of a single one all are tried.
std::uint64_t stride_of(std::size_t seeds) {
  if (seeds == 1) return 1;
  return seeds <= 1000 ? 7 : 14;
}

TEST(Simulation, NoLuckBreaksARun) {
  const std::vector<std::uint64_t> seeds = test::seeds(60);
  EXPECT_THAT(try_seeds(seeds, stride_of(seeds.size())), ::testing::IsEmpty());
}

// What the dice are for must come up, or the test above proves little.
TEST(Simulation, TheDiceShowEverySide) {
  std::map<schema::Payload, std::uint64_t> seen;
  std::set<schema::FailureKind> failures;
  std::set<schema::StopReason> stops;
  std::set<schema::LimitKind> limits;
  std::uint64_t deaths = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    const Scenario scenario(seed);
    World world(scenario);
    try {
      live_through(world);
    } catch (const Broken& broken) {
      FAIL() << broken.what() << "; " << test::how_to_repeat(seed);
    }
    deaths += world.deaths();
    world.log.read([&](const EventView& event) {
      ++seen[event.type()];
      if (const auto* e = event.envelope->payload_as_AttemptClassified())
        failures.insert(e->failure());
      if (const auto* e = event.envelope->payload_as_AttemptStopRequested())
        stops.insert(e->reason());
      if (const auto* e = event.envelope->payload_as_LimitReached()) limits.insert(e->limit());
    });
  }
  using P = schema::Payload;
  for (const P type :
       {P::RunStopRequested, P::RunPaused, P::RunResumed, P::RunRecovered, P::RunFinished,
        P::JobRetryScheduled, P::JobCancelRequested, P::JobReopened, P::AttemptLaunchFailed,
        P::AttemptAdopted, P::AttemptLost, P::ThrottleChanged, P::AdmissionDeferred,
        P::AdmissionGranted, P::LimitReached, P::SilenceObserved, P::UsageRecorded})
    EXPECT_GT(seen[type], 0u) << type_name(type);
  using F = schema::FailureKind;
  for (const F kind : {F::none, F::launch_error, F::provider_transient, F::provider_permanent,
                       F::deadline_exceeded, F::killed, F::cancelled, F::supervisor_lost})
    EXPECT_TRUE(failures.contains(kind)) << schema::EnumNameFailureKind(kind);
  using S = schema::StopReason;
  for (const S reason :
       {S::deadline, S::run_stopped, S::cancelled, S::lingering, S::silent, S::budget})
    EXPECT_TRUE(stops.contains(reason)) << schema::EnumNameStopReason(reason);
  EXPECT_EQ(limits.size(), 4u);
  EXPECT_GT(deaths, 400u);
}

}  // namespace
}  // namespace pievt::simulation
