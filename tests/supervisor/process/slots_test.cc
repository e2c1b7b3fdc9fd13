// Places that several supervisors share, and the kernel's account of memory.
#include "supervisor/process/slots.h"

#include <csignal>

#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "supervisor/process/memory.h"
#include "tests/supervisor/launch/testing.h"

namespace pievt::process {
namespace {

TEST(Slots, AreAsManyAsThereAreForAllWhoAsk) {
  const launch::testing::TempDir directory;
  Slots mine = Slots::open(directory.path() / "slots", 3).value();
  Slots theirs = Slots::open(directory.path() / "slots", 3).value();
  auto first = mine.take().value();
  auto second = theirs.take().value();
  auto third = mine.take().value();
  ASSERT_TRUE(first && second && third);
  EXPECT_FALSE(mine.take().value());
  EXPECT_FALSE(theirs.take().value());
  second.reset();
  EXPECT_TRUE(mine.take().value()) << "what one gives back another can have";
}

TEST(Slots, OfOneWhoIsKilledAreFree) {
  const launch::testing::TempDir directory;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t other = ::fork();
  if (other == 0) {
    Slots slots = Slots::open(directory.path() / "slots", 1).value();
    const auto slot = slots.take().value();
    static_cast<void>(::write(ready[1], slot ? "y" : "n", 1));
    for (;;) ::pause();
  }
  char taken = 0;
  ASSERT_EQ(::read(ready[0], &taken, 1), 1);
  EXPECT_EQ(taken, 'y');
  Slots slots = Slots::open(directory.path() / "slots", 1).value();
  EXPECT_FALSE(slots.take().value());
  ::kill(other, SIGKILL);
  ASSERT_EQ(::waitpid(other, nullptr, 0), other);
  EXPECT_TRUE(slots.take().value());
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST(Memory, IsReadAsTheKernelWritesIt) {
  const auto memory = parse_meminfo(
      "MemTotal:       16000 kB\nMemFree:  1 kB\n"
      "MemAvailable:    8000 kB\n");
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->total_bytes, 16'000u << 10);
  EXPECT_EQ(memory->available_bytes, 8'000u << 10);
  EXPECT_FALSE(parse_meminfo("MemTotal: 16000 kB\n"));
  EXPECT_FALSE(parse_meminfo(""));
}

TEST(Memory, OfThisMachineIsKnown) {
  const auto memory = read_memory();
  ASSERT_TRUE(memory);
  EXPECT_GT(memory->total_bytes, 64u << 20);
  EXPECT_LE(memory->available_bytes, memory->total_bytes);
}

}  // namespace
}  // namespace pievt::process
