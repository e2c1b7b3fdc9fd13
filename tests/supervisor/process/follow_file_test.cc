// Following a file that a child writes, giving its space back, and noticing what a hostile worker
// does to it.
#include "supervisor/process/follow_file.h"

#include <array>
#include <csignal>
#include <cstddef>
#include <string>
#include <thread>

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "supervisor/process/poller.h"
#include "supervisor/process/watch.h"
#include "tests/supervisor/process/testing.h"

namespace pievt::process::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint64_t mib = 1u << 20;

class FollowTest : public ProcessTest {
 protected:
  FollowFile follow(std::string_view name, std::uint64_t offset = 0) const {
    Result<FollowFile> file = FollowFile::open(path(name), offset);
    if (!file.ok()) throw std::runtime_error(file.error().what);
    return std::move(file).value();
  }

  std::string read(FollowFile& file, std::size_t bytes_max = limits::read_bytes_max) {
    const Result<std::span<const std::byte>> bytes = file.read_new(buffer_, bytes_max);
    EXPECT_TRUE(bytes.ok()) << bytes.error().what;
    if (!bytes.ok()) return {};
    return {reinterpret_cast<const char*>(bytes->data()), bytes->size()};
  }

  std::string read_again(FollowFile& file, std::uint64_t offset) {
    const Result<std::span<const std::byte>> bytes = file.read_again(buffer_, offset);
    EXPECT_TRUE(bytes.ok()) << bytes.error().what;
    if (!bytes.ok()) return {};
    return {reinterpret_cast<const char*>(bytes->data()), bytes->size()};
  }

  Error failure(FollowFile& file) {
    const Result<std::span<const std::byte>> bytes = file.read_new(buffer_);
    EXPECT_FALSE(bytes.ok());
    return bytes.ok() ? Error{Errc::io, "it was read"} : bytes.error();
  }

  Errc refusal(std::string_view name, std::uint64_t offset = 0) const {
    const Result<FollowFile> file = FollowFile::open(path(name), offset);
    EXPECT_FALSE(file.ok()) << name;
    return file.ok() ? Errc::io : file.error().code;
  }

 private:
  ReadBuffer buffer_;
};

TEST_F(FollowTest, ReadsWhatIsNewAndNothingTwice) {
  write_file(path("out"), "one\n");
  FollowFile file = follow("out");
  EXPECT_EQ(read(file), "one\n");
  EXPECT_EQ(read(file), "");
  append_to_file(path("out"), "two\nthree\n");
  EXPECT_EQ(read(file, 4), "two\n");
  EXPECT_EQ(file.offset(), 8u);
  EXPECT_EQ(read(file, 0), "");
  EXPECT_EQ(read(file), "three\n");
}

TEST_F(FollowTest, GoesOnWhereAnotherSupervisorStopped) {
  write_file(path("out"), "0123456789");
  FollowFile file = follow("out", 6);
  EXPECT_EQ(read(file), "6789");
  FollowFile at_end = follow("out", 10);
  EXPECT_EQ(read(at_end), "");
  EXPECT_EQ(refusal("out", 11), Errc::corrupt);
}

TEST_F(FollowTest, ReadsNoMoreThanTheBufferHolds) {
  write_file(path("out"), std::string(limits::read_bytes_max + 10, 'x'));
  FollowFile file = follow("out");
  EXPECT_EQ(read(file, SIZE_MAX).size(), limits::read_bytes_max);
  EXPECT_EQ(read(file, SIZE_MAX).size(), 10u);
}

TEST_F(FollowTest, TellsWhatIsUnreadAndReadsAgain) {
  write_file(path("out"), "0123456789");
  FollowFile file = follow("out");
  EXPECT_EQ(*file.unread(), 10u);
  EXPECT_EQ(read(file, 8), "01234567");
  EXPECT_EQ(*file.unread(), 2u);
  EXPECT_EQ(read_again(file, 3), "34567");
  EXPECT_EQ(read_again(file, 8), "");
  EXPECT_EQ(file.offset(), 8u) << "reading again moves nothing";
  EXPECT_EQ(read(file), "89");
  EXPECT_EQ(*file.unread(), 0u);
  ASSERT_EQ(::truncate(path("out").c_str(), 5), 0);
  EXPECT_EQ(file.unread().error().code, Errc::corrupt);
  ReadBuffer buffer;
  const auto gone = file.read_again(buffer, 3);
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ(gone.error().code, Errc::corrupt);
  EXPECT_THAT(gone.error().what, HasSubstr("at byte 5"));
}

TEST_F(FollowTest, ACutFileIsAnErrorThatStays) {
  write_file(path("out"), "0123456789");
  FollowFile file = follow("out");
  EXPECT_EQ(read(file), "0123456789");
  ASSERT_EQ(::truncate(path("out").c_str(), 4), 0);
  const Error error = failure(file);
  EXPECT_EQ(error.code, Errc::corrupt);
  EXPECT_THAT(error.what, HasSubstr("cut to 4 bytes"));
  EXPECT_THAT(error.what, HasSubstr("at byte 10"));
  EXPECT_EQ(failure(file).code, Errc::corrupt);
}

