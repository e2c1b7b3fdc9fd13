// A scan on a machine that is played: it forks, executes and hides at the worst moments.
#include "supervisor/process/scan.h"

#include <functional>
#include <map>
#include <vector>

#include <gmock/gmock.h>

namespace pievt::process {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using enum EnvironmentLook;

struct PlayedMachine {
  pid_t newest = 100;
  std::map<pid_t, EnvironmentLook> alive;
  std::function<void()> after_listing = [] {};
  std::function<void(pid_t)> before_look = [](pid_t) {};
  std::function<void()> while_pausing = [] {};
  std::size_t pauses = 0;

  pid_t self() const { return 50; }
  Result<pid_t> last_pid() const { return newest; }
  Result<std::vector<pid_t>> processes() const {
    std::vector<pid_t> pids;
    for (const auto& [pid, look] : alive) pids.push_back(pid);
    after_listing();
    return pids;
  }
  EnvironmentLook look(pid_t pid) const {
    before_look(pid);
    const auto process = alive.find(pid);
    return process == alive.end() ? has_not : process->second;
  }
  bool may_be_ours(pid_t pid) const { return pid % 2 == 0; }
  void pause() {
    ++pauses;
    while_pausing();
  }
};

struct Seen {
  std::vector<pid_t> visited;
  ScanResult result;
};

Seen scan(PlayedMachine& machine) {
  Seen seen;
  const Result<ScanResult> result = scan_processes(machine, [&](pid_t pid) {
    seen.visited.push_back(pid);
    return has;
  });
  EXPECT_TRUE(result.ok());
  seen.result = *result;
  return seen;
}

TEST(Scan, VisitsWhatBearsTheMarkerSaveItselfAndProcessOne) {
  PlayedMachine machine;
  machine.alive = {{1, has}, {20, has}, {30, has_not}, {50, has}, {60, has}};
  const Seen seen = scan(machine);
  EXPECT_THAT(seen.visited, ElementsAre(20, 60));
  EXPECT_TRUE(seen.result.complete);
  EXPECT_EQ(seen.result.hidden, 0u);
  EXPECT_EQ(machine.pauses, 0u);
}

TEST(Scan, FollowsOneThatMovedOnAfterTheListing) {
  PlayedMachine machine;
  machine.alive = {{20, has}};
  machine.after_listing = [&] {
    machine.alive = {{104, has}};
    machine.newest = 107;
  };
  const Seen seen = scan(machine);
  EXPECT_THAT(seen.visited, ElementsAre(104));
  EXPECT_TRUE(seen.result.complete);
}

TEST(Scan, FollowsOneThatMovesOnWheneverItIsLookedAt) {
  PlayedMachine machine;
  machine.alive = {{100, has}};
  int hops_left = 30;
  machine.before_look = [&](pid_t pid) {
    if (!machine.alive.contains(pid) || hops_left-- <= 0) return;
    machine.alive = {{++machine.newest, has}};
  };
  const Seen seen = scan(machine);
  EXPECT_THAT(seen.visited, ElementsAre(130));
  EXPECT_TRUE(seen.result.complete);
}

TEST(Scan, SaysSoWhenItCannotCatchUp) {
  PlayedMachine machine;
  machine.alive = {{100, has}};
  machine.before_look = [&](pid_t) { machine.alive = {{++machine.newest, has}}; };
  const Seen seen = scan(machine);
  EXPECT_THAT(seen.visited, IsEmpty());
  EXPECT_FALSE(seen.result.complete);
}

TEST(Scan, SaysSoWhenTheNumbersBeginAnew) {
  PlayedMachine machine;
  machine.after_listing = [&] {
    machine.alive = {{3, has}};
    machine.newest = 3;
  };
  EXPECT_FALSE(scan(machine).result.complete);
}

TEST(Scan, AsksAgainWhereThereIsNoEnvironmentYet) {
  PlayedMachine machine;
  machine.alive = {{20, not_yet}, {21, not_yet}, {22, has}};
  machine.while_pausing = [&] {
    if (machine.pauses == 3) machine.alive[20] = has;
    if (machine.pauses == 5) machine.alive[21] = has_not;
  };
  const Seen seen = scan(machine);
  EXPECT_THAT(seen.visited, ElementsAre(22, 20));
  EXPECT_EQ(machine.pauses, 5u);
  EXPECT_EQ(seen.result.hidden, 0u);
}

TEST(Scan, AsksAgainWhenAVisitFoundItExecuting) {
  PlayedMachine machine;
  machine.alive = {{20, has}};
  int visits = 0;
  const Result<ScanResult> result =
      scan_processes(machine, [&](pid_t) { return ++visits < 3 ? not_yet : has; });
  EXPECT_EQ(visits, 3);
  EXPECT_EQ(result->hidden, 0u);
}

TEST(Scan, CountsWhatStaysUnknownOfOurUser) {
  PlayedMachine machine;
  machine.alive = {{20, hidden}, {21, hidden}, {22, not_yet}, {23, not_yet}};
  const Seen seen = scan(machine);
  EXPECT_EQ(seen.result.hidden, 3u) << "21 is another user's; who executes is not asked";
  EXPECT_EQ(machine.pauses, 500u);
  EXPECT_THAT(seen.visited, IsEmpty());
}

TEST(Scan, CountsAHiddenProcessOnceThoughItIsListedAndNew) {
  PlayedMachine machine;
  machine.alive = {{102, hidden}};
  machine.after_listing = [&] { machine.newest = 103; };
  EXPECT_EQ(scan(machine).result.hidden, 1u);
}

}  // namespace
}  // namespace pievt::process
