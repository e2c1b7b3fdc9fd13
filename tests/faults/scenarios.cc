// What can be going on when the power goes. One row each; the harness cuts each of them after every
// operation. A new kind of work on a store is a row here and nothing else.
#include "tests/faults/judge.h"
#include "tests/faults/sealed_run.h"
#include "tests/faults/world.h"

namespace pievt::faults {
namespace {

void create(World& world) {
  world.open();
}

void append(World& world) {
  world.open();
  world.begin_here();
  world.append("a", 1);
  world.append("a", 2);
  world.append("b", 1);
}

// Larger than one block of RocksDB's log and than one page of ours, so that it can be torn inside.
void batch(World& world) {
  world.open();
  world.append("a", 1);
  world.begin_here();
  world.append("a", 100, Durability::fsync, 200);
  world.append("a", 40, Durability::fsync, 9000);
  world.append("b", 1);
}

void several_streams(World& world) {
  world.open();
  world.begin_here();
  world.append_to({"a", "b", "c"}, 2);
  world.append_to({"c", "a"}, 1);
}

// Weaker promises, and the stronger one that takes them along.
void levels(World& world) {
  world.open();
  world.begin_here();
  world.append("a", 1, Durability::memory);
  world.append("b", 1, Durability::wal);
  world.append("a", 1, Durability::wal);
  world.append("a", 1, Durability::fsync);
  world.append("b", 1, Durability::wal);
}

// The second asking is promised more than the first.
void stronger_retry(World& world) {
  world.open();
  world.begin_here();
  world.append("a", 1, Durability::wal);
  world.retry_last(Durability::fsync);
  world.append("a", 1, Durability::memory);
  world.retry_last(Durability::fsync);
}

void checkpoint(World& world) {
  world.open();
  world.append("a", 3);
  world.begin_here();
  world.save_views();
  world.append("a", 2);
  world.save_views();
  world.append("b", 1, Durability::wal);
  world.save_views();
  world.close();
}

void blob(World& world) {
  world.open();
  world.begin_here();
  world.append_with_blob("a", 3000);
  world.append_with_blob("a", 600'000);
}

void clean_close(World& world) {
  world.open();
  world.append("a", 2);
  world.append("b", 1);
  world.begin_here();
  world.close();
  world.open(OpenMode::write);
  world.append("a", 1);
  world.close();
}

void flush(World& world) {
  world.open();
  world.append("a", 5);
  world.append("b", 5, Durability::wal);
  world.append("a", 5, Durability::memory);
  world.begin_here();
  world.start_flush();
  world.append("a", 1);
  world.append("b", 1);
  world.append("c", 1, Durability::wal);
  world.close();
}

// A process dies, another takes over, and then the power goes: what the first had given to the
// kernel only, the second may build on.
void take_over(World& world) {
  world.open();
  world.append("a", 1);
  world.begin_here();
  world.append("a", 1, Durability::wal);
  world.die();
  world.open(OpenMode::write);
  world.append("b", 1);
  world.append("a", 1, Durability::wal);
  world.die();
  world.open(OpenMode::write);
  world.append("a", 1);
}

void take_over_and_retry(World& world) {
  world.open();
  world.append("a", 1);
  world.begin_here();
  world.append("a", 2, Durability::wal);
  world.die();
  world.open(OpenMode::write);
  world.retry_last(Durability::fsync);
}

// Twice, so that the second time there is a backup to add to.
void back_up(World& world) {
  world.open();
  world.append("a", 3);
  world.append_with_blob("a", 3000);
  world.begin_here();
  world.back_up();
  world.append("b", 2);
  world.append_with_blob("b", 300'000);
  world.back_up();
}

void restore(World& world) {
  world.open();
  world.append("a", 3);
  world.append_with_blob("b", 300'000);
  world.back_up();
  world.close();
  world.begin_here();
  world.restore();
}

// What no event refers to goes, and nothing else.
void collect_garbage(World& world) {
  world.open();
  world.append_with_blob("a", 300'000);
  world.put_orphan(3000);
  world.put_orphan(600'000);
  world.append("a", 1);
  world.close();
  world.begin_here();
  world.collect_garbage();
}

// A run's texts and output leave the store, all but the text that another event refers to.
void seal_and_remove(World& world) {
  world.open();
  world.append_with_blob("a", 3000);
  world.write_run();
  world.close();
  world.begin_here();
  world.seal_and_remove();
  world.open(OpenMode::write);
  world.append("b", 1);
}

}  // namespace

std::vector<Scenario> all_scenarios() {
  return {
      {"create", create},
      {"append", append},
      {"batch", batch},
      {"several_streams", several_streams},
      {"levels", levels},
      {"stronger_retry", stronger_retry},
      {"checkpoint", checkpoint},
      {"blob", blob},
      {"clean_close", clean_close},
      {"flush", flush},
      {"take_over", take_over},
      {"take_over_and_retry", take_over_and_retry},
      {"back_up", back_up, judge_backup},
      {"restore", restore, judge_restored},
      {"collect_garbage", collect_garbage},
      {"seal_and_remove", seal_and_remove, judge_sealed},
  };
}

}  // namespace pievt::faults