TEST_F(FollowTest, AReplacedFileIsAnError) {
  write_file(path("out"), "mine");
  write_file(path("other"), "a longer forgery");
  FollowFile file = follow("out");
  EXPECT_EQ(read(file), "mine");
  std::filesystem::rename(path("other"), path("out"));
  EXPECT_EQ(failure(file).code, Errc::corrupt);
}

TEST_F(FollowTest, AFileMovedAwayAndAnotherPutThereIsAnError) {
  write_file(path("out"), "mine");
  FollowFile file = follow("out");
  std::filesystem::rename(path("out"), path("elsewhere"));
  EXPECT_THAT(failure(file).what, HasSubstr("removed"));
  write_file(path("out"), "theirs");
  EXPECT_THAT(failure(file).what, HasSubstr("replaced"));
}

TEST_F(FollowTest, ARemovedOrDoublyNamedFileIsAnError) {
  write_file(path("out"), "mine");
  FollowFile file = follow("out");
  std::filesystem::create_hard_link(path("out"), path("second"));
  EXPECT_THAT(failure(file).what, HasSubstr("second name"));
  std::filesystem::remove(path("second"));
  EXPECT_EQ(read(file), "mine");
  std::filesystem::remove(path("out"));
  EXPECT_THAT(failure(file).what, HasSubstr("removed"));
}

TEST_F(FollowTest, ALinkPutInItsPlaceIsNotFollowed) {
  write_file(path("out"), "mine");
  FollowFile file = follow("out");
  std::filesystem::rename(path("out"), path("elsewhere"));
  std::filesystem::create_symlink(path("elsewhere"), path("out"));
  EXPECT_THAT(failure(file).what, HasSubstr("replaced"));
}

TEST_F(FollowTest, OpensOnlyAPlainFileOfOurs) {
  write_file(path("target"), "");
  std::filesystem::create_symlink(path("target"), path("link"));
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  std::filesystem::create_directory(path("directory"));
  EXPECT_EQ(refusal("link"), Errc::invalid);
  EXPECT_EQ(refusal("pipe"), Errc::invalid);
  EXPECT_EQ(refusal("directory"), Errc::invalid);
  EXPECT_EQ(refusal("absent"), Errc::not_found);
  std::filesystem::create_hard_link(path("target"), path("second"));
  EXPECT_EQ(refusal("target"), Errc::invalid);
  std::filesystem::remove(path("second"));
  // Root can give the file away and open it all the same; others cannot open root's.
  const bool given_away = ::chown(path("target").c_str(), 65534, 65534) == 0 && ::geteuid() == 0;
  EXPECT_FALSE(FollowFile::open(given_away ? path("target") : "/etc/passwd").ok());
}

std::uint64_t disk_bytes(const std::filesystem::path& path) {
  struct stat info {};
  EXPECT_EQ(::stat(path.c_str(), &info), 0);
  return static_cast<std::uint64_t>(info.st_blocks) * 512;
}

TEST_F(FollowTest, GivesSpaceBackInWholeBlocksOfAMibOrMore) {
  write_file(path("out"), std::string(3 * mib + 100, 'x'));
  FollowFile file = follow("out");
  EXPECT_EQ(file.release_before(1).error().code, Errc::invalid) << "not read yet";
  while (!read(file).empty()) {
  }
  EXPECT_EQ(*file.release_before(mib - 1), Release::deferred);
  const Result<Release> released = file.release_before(2 * mib + 5000);
  ASSERT_TRUE(released.ok()) << released.error().what;
  EXPECT_EQ(file.keeps_space(), *released == Release::unsupported);
  EXPECT_EQ(std::filesystem::file_size(path("out")), 3 * mib + 100);
  const std::string content = read_file(path("out"));
  EXPECT_EQ(content.find_first_not_of('x', 2 * mib + 4096), std::string::npos);
  if (file.keeps_space()) return;
  EXPECT_EQ(content.find_first_not_of('\0'), 2 * mib + 4096);
  EXPECT_LE(disk_bytes(path("out")), mib + mib / 16);
  EXPECT_EQ(*file.release_before(2 * mib + 5000), Release::deferred) << "nothing more to give";
}

