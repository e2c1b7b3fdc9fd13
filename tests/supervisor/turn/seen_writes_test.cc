// Two attempts that write to one directory at once, as processes of their own: who is named for
// what, from the kernel's word to the list of writes.
#include "supervisor/turn/seen_writes.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <memory>

#include <fcntl.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "supervisor/process/spawn.h"
#include "supervisor/process/sweep.h"
#include "supervisor/workspace/tree.h"

namespace pievt::supervisor {
namespace {

namespace fs = std::filesystem;
using process::Clock;
using schema::Attribution;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint64_t token = 7;
constexpr std::uint64_t child_token = 100;  // and all beyond

class Seen : public ::testing::Test {
 protected:
  Seen() {
    std::string name = (fs::temp_directory_path() / "pievt-seen-XXXXXX").string();
    directory_ = fs::canonical(::mkdtemp(name.data()));
    fs::create_directories(directory_ / "tree/.store");
    fs::create_directories(directory_ / "other");
  }
  ~Seen() override {
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
  }

  void SetUp() override {
    const auto allowed = process::WriteWatch::create();
    if (!allowed.ok()) GTEST_SKIP() << allowed.error().what;
    std::ofstream(root() / "x") << "x";
    if (!process::identify_file((root() / "x").string()))
      GTEST_SKIP() << "no times of birth are kept here";
    seen_ = std::make_unique<SeenWrites>(root() / ".store");
    poller_.emplace(process::Poller::create().value());
    ASSERT_TRUE(seen_->attach(*poller_, token).ok());
    before_ = *workspace::walk(root().string());
  }

  fs::path root() const { return directory_ / "tree"; }

  void begin(Who who, const fs::path& root) {
    seen_->begin(who, fmt::format("run/{}/{}", who.job, who.attempt), root,
                 SeenWrites::Since::start);
  }

  /// A shell that does `script`, says so, and lives until it has been heard.
  void start(Who who, const std::string& script) {
    std::array<int, 2> in{}, out{};
    ASSERT_EQ(::pipe2(in.data(), O_CLOEXEC), 0);
    ASSERT_EQ(::pipe2(out.data(), O_CLOEXEC), 0);
    const process::Fd input(in[0]), output(out[1]);
    process::SpawnRequest wanted;
    wanted.argv = {"/bin/sh", "-c", script + "; echo; read end; exit 0"};
    wanted.environment = {
        {"PATH", "/usr/bin:/bin"},
        {std::string(process::marker_name), fmt::format("run/{}/{}", who.job, who.attempt)}};
    wanted.cwd = root();
    wanted.input = process::BorrowedFd{input.get()};
    wanted.output = process::BorrowedFd{output.get()};
    auto spawned = process::spawn(wanted);
    ASSERT_TRUE(spawned.ok()) << spawned.error().what;
    children_.push_back({std::move(spawned->process), process::Fd(in[1]), process::Fd(out[0])});
    ASSERT_TRUE(poller_
                    ->add(children_.back().output.get(), process::Interest::read,
                          child_token + children_.size() - 1)
                    .ok());
  }

  /// As the supervisor waits, until all children have said that they are done, and ends them.
  void wait_for_ends() {
    const auto patience = Clock::now() + std::chrono::seconds(60);
    for (std::size_t busy = children_.size(); busy > 0 && Clock::now() < patience;) {
      ASSERT_TRUE(seen_->listen(Clock::now()).ok());
      const auto until = std::min(patience, seen_->paused_until().value_or(patience));
      const auto woken = poller_->wait(until);
      ASSERT_TRUE(woken.ok());
      const std::vector<process::Wakeup> wakeups(woken->begin(), woken->end());
      for (const auto& each : wakeups) {
        if (each.token == token) {
          ASSERT_TRUE(seen_->look().ok());
          continue;
        }
        ASSERT_TRUE(poller_->remove(children_[each.token - child_token].output.get()).ok());
        --busy;
      }
    }
    seen_->look_at_all();
    for (Child& child : children_) {
      child.input.reset();
      ASSERT_TRUE(child.process.wait_for_end(patience));
      const auto ended = child.process.reap();
      ASSERT_TRUE(ended.ok() && *ended);
      EXPECT_EQ((*ended)->exit_code, 0);
    }
    children_.clear();
  }

