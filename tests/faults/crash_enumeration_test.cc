// The power goes after every single operation of every scenario, and of what was not on the disk by
// then, every subset survives. Whatever is left must be a store that keeps its promises.
//
//   PIEVT_FAULTS=all            every cut; by default a seeded sample of each scenario
//   PIEVT_FAULTS=<n>            n images a scenario
//   PIEVT_FAULT_ROW=<row>       one alone, as a failure prints it: scenario:operation:choice
//   PIEVT_SEED=<n>              another sample
#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <random>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/log/head.h"
#include "tests/fault_fs/disk.h"
#include "tests/faults/cuts.h"
#include "tests/faults/judge.h"
#include "tests/faults/sealed_run.h"
#include "tests/faults/world.h"
#include "tests/store/seed.h"

namespace pievt::faults {
namespace {

struct Row {
  std::size_t cut = 0;  ///< how many operations had happened
  Choice choice;
  Progress progress;
};

std::size_t images_wanted() {
  const char* asked = std::getenv("PIEVT_FAULTS");
  if (asked == nullptr) return 16;
  return std::string_view(asked) == "all" ? SIZE_MAX : std::strtoull(asked, nullptr, 10);
}

Progress progress_of(const std::vector<Operation>& operations, std::size_t cut,
                     const Progress& last) {
  // What was noted before the next operation began is what had been promised when the power went.
  if (cut == operations.size()) return last;
  const Operation& next = operations[cut];
  return {next.attempted, next.acknowledged, next.created};
}

// Cuts that a sample looks at; to know all images of all of them takes longer than to try a sample.
constexpr std::size_t cuts_sampled_max = 60;

bool is_sample() {
  return images_wanted() != SIZE_MAX && std::getenv("PIEVT_FAULT_ROW") == nullptr;
}

// Every image of every cut, or of a sample of them, each once for each state of the promises.
std::vector<Row> all_rows(const std::vector<Operation>& operations, const World& world,
                          std::mt19937_64& dice, std::uint64_t seed) {
  Disk disk;
  std::vector<Row> rows;
  std::set<std::tuple<std::size_t, std::size_t, std::size_t, bool>> seen;
  for (std::size_t cut = 0; cut <= operations.size(); ++cut) {
    if (cut > 0) disk.apply(operations[cut - 1]);
    if (cut < world.begin()) continue;
    const std::size_t cuts = operations.size() + 1 - world.begin();
    if (is_sample() && cuts > cuts_sampled_max && dice() % cuts >= cuts_sampled_max) continue;
    const Progress progress = progress_of(operations, cut, world.progress());
    // Of each cut by itself, so that one row can be tried again without those before it.
    std::mt19937_64 of_cut(seed + cut);
    for (Choice& choice : choices(disk.pending(), of_cut)) {
      const std::size_t hash = hash_of(disk.image(choice));
      const bool is_new =
          seen.insert({hash, progress.attempted, progress.acknowledged, progress.created}).second;
      if (is_new) rows.push_back({cut, std::move(choice), progress});
    }
  }
  return rows;
}

class CrashEnumeration : public testing::TestWithParam<Scenario> {
 protected:
  // Judges one image in a directory of its own and returns what is wrong with it.
  std::string judge_row(const Disk& disk, const Row& row, const World& world) {
    const auto scratch = make_scratch();
    write_image(disk.image(row.choice), scratch);
    Judgement judgement = judge(scratch / "store", world.attempts(), row.progress);
    if (judgement.ok() && GetParam().also != nullptr)
      judgement = GetParam().also(scratch, world.attempts(), row.progress);
    // Where the disk kept later writes without earlier ones, a store may say that it is damaged
    // instead of guessing which of the two it was. It must not go on as if nothing were.
    if (judgement.detected && !disk.keeps_order(row.choice)) {
      ++refused_;
      judgement = {};
    }
    if (judgement.ok() || !keep_) std::filesystem::remove_all(scratch);
    if (!judgement.ok() && keep_) judgement.wrong += "\n  image: " + scratch.string();
    return judgement.wrong;
  }

  std::string explain(const std::vector<Operation>& operations, const Disk& disk, const Row& row) {
    std::string text = fmt::format("PIEVT_FAULT_ROW={}:{}:{}\n  after: {}\n", GetParam().name,
                                   row.cut, to_text(row.choice),
                                   row.cut == 0 ? "nothing" : describe(operations[row.cut - 1]));
    const auto pending = disk.pending();
    for (std::size_t i = 0; i < pending.size(); ++i) {
      text += fmt::format("  {}: {}\n",
                          row.choice.torn == i ? "torn"
                          : row.choice.kept[i] ? "kept"
                                               : "lost",
                          pending[i].what);
    }
    return text;
  }