/// From now on this thread's fallocate() fails as on a file system that cannot make holes.
bool refuse_holes_in_this_thread() {
  std::array filter{sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
                    sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fallocate, 0, 1),
                    sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
                    sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  const sock_fprog program{filter.size(), filter.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

TEST_F(FollowTest, AFileSystemThatCannotIsToldOnce) {
  write_file(path("out"), std::string(4 * mib, 'x'));
  FollowFile file = follow("out");
  while (!read(file).empty()) {
  }
  std::thread([&] {
    ASSERT_TRUE(refuse_holes_in_this_thread());
    EXPECT_FALSE(file.keeps_space());
    EXPECT_EQ(*file.release_before(2 * mib), Release::unsupported);
    EXPECT_TRUE(file.keeps_space());
    EXPECT_EQ(*file.release_before(4 * mib), Release::deferred);
  }).join();
  append_to_file(path("out"), "more");
  EXPECT_EQ(read(file), "more");
}

/// Numbered lines of 64 bytes, checked as they come.
struct Lines {
  std::size_t next = 0;
  std::string rest;

  void feed(std::string_view bytes) {
    rest += bytes;
    std::size_t at = 0;
    for (; at + 64 <= rest.size(); at += 64) {
      std::string expected = std::to_string(next++);
      expected.resize(63, '.');
      ASSERT_EQ(rest.substr(at, 64), expected + "\n");
    }
    rest.erase(0, at);
  }
};

TEST_F(FollowTest, ReadsRightWhileTheChildAppendsAndTheSpaceGoes) {
  constexpr std::size_t lines = 16 * mib / 64;
  SpawnRequest wanted = request({"flood", std::to_string(lines)});
  wanted.output = OutputFile{path("out")};
  Result<Spawned> child = spawn(wanted);
  ASSERT_TRUE(child.ok()) << child.error().what;
  FollowFile file = follow("out");
  Watch watch = Watch::create().value();
  Poller poller = Poller::create().value();
  ASSERT_TRUE(poller.add(child->process.fd(), Interest::read, 1).ok());
  ASSERT_TRUE(poller.add(watch.fd(), Interest::read, 2).ok());

  Lines seen;
  const Moment deadline = patience();
  for (bool ended = false;;) {
    const bool was_ended = ended;
    ASSERT_TRUE(watch.arm(file.fd()).ok());
    const std::string bytes = read(file);
    seen.feed(bytes);
    ASSERT_FALSE(HasFatalFailure());
    ASSERT_TRUE(file.release_before(file.offset()).ok());
    if (!bytes.empty()) continue;
    if (was_ended) break;
    const auto woke = poller.wait(deadline);
    ASSERT_TRUE(woke.ok());
    ASSERT_FALSE(woke->empty()) << "nothing came for 20 s";
    for (const Wakeup& each : *woke) ended = ended || each.token == 1;
    ASSERT_TRUE(watch.read().ok());
  }
  EXPECT_EQ(seen.next, lines);
  EXPECT_EQ(seen.rest, "");
  EXPECT_EQ(end_of(child->process).exit_code, 0);
  EXPECT_EQ(std::filesystem::file_size(path("out")), 16 * mib);
  if (!file.keeps_space()) {
    EXPECT_LE(disk_bytes(path("out")), 2 * mib);
  }
}

using WatchTest = FollowTest;

TEST_F(WatchTest, TellsOnceThatAFileWasWritten) {
  write_file(path("a"), "");
  write_file(path("b"), "");
  const FollowFile a = follow("a");
  const FollowFile b = follow("b");
  Watch watch = Watch::create().value();
  const Result<WatchId> on_a = watch.arm(a.fd());
  const Result<WatchId> on_b = watch.arm(b.fd());
  ASSERT_TRUE(on_a.ok());
  ASSERT_TRUE(on_b.ok());
  EXPECT_NE(*on_a, *on_b);
  EXPECT_EQ(*watch.arm(a.fd()), *on_a) << "arming twice is arming once";
  EXPECT_THAT(watch.read()->written, IsEmpty());

  append_to_file(path("a"), "x");
  append_to_file(path("a"), "y");
  ASSERT_TRUE(wait_readable(watch.fd()));
  EXPECT_THAT(watch.read()->written, ElementsAre(*on_a));
  append_to_file(path("a"), "z");
  EXPECT_THAT(watch.read()->written, IsEmpty()) << "spent";

  const Result<WatchId> again = watch.arm(a.fd());
  ASSERT_TRUE(again.ok());
  append_to_file(path("a"), "x");
  append_to_file(path("b"), "x");
  EXPECT_THAT(watch.read()->written, ElementsAre(*on_b, *again));
}

TEST_F(WatchTest, StaysWithTheFileAndNotWithItsName) {
  write_file(path("a"), "");
  const FollowFile a = follow("a");
  Watch watch = Watch::create().value();
  std::filesystem::rename(path("a"), path("elsewhere"));
  write_file(path("a"), "");
  const Result<WatchId> on_a = watch.arm(a.fd());
  append_to_file(path("a"), "forged");
  EXPECT_THAT(watch.read()->written, IsEmpty());
  append_to_file(path("elsewhere"), "real");
  EXPECT_THAT(watch.read()->written, ElementsAre(*on_a));
}

TEST_F(WatchTest, TellsOfACutAndForgetsOnRequest) {
  write_file(path("a"), "12345");
  const FollowFile a = follow("a");
  Watch watch = Watch::create().value();
  const Result<WatchId> on_a = watch.arm(a.fd());
  ASSERT_EQ(::truncate(path("a").c_str(), 1), 0);
  EXPECT_THAT(watch.read()->written, ElementsAre(*on_a));
  const Result<WatchId> again = watch.arm(a.fd());
  ASSERT_TRUE(again.ok());
  watch.disarm(*again);
  watch.disarm(*again);
  append_to_file(path("a"), "x");
  EXPECT_THAT(watch.read()->written, IsEmpty());
  EXPECT_FALSE(watch.arm(-1).ok());
}

}  // namespace
}  // namespace pievt::process::testing