  /// The list of one attempt, when all are said to have run all the time.
  std::vector<std::unique_ptr<schema::WriteT>> list(Who who) {
    after_ = *workspace::walk(root().string());
    Sight sight;
    sight.root = root();
    sight.who = who;
    sight.rules.cwd = root();
    sight.names = {{{1, 1}, "a/1"}, {{2, 1}, "b/1"}};
    sight.differences = workspace::compare(before_, after_);
    for (const auto& each : sight.differences) {
      sight.ran[each.path()] = {{1, 1}, {2, 1}};
      auto by = seen_->writers((root() / each.path()).string(), who);
      if (!by.writers.empty()) sight.processes[each.path()] = std::move(by);
    }
    sight.outside = seen_->outside(who, root());
    return attribute(sight);
  }

  std::vector<std::string> rows(Who who) {
    std::vector<std::string> out;
    for (const auto& write : list(who))
      out.push_back(
          fmt::format("{}: {}", write->path, schema::EnumNameAttribution(write->attribution)));
    return out;
  }

  fs::path directory_;
  std::unique_ptr<SeenWrites> seen_;
  std::optional<process::Poller> poller_;
  struct Child {
    process::Process process;
    process::Fd input, output;
  };
  std::vector<Child> children_;
  workspace::Tree before_, after_;
};

TEST_F(Seen, TwoWorkersInOneDirectoryAreToldApartExactly) {
  begin({1, 1}, root());
  begin({2, 1}, root());
  constexpr const char* script =
      "i=0; while [ $i -lt 2000 ]; do echo {0} > {0}$i; i=$((i+1)); done";
  start({1, 1}, fmt::format(fmt::runtime(script), "a"));
  start({2, 1}, fmt::format(fmt::runtime(script), "b"));
  wait_for_ends();
  for (const auto& [who, letter] : {std::pair(Who{1, 1}, 'a'), std::pair(Who{2, 1}, 'b')}) {
    std::size_t own = 0;
    for (const auto& write : list(who)) {
      // Nothing may have been missed that counts for the other one's list.
      EXPECT_EQ(write->path.front(), letter) << write->path;
      EXPECT_EQ(write->attribution, Attribution::process) << write->path;
      EXPECT_THAT(write->detail, ::testing::MatchesRegex("process [0-9]+, sh"));
      ++own;
    }
    EXPECT_EQ(own, 2000u);
  }
}

TEST_F(Seen, BothAreNamedForWhatBothWrote) {
  begin({1, 1}, root());
  begin({2, 1}, root());
  start({1, 1}, "echo a >> x; echo a > own-a");
  start({2, 1}, "echo b >> x");
  wait_for_ends();
  EXPECT_THAT(rows({1, 1}), ElementsAre("own-a: process", "x: process"));
  EXPECT_THAT(rows({2, 1}), ElementsAre("x: process"));
}

TEST_F(Seen, WhatWasWrittenOutsideOfItsTreeIsInItsList) {
  begin({1, 1}, root());
  begin({2, 1}, directory_ / "other");
  start({1, 1}, "echo x > ../other/strayed; echo x > ../other/gone; rm ../other/gone");
  wait_for_ends();
  EXPECT_THAT(rows({1, 1}), ElementsAre((directory_ / "other/strayed").string() + ": process"));
  EXPECT_THAT(rows({2, 1}), IsEmpty());
}

TEST_F(Seen, TheStoreIsNobodysNews) {
  begin({1, 1}, root());
  start({1, 1}, "echo x > .store/y");
  wait_for_ends();
  EXPECT_TRUE(seen_->writers((root() / ".store/y").string(), {1, 1}).writers.empty());
}

// That another one wrote a file is no proof against who may have written it unseen.
TEST_F(Seen, WhoMayHaveBeenMissedIsNotLeftOut) {
  begin({1, 1}, root());
  seen_->begin({2, 1}, "run/2/1", root(), SeenWrites::Since::later);
  start({1, 1}, "echo a > new");
  wait_for_ends();
  EXPECT_THAT(rows({1, 1}), ElementsAre("new: process"));
  EXPECT_THAT(rows({2, 1}), ElementsAre("new: one_of"));
}

TEST_F(Seen, AfterItsEndNothingIsAnAttemptsAnyMore) {
  begin({1, 1}, root());
  begin({2, 1}, root());
  seen_->end({2, 1});
  start({2, 1}, "echo b > late");
  wait_for_ends();
  EXPECT_TRUE(seen_->writers((root() / "late").string(), {1, 1}).writers.empty());
  start({1, 1}, "echo a > kept");
  wait_for_ends();
  EXPECT_EQ(seen_->writers((root() / "kept").string(), {1, 1}).writers.size(), 1u);
  // The last one has ended: nothing is kept, and nothing is watched.
  seen_->end({1, 1});
  EXPECT_TRUE(seen_->writers((root() / "kept").string(), {1, 1}).writers.empty());
}

}  // namespace
}  // namespace pievt::supervisor
