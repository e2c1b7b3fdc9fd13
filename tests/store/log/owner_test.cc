// The owner record: what is written is read, anything else is nothing; and what people are told.
#include "store/log/owner.h"

#include <fstream>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pievt {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t second_ns = 1'000'000'000;

Owner somebody() {
  return {4711,
          123'456,
          "6b7f0b2e-9d6c-4c1e-8f37-0c2c7a1d9e55",
          this_process("").pid_namespace,
          "pievtd",
          1'700'000'000 * second_ns};
}

TEST(OwnerTest, DescribesThisProcess) {
  const Owner self = this_process("pievt");
  EXPECT_EQ(self.pid, ::getpid());
  EXPECT_GT(self.start_ticks, 0u);
  EXPECT_EQ(self.boot_id.size(), 36u);
  EXPECT_GT(self.pid_namespace, 0u);
  EXPECT_EQ(self.program, "pievt");
  EXPECT_EQ(self.acquired_wall_ns, 0);
  EXPECT_NE(current_boot_id(), BootId{});
  EXPECT_EQ(current_boot_id(), current_boot_id());
}

TEST(OwnerTest, StartTicksAreTheKernels) {
  // The first line of /proc/self/stat up to the bracket, then twenty more fields.
  std::ifstream stat("/proc/self/stat");
  std::string word;
  while (stat >> word && !word.ends_with(')')) {
  }
  for (int field = 3; field <= 22; ++field) stat >> word;
  EXPECT_EQ(std::to_string(this_process("x").start_ticks), word);
}

TEST(OwnerTest, ReadsTheRecordItWrites) {
  EXPECT_EQ(parse_record(to_record(somebody())), somebody());
  EXPECT_EQ(parse_record(to_record(Owner{})), Owner{});
  EXPECT_THAT(to_record(somebody()), HasSubstr("pid: 4711\n"));
  EXPECT_LE(to_record(somebody()).size(), 512u);
}

TEST(OwnerTest, ProgramNamesStayOnOneLine) {
  const Owner self = this_process("evil\npid: 1\x1b[31m" + std::string(500, 'x'));
  EXPECT_EQ(self.program.find('\n'), std::string::npos);
  EXPECT_EQ(self.program.size(), 64u);
  EXPECT_EQ(parse_record(to_record(self)), self);
}

TEST(OwnerTest, AnythingElseIsNoRecord) {
  const std::string record = to_record(somebody());
  for (std::size_t size = 0; size < record.size(); ++size) {
    EXPECT_FALSE(parse_record(record.substr(0, size))) << "cut at " << size;
  }
  for (std::size_t bit = 0; bit < record.size() * 8; ++bit) {
    std::string damaged = record;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    EXPECT_FALSE(parse_record(damaged)) << "bit " << bit;
  }
  EXPECT_FALSE(parse_record(record + "x"));
  EXPECT_FALSE(parse_record(std::string(4096, '\0')));
}

TEST(OwnerTest, ARecordTornBetweenTwoOwnersIsNone) {
  Owner next = somebody();
  next.pid = 5822;
  next.program = "other1";
  const std::string before = to_record(somebody());
  const std::string after = to_record(next);
  ASSERT_EQ(before.size(), after.size());
  for (std::size_t cut = 0; cut <= after.size(); ++cut) {
    const auto parsed = parse_record(after.substr(0, cut) + before.substr(cut));
    if (parsed) {
      EXPECT_TRUE(*parsed == somebody() || *parsed == next) << "torn at " << cut;
    }
  }
}

TEST(BusySentenceTest, SaysWhoSinceWhenAndWhatToDo) {
  EXPECT_EQ(busy_sentence("/p/.pievt", somebody(), somebody().acquired_wall_ns + 192 * second_ns),
            "the store /p/.pievt is being written by pievtd (process 4711) since "
            "2023-11-14T22:13:20Z, for 3 m 12 s; wait for it, or stop it: the lock goes with its "
            "process");
}

// Its number is that of somebody else here, or of nobody.
TEST(BusySentenceTest, SaysWhereThePidMeansSomething) {
  Owner elsewhere = somebody();
  ++elsewhere.pid_namespace;
  for (const std::string& sentence :
       {busy_sentence("s", elsewhere, 0), supervised_sentence("r", elsewhere, 0)}) {
    EXPECT_THAT(sentence, HasSubstr("pievtd (process 4711 of another PID namespace"));
    EXPECT_THAT(sentence, HasSubstr("`lslocks` on the host"));
    EXPECT_THAT(sentence, HasSubstr("since 2023-11-14T22:13:20Z"));
  }
  elsewhere.program.clear();
  EXPECT_THAT(busy_sentence("s", elsewhere, 0), HasSubstr("by process 4711 of another"));
  elsewhere.pid_namespace = 0;  // an owner of whom only the pid is known is one of ours
  EXPECT_THAT(busy_sentence("s", elsewhere, 0), Not(HasSubstr("namespace")));
}

TEST(BusySentenceTest, SpellsDurations) {
  const auto held_for = [](std::int64_t seconds) {
    return busy_sentence("s", somebody(), somebody().acquired_wall_ns + seconds * second_ns);
  };
  EXPECT_THAT(held_for(0), HasSubstr("for 0 s;"));
  EXPECT_THAT(held_for(59), HasSubstr("for 59 s;"));
  EXPECT_THAT(held_for(3600), HasSubstr("for 1 h 0 m 0 s;"));
  EXPECT_THAT(held_for(2 * 86400 + 3 * 3600 + 61), HasSubstr("for 2 d 3 h 1 m;"));
  // The clock was set back meanwhile.
  EXPECT_THAT(held_for(-1000), HasSubstr("for 0 s;"));
}

TEST(BusySentenceTest, SaysOnlyWhatIsKnown) {
  Owner pid_only;
  pid_only.pid = 99;
  EXPECT_THAT(busy_sentence("s", pid_only, 0), HasSubstr("written by process 99;"));
  EXPECT_THAT(busy_sentence("s", pid_only, 0), Not(HasSubstr("since")));
  EXPECT_THAT(busy_sentence("s", std::nullopt, 0), HasSubstr("another process"));
  EXPECT_THAT(busy_sentence("s", Owner{}, 0), HasSubstr("lslocks"));
}

}  // namespace
}  // namespace pievt
