// One call goes wrong: the n-th write, sync, rename, creation or removal fails with EIO or ENOSPC,
// is done by half, or is damaged on its way, or one read comes back damaged. The store refuses or
// says so, loses nothing it had promised, and goes on when it is opened again.
//
//   PIEVT_FAULTS=all            every call of every scenario; by default a seeded sample
//   PIEVT_FAULTS=<n>            n faults of each kind a scenario
//   PIEVT_FAULT_ROW=<row>       one alone, as a failure prints it: scenario:kind:call
//   PIEVT_SEED=<n>              another sample
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <numeric>
#include <random>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/faults/judge.h"
#include "tests/faults/process.h"
#include "tests/faults/world.h"
#include "tests/store/seed.h"

namespace pievt::faults {
namespace {

struct Kind {
  std::string_view name;
  Outcome outcome;
  int error_number;
};
constexpr std::array kinds = {
    Kind{"eio", Outcome::fails, EIO},
    Kind{"enospc", Outcome::fails, ENOSPC},
    Kind{"torn", Outcome::tears, EIO},
    Kind{"flipped", Outcome::flips, 0},
};

constexpr unsigned row_seconds_max = 60;

std::size_t faults_wanted() {
  const char* asked = std::getenv("PIEVT_FAULTS");
  if (asked == nullptr) return 1;
  return std::string_view(asked) == "all" ? SIZE_MAX : std::strtoull(asked, nullptr, 10);
}

// Which calls are made to fail: of those from `begin` to `end`, as many as are wanted.
std::vector<std::size_t> sample(std::size_t begin, std::size_t end, std::mt19937_64& dice) {
  std::vector<std::size_t> calls(end - begin);
  std::iota(calls.begin(), calls.end(), begin);
  if (calls.size() > faults_wanted()) {
    std::shuffle(calls.begin(), calls.end(), dice);
    calls.resize(faults_wanted());
    std::ranges::sort(calls);
  }
  return calls;
}

bool is_wanted(const std::string& row) {
  const char* one = std::getenv("PIEVT_FAULT_ROW");
  return one == nullptr || row == one;
}

// The store, and what else has promises to keep.
Judgement judged(const Scenario& scenario, const World& world) {
  Judgement judgement = judge(world.store(), world.attempts(), world.progress());
  if (!judgement.ok() || scenario.also == nullptr) return judgement;
  return scenario.also(world.store().parent_path(), world.attempts(), world.progress());
}

class FailingCalls : public testing::TestWithParam<Scenario> {
 protected:
  void SetUp() override {
    SCOPED_TRACE(test::how_to_repeat(seed_));
    const auto counted = answer([this] {
      World world;
      GetParam().run(world);
      world.close();
      world.journal().arm_read_flip(SIZE_MAX);
      const Judgement whole = judged(GetParam(), world);
      return whole.ok() ? fmt::format("{} {} {}", world.begin(), world.journal().size(),
                                      world.journal().reads())
                        : "unharmed it is not well: " + whole.wrong;
    });
    ASSERT_EQ(std::sscanf(counted.c_str(), "%zu %zu %zu", &begin_, &end_, &reads_), 3) << counted;
  }
  void TearDown() override { std::filesystem::remove_all(scratch_); }

  // What `work` returns, from a process of its own; how that process died otherwise.
  template <class Work>
  std::string answer(Work&& work) {
    std::filesystem::remove(scratch_ / "answer");
    const int status = in_a_process(scratch_ / "answer", [&](std::ostream& out) {
      ::alarm(row_seconds_max);
      out << work();
    });
    if (status != 0) return fmt::format("the process died, wait status {}", status);
    return content_of(scratch_ / "answer");
  }

  const std::uint64_t seed_ = test::seeds(1).front();
  const std::filesystem::path scratch_ = make_scratch();
  // The scenario's own calls, behind those that make its store, and the reads of all of it.
  std::size_t begin_ = 0, end_ = 0, reads_ = 0;
};

// What a program does after an error: it closes the log and opens it again. The same process, so
// the same boot: HEAD's promise counts.
std::string one_call_fails(const Scenario& scenario, const Kind& kind, std::size_t call) {
  World world;
  world.journal().arm({call, kind.outcome, kind.error_number});
  scenario.run(world);
  world.close();
  const auto struck = world.journal().struck();
  world.journal().disarm();
  const Judgement judgement = judged(scenario, world);
  // Bytes that are not what was handed over cannot be mended, only noticed.
  if (judgement.ok() || (kind.outcome == Outcome::flips && judgement.detected)) return "";
  return fmt::format("{}\n  {}\n  the store had said: {}", judgement.wrong,
                     struck.value_or("nothing was struck"),
                     world.error() ? world.error()->what : "nothing");
}

TEST_P(FailingCalls, EachIsAnErrorAndNotALoss) {
  SCOPED_TRACE(test::how_to_repeat(seed_));
  std::mt19937_64 dice(seed_);
  for (const Kind& kind : kinds) {
    for (const std::size_t call : sample(begin_, end_, dice)) {
      const std::string row = fmt::format("{}:{}:{}", GetParam().name, kind.name, call);
      if (!is_wanted(row)) continue;
      EXPECT_EQ(answer([&] { return one_call_fails(GetParam(), kind, call); }), "")
          << "\nPIEVT_FAULT_ROW=" << row;
    }
  }
}

// A damaged read is an error or makes no difference; nobody gets other events, or fewer. The disk
// is whole all the time, and so is the store afterwards.
std::string one_read_is_damaged(const Scenario& scenario, std::size_t call) {
  World world;
  scenario.run(world);
  world.close();
  const auto look = [&] { return judged(scenario, world); };
  world.journal().arm_read_flip(call);
  const Judgement judgement = look();
  const std::string struck = world.journal().struck().value_or("nothing was struck");
  if (!judgement.ok() && !judgement.detected)
    return fmt::format("{}\n  {}", judgement.wrong, struck);
  world.journal().arm_read_flip(SIZE_MAX);
  const Judgement whole = look();
  return whole.ok() ? "" : fmt::format("after the damaged read: {}\n  {}", whole.wrong, struck);
}

TEST_P(FailingCalls, ADamagedReadIsNoticed) {
  SCOPED_TRACE(test::how_to_repeat(seed_));
  std::mt19937_64 dice(seed_);
  for (const std::size_t call : sample(0, reads_, dice)) {
    const std::string row = fmt::format("{}:read:{}", GetParam().name, call);
    if (!is_wanted(row)) continue;
    EXPECT_EQ(answer([&] { return one_read_is_damaged(GetParam(), call); }), "")
        << "\nPIEVT_FAULT_ROW=" << row;
  }
}

INSTANTIATE_TEST_SUITE_P(Scenarios, FailingCalls, testing::ValuesIn(all_scenarios()),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace pievt::faults