  std::size_t refused_ = 0;
  bool keep_ = std::getenv("PIEVT_FAULT_ROW") != nullptr;
};

TEST_P(CrashEnumeration, EveryCutLeavesAStoreThatKeepsItsPromises) {
  const std::uint64_t seed = test::seeds(1).front();
  SCOPED_TRACE(test::how_to_repeat(seed));
  std::mt19937_64 dice(seed);
  World world;
  GetParam().run(world);
  ASSERT_FALSE(world.error()) << world.error()->what;
  const std::vector<Operation> operations = world.journal().operations();
  world.close();
  world.journal().set_boot(2);

  std::vector<Row> rows = all_rows(operations, world, dice, seed);
  const std::size_t all = rows.size();
  if (const char* one = std::getenv("PIEVT_FAULT_ROW")) {
    std::erase_if(rows, [&](const Row& row) {
      return fmt::format("{}:{}:{}", GetParam().name, row.cut, to_text(row.choice)) != one;
    });
  } else if (rows.size() > images_wanted()) {
    std::shuffle(rows.begin(), rows.end(), dice);
    rows.resize(images_wanted());
    std::ranges::sort(rows, {}, &Row::cut);
  }
  const auto begin = std::chrono::steady_clock::now();
  Disk disk;
  std::size_t applied = 0, failures = 0;
  for (const Row& row : rows) {
    while (applied < row.cut) disk.apply(operations[applied++]);
    const std::string wrong = judge_row(disk, row, world);
    if (wrong.empty()) continue;
    if (++failures <= 5) {
      ADD_FAILURE() << wrong << "\n" << explain(operations, disk, row);
    }
  }
  EXPECT_EQ(failures, 0u) << "of " << rows.size() << " images";
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  fmt::print("{}: {} operations, {} of {} images, {} refused, {} failures, {:.1f} s\n",
             GetParam().name, operations.size() - world.begin(), rows.size(), all, refused_,
             failures, took.count());
}

INSTANTIATE_TEST_SUITE_P(Scenarios, CrashEnumeration, testing::ValuesIn(all_scenarios()),
                         [](const auto& row) { return std::string(row.param.name); });

// The harness itself must be able to fail: a sync that only says that it has synced is noticed.
TEST(CrashEnumerationCanary, ADiskThatLiesIsFoundOut) {
  World world;
  world.open();
  world.journal().arm({1, Outcome::lies, 0});  // the append's write is 0
  world.append("a", 1);
  ASSERT_FALSE(world.error()) << world.error()->what;
  ASSERT_THAT(world.journal().struck().value_or(""), testing::StartsWith("sync "));
  world.journal().set_boot(2);
  Disk disk;
  for (const Operation& operation : world.journal().operations()) disk.apply(operation);
  const auto scratch = make_scratch();
  write_image(disk.image({}), scratch);
  const Judgement judgement = judge(scratch / "store", world.attempts(), world.progress());
  EXPECT_EQ(judgement.wrong, "as reader: 1 appends were promised, 0 are visible");
  std::filesystem::remove_all(scratch);
}

// Nor would it go unnoticed if a sealed file's content, or its name, had not been made durable
// before the run's bodies leave the store: these syncs are taken out of the record.
TEST(CrashEnumerationCanary, ASealedFileThatIsNotOnTheDiskIsFoundOut) {
  World world;
  const auto scenarios = all_scenarios();
  const auto row = std::ranges::find(scenarios, "seal_and_remove", &Scenario::name);
  ASSERT_NE(row, scenarios.end());
  row->run(world);
  ASSERT_FALSE(world.error()) << world.error()->what;
  world.close();
  world.journal().set_boot(2);
  const auto judged_without = [&](Op sync) {
    Disk disk;
    std::size_t left_out = 0;
    for (const Operation& operation : world.journal().operations()) {
      if (operation.op == sync && operation.path.starts_with("store/sealed")) {
        ++left_out;
      } else {
        disk.apply(operation);
      }
    }
    EXPECT_EQ(left_out, 1u);
    const auto scratch = make_scratch();
    write_image(disk.image({}), scratch);
    const Judgement judgement = judge_sealed(scratch, world.attempts(), world.progress());
    std::filesystem::remove_all(scratch);
    return judgement.wrong;
  };
  EXPECT_THAT(judged_without(Op::sync), testing::HasSubstr("sealed: the file: "));
  EXPECT_EQ(judged_without(Op::sync_directory),
            "sealed: the store has recorded a file that is not there");
}

// The ground all of it stands on: what the journal knows is what the directory holds.
TEST_P(CrashEnumeration, NothingIsWrittenPastTheJournal) {
  World world;
  GetParam().run(world);
  ASSERT_FALSE(world.error()) << world.error()->what;
  world.close();
  Disk disk;
  for (const Operation& operation : world.journal().operations()) disk.apply(operation);
  const auto scratch = make_scratch();
  write_image(disk.page_cache(), scratch / "root");
  const auto list = [](const std::filesystem::path& root) {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
      const std::string name = entry.path().lexically_relative(root).string();
      if (!entry.is_regular_file() || name.ends_with("/log/LOCK")) continue;
      std::ifstream file(entry.path(), std::ios::binary);
      files[name] = std::string(std::istreambuf_iterator<char>(file), {});
      // The word and the announcements are moved by the kernel (futex), past every write.
      if (name.ends_with("/HEAD")) files[name].resize(head_layout::word_offset);
    }
    return files;
  };
  const auto known = list(scratch / "root"), there = list(world.store().parent_path());
  for (const auto& [name, content] : there) {
    const auto found = known.find(name);
    EXPECT_TRUE(found != known.end() && found->second == content) << name;
  }
  EXPECT_EQ(known.size(), there.size());
  std::filesystem::remove_all(scratch);
}

}  // namespace
}  // namespace pievt::faults
