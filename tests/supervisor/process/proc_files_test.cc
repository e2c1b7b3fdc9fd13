// What /proc says is parsed exactly, whatever a process calls itself.
#include "supervisor/process/proc_files.h"

#include <algorithm>
#include <csignal>
#include <limits>
#include <string>

#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/supervisor/process/testing.h"

namespace pievt::process::testing {
namespace {

/// A line of stat for a process of this name, field n being 100 + n where it is a number.
std::string stat_line(std::string_view name) {
  std::string line = "812 (" + std::string(name) + ") S 104";
  for (int field = 5; field <= 52; ++field) line += " " + std::to_string(100 + field);
  return line + "\n";
}

TEST(ParseStat, FindsTheFieldsWhateverTheName) {
  for (const char* name : {"pi", "", "a b", "((x))", ") S 1 2 (", "new\nline", ") "}) {
    const auto stat = parse_stat(stat_line(name));
    ASSERT_TRUE(stat) << name;
    EXPECT_EQ(stat->pid, 812);
    EXPECT_EQ(stat->comm, name);
    EXPECT_EQ(stat->state, 'S');
    EXPECT_EQ(stat->parent_pid, 104);
    EXPECT_EQ(stat->threads, 120u);
    EXPECT_EQ(stat->start_ticks, 122u);
    EXPECT_EQ(stat->memory_bytes, 123u);
    EXPECT_EQ(stat->environment_start, 150u);
    EXPECT_EQ(stat->environment_end, 151u);
  }
}

TEST(ParseStat, RefusesEveryBeginningThatLacksAField) {
  const std::string line = stat_line("pi");
  const std::size_t last = line.find(" 151");  // of what is read
  for (std::size_t size = 0; size <= last + 1; ++size)
    EXPECT_FALSE(parse_stat(std::string_view(line).substr(0, size))) << size;
  EXPECT_TRUE(parse_stat(line.substr(0, last + 4)));
  for (const char* text : {"", "x (pi) S 1", "812 pi S 1", ") (", "812 (pi) SS 1 2 3"})
    EXPECT_FALSE(parse_stat(text)) << text;
}

TEST(ParseCounter, ReadsLinesWithAndWithoutColon) {
  constexpr std::string_view text =
      "low 0\noom_kill 17\noom_group_kill 2\nVmHWM:\t  5120 kB\nx y\n";
  EXPECT_EQ(parse_counter(text, "oom_kill"), 17u);
  EXPECT_EQ(parse_counter(text, "oom_group_kill"), 2u);
  EXPECT_EQ(parse_counter(text, "VmHWM"), 5120u);
  EXPECT_EQ(parse_counter(text, "oom"), std::nullopt);
  EXPECT_EQ(parse_counter(text, "x"), std::nullopt);
  EXPECT_EQ(parse_counter("", "x"), std::nullopt);
}

TEST(ParseLastPid, TakesTheFifthWord) {
  EXPECT_EQ(parse_last_pid("0.00 0.01 0.05 1/123 4567\n"), 4567);
  for (const char* text : {"", "0.00 0.01 0.05 1/123", "0.00 0.01 0.05 1/123 \n", "a b c d e"})
    EXPECT_EQ(parse_last_pid(text), std::nullopt) << text;
}

TEST(EntrySearch, FindsWholeEntriesHoweverTheyArriveInPieces) {
  struct Case {
    std::string_view text;
    bool found;
  };
  using namespace std::string_view_literals;
  const std::vector<Case> cases{
      {"A=1\0"sv, true},    {"A=1"sv, true},         {"X=2\0A=1\0Y=3\0"sv, true},
      {"X=2\0A=1"sv, true}, {"A=12\0"sv, false},     {"BA=1\0"sv, false},
      {"A=\0"sv, false},    {"A=12\0A=1\0"sv, true}, {"\0\0A=1\0"sv, true},
      {"X=A=1\0"sv, false}, {""sv, false},           {"A=1\n\0"sv, false}};
  for (const Case& each : cases)
    for (std::size_t piece = 1; piece <= std::max<std::size_t>(each.text.size(), 1); ++piece) {
      EntrySearch search("A=1");
      for (std::size_t at = 0; at < each.text.size(); at += piece)
        search.feed(each.text.substr(at, piece));
      EXPECT_EQ(search.finish(), each.found) << each.text << " in pieces of " << piece;
    }
}

using ProcFilesTest = ProcessTest;

TEST_F(ProcFilesTest, DescribesALivingProcess) {
  Child child = start_ready({"wait"});
  const pid_t pid = child.process.id().pid;
  const Result<ProcStat> stat = read_stat(pid);
  ASSERT_TRUE(stat.ok());
  EXPECT_EQ(stat->pid, pid);
  EXPECT_EQ(stat->parent_pid, ::getpid());
  EXPECT_EQ(stat->threads, 1u);
  EXPECT_EQ(command_excerpt(pid, 4096), std::string(PIEVT_CHILD_PROGRAM) + " wait");
  EXPECT_EQ(command_excerpt(pid, 7), std::string(PIEVT_CHILD_PROGRAM).substr(0, 7));
  const Result<std::vector<pid_t>> all = list_processes();
  ASSERT_TRUE(all.ok());
  EXPECT_TRUE(std::ranges::binary_search(*all, pid));
  EXPECT_TRUE(std::ranges::binary_search(*all, ::getpid()));
  EXPECT_GT(*read_last_pid(), 0);
}

TEST_F(ProcFilesTest, SeesTheEnvironmentAProcessWasStartedWith) {
  SpawnRequest wanted = request({"wait"});
  Pipe output = make_pipe();
  wanted.output = BorrowedFd{output.writer.get()};
  wanted.environment.push_back({"BIG", std::string(100'000, 'b')});
  wanted.environment.push_back({"LAST", "entry"});
  Result<Spawned> child = spawn(wanted);
  ASSERT_TRUE(child.ok());
  const pid_t pid = child->process.id().pid;
  EXPECT_EQ(read_line(output.reader.get()), "ready");
  EXPECT_EQ(look_at_environment(pid, "PIEVT_ATTEMPT=" + marker()), EnvironmentLook::has);
  EXPECT_EQ(look_at_environment(pid, "LAST=entry"), EnvironmentLook::has);
  EXPECT_EQ(look_at_environment(pid, "LAST=entr"), EnvironmentLook::has_not);
  EXPECT_EQ(look_at_environment(pid, "BIG="), EnvironmentLook::has_not);
}

TEST_F(ProcFilesTest, AProcessThatIsJustExecutingIsNotTakenForOneWithoutTheEntry) {
  if (vfork_is_fork) GTEST_SKIP() << "it has our environment at first under ThreadSanitizer";
  // Right after a spawn the environment may be there or not; it is never denied.
  const std::string entry = "PIEVT_ATTEMPT=" + marker();
  for (int i = 0; i < 50; ++i) {
    Result<Spawned> child = spawn(request({"wait"}));
    ASSERT_TRUE(child.ok());
    const Moment deadline = patience();
    EnvironmentLook look = EnvironmentLook::not_yet;
    while (look == EnvironmentLook::not_yet && Clock::now() < deadline)
      look = look_at_environment(child->process.id().pid, entry);
    EXPECT_EQ(look, EnvironmentLook::has);
    EXPECT_TRUE(child->process.signal(SIGKILL).ok());
    end_of(child->process);
  }
}

TEST_F(ProcFilesTest, AnEmptyEnvironmentIsAnEnvironment) {
  SpawnRequest wanted = request({"wait"});
  wanted.environment.clear();
  Pipe output = make_pipe();
  wanted.output = BorrowedFd{output.writer.get()};
  Result<Spawned> child = spawn(wanted);
  ASSERT_TRUE(child.ok());
  EXPECT_EQ(read_line(output.reader.get()), "ready");
  EXPECT_EQ(look_at_environment(child->process.id().pid, "A=1"), EnvironmentLook::has_not);
  EXPECT_TRUE(child->process.signal(SIGKILL).ok());
  end_of(child->process);
}

TEST_F(ProcFilesTest, AZombieHasNoEnvironmentAndNoCommand) {
  Child child = start({"exit", "0"});
  ASSERT_TRUE(child.process.wait_for_end(patience()));
  const pid_t pid = child.process.id().pid;
  EXPECT_EQ(read_stat(pid)->state, 'Z');
  EXPECT_EQ(command_excerpt(pid, 100), "");
  EXPECT_EQ(look_at_environment(pid, "PIEVT_ATTEMPT=" + marker()), EnvironmentLook::has_not);
}

TEST(ProcFiles, AnswersForAProcessThatIsNotThere) {
  constexpr pid_t nobody = std::numeric_limits<pid_t>::max();
  EXPECT_EQ(read_stat(nobody).error().code, Errc::not_found);
  EXPECT_EQ(look_at_environment(nobody, "A=1"), EnvironmentLook::has_not);
  EXPECT_EQ(command_excerpt(nobody, 100), "");
}

TEST(ProcFiles, TheBootIdIsThirtySixCharacters) {
  const Result<std::string> id = read_boot_id();
  ASSERT_TRUE(id.ok()) << id.error().what;
  EXPECT_EQ(id->size(), 36u);
  EXPECT_EQ(std::ranges::count(*id, '-'), 4);
}

}  // namespace
}  // namespace pievt::process::testing
